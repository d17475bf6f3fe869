"""How fast the court is: events a second, of groups and of logs, as the broker tells them.

    python bench/lockstep.py [rounds]

The events are recorded first, in memory; then the court follows them.  Lock step with a broker
needs at least 10,000 a second of processor time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from impl_support.group_members import Consumer, grouped, settle
from impl_support.stepping import Stepper
from kproof_checker.conformance.court import Court
from kproof_impl.events import Event

ROUNDS = 200
NEEDED = 10_000
"""Events in a second."""


def rebalances(rounds: int, members: int) -> list[Event]:
    """A group of so many members, one of which is replaced by another in each round."""
    events: list[Event] = []
    broker = grouped(observe=events.append, group_initial_rebalance_delay_ms=0)
    consumers = [Consumer(broker) for _ in range(members)]
    settle(*consumers)
    for _ in range(rounds):
        consumers.pop(0).leave()
        consumers.append(Consumer(broker))
        settle(*consumers)
    return of_model(events, "group")


def commits(rounds: int) -> list[Event]:
    """Two members that commit."""
    events: list[Event] = []
    broker = grouped(observe=events.append)
    anna, bert = Consumer(broker), Consumer(broker)
    anna.enter(), bert.enter()
    broker.advance(3_000)
    settle(anna, bert)
    for offset in range(rounds * 5):
        anna.commit(offset)
        bert.commit(offset, partition=1)
    return of_model(events, "group")


def logs(rounds: int) -> list[Event]:
    """A log that is appended to and read; batches of one record, and segments of a hundred."""
    events: list[Event] = []
    broker = Stepper(observe=events.append)
    broker.topic("orders", configs={"segment.bytes": "8000"})
    for _ in range(rounds * 10):
        broker.produce("orders", b"x")
        broker.fetch_partition("orders", offset=broker.partition("orders").high_watermark - 1)
    return of_model(events, "log")


def of_model(events: list[Event], model: str) -> list[Event]:
    """The events of one model, numbered anew."""
    chosen = [event for event in events if event.model == model]
    for i, event in enumerate(chosen):
        event.sequence = i
    return chosen


def measure(title: str, events: list[Event]) -> bool:
    """Prints how fast the court follows them; whether that suffices."""
    court = Court()
    started = time.process_time()
    for event in events:
        court(event)
    rate = len(events) / (time.process_time() - started)
    print(f"{title:<34} {len(events):>9,} events {rate:>10,.0f} a second (needed: {NEEDED:,})")
    return rate >= NEEDED


def main() -> int:
    """Measures all; 1 if one of them is too slow."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS
    results = [
        measure("groups: 4 members, rebalances", rebalances(rounds, 4)),
        measure("groups: 50 members, rebalances", rebalances(max(rounds // 20, 1), 50)),
        measure("groups: commits", commits(rounds)),
        measure("logs: appends and reads", logs(rounds)),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
