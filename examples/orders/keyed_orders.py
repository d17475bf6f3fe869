"""Orders through a topic of three partitions: the story that Kafka's design is told with.

Each order is created, paid, shipped and delivered.  Its four events have its name for a key, so
they are in one partition, in this order.  Three processes of one group share the partitions; a
fourth has nothing to do until one of the three is killed with kill -9, and its partition is taken
over at the offset that it had committed last.  A second group reads the same topic from the start
and neither knows nor disturbs the first.

    python examples/orders/keyed_orders.py
    python examples/orders/keyed_orders.py --bootstrap 127.0.0.1:9092

Without an address it starts kproof's own broker.  It tells what happens, checks that all of it is
as it should be, and ends with 1 if anything is not.  It needs confluent-kafka.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from typing import Any, NamedTuple

try:
    from confluent_kafka import Consumer, KafkaException, Producer
    from confluent_kafka.admin import AdminClient
    from confluent_kafka.cimpl import NewTopic
except ImportError:
    raise SystemExit("This needs a Kafka client for Python: pip install confluent-kafka") from None

STEPS = ("created", "paid", "shipped", "delivered")
PARTITIONS = 3
ORDERS = 60
SECONDS_MAX = 60
"""How long anything may take before the story is given up."""
OWN_SESSION_MS = 1_500
"""How long our own broker waits for a member that is silent; others accept 6 seconds or more."""
OTHER_SESSION_MS = 6_000


class Event(NamedTuple):
    """A record of the topic, as a process handled it."""

    partition: int
    offset: int
    order: str
    step: str


# -- a process of a group ------------------------------------------------------------------------


def work(given: argparse.Namespace) -> None:
    """What a member does: it handles events, and then commits them; each is a line of JSON."""
    config: dict[str, Any] = {
        "bootstrap.servers": given.bootstrap,
        "group.id": given.group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        "partition.assignment.strategy": "cooperative-sticky",
        "session.timeout.ms": given.session_ms,
        "heartbeat.interval.ms": given.session_ms // 6,
        "log_level": 4,  # Warnings.
    }
    consumer = Consumer(config)
    consumer.subscribe([given.topic])
    told: list[int] | None = None
    waiting: dict[int, int] = {}
    while True:
        for message in consumer.consume(20, 0.1):
            if message.error() is None:
                partition, offset = message.partition() or 0, message.offset() or 0
                waiting[partition] = offset + 1
                event = Event(partition, offset, _text(message.key()), _text(message.value()))
                _tell(handled=event)
        assigned = sorted(one.partition for one in consumer.assignment())
        if assigned != told and consumer.memberid():
            _tell(assigned=assigned)
            told = assigned
        if waiting:
            try:
                consumer.commit(asynchronous=False)
            except KafkaException:  # The group shares its partitions anew: later, or not at all.
                _tell(uncommitted=sorted(waiting.items()))
                waiting = {p: offset for p, offset in waiting.items() if p in assigned}
            else:
                _tell(committed=sorted(waiting.items()))
                waiting = {}


def _tell(**what: object) -> None:
    print(json.dumps(what), flush=True)


def _text(data: str | bytes | None) -> str:
    return data if isinstance(data, str) else (data or b"").decode()


class Member:
    """A process of a group, and what it has told so far."""

    def __init__(self, name: str, group: str, given: argparse.Namespace) -> None:
        self.name = name
        self.assigned: list[int] | None = None
        """None until it has been told by its group."""
        self.handled: list[Event] = []
        self.committed: dict[int, int] = {}
        """By partition, the offset up to which the broker has said that it is kept."""
        self.uncommitted: set[tuple[int, int]] = set()
        """What was handled and could not be committed: it may be handled again."""
        command = [sys.executable, __file__, "--member", "--bootstrap", given.bootstrap]
        command += ["--topic", given.topic, "--group", group]
        command += ["--session-ms", str(given.session_ms)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with suppress(ValueError):  # A line that kill -9 cut off.
                told = json.loads(line)
                if "assigned" in told:
                    self.assigned = told["assigned"]
                elif "handled" in told:
                    self.handled.append(Event(*told["handled"]))
                elif "committed" in told:
                    self.committed.update(told["committed"])
                else:
                    self._note_uncommitted(dict(told["uncommitted"]))

    def _note_uncommitted(self, ends: dict[int, int]) -> None:
        for event in self.handled:
            partition, offset = event.partition, event.offset
            if self.committed.get(partition, 0) <= offset < ends.get(partition, 0):
                self.uncommitted.add((partition, offset))

    def kill(self) -> None:
        """kill -9: no good-bye to the group."""
        self.process.kill()
        self.process.wait()
        self.thread.join()
        if self.process.stdout is not None:
            self.process.stdout.close()


def create_topic(given: argparse.Namespace) -> None:
    """A topic of three partitions."""
    admin = AdminClient({"bootstrap.servers": given.bootstrap})
    admin.create_topics([NewTopic(given.topic, PARTITIONS, 1)])[given.topic].result(timeout=30)


def send(given: argparse.Namespace, events: Iterator[tuple[str, str]]) -> None:
    """Sends orders and steps, the order as the key, and waits for all acknowledgements."""
    producer = Producer({"bootstrap.servers": given.bootstrap, "enable.idempotence": True})
    for order, step in events:
        producer.produce(given.topic, step, order)
        producer.poll(0)
    if producer.flush(SECONDS_MAX):
        raise RuntimeError("not every event was acknowledged")


# -- the story -----------------------------------------------------------------------------------


def events_of(orders: Sequence[str]) -> Iterator[tuple[str, str]]:
    """All orders' events, those of ten orders mixed, without haste."""
    for start in range(0, len(orders), 10):
        for step in STEPS:
            for order in orders[start : start + 10]:
                yield order, step
                time.sleep(0.005)


def wait_for(what: str, is_so: Callable[[], bool]) -> float:
    """Waits; how many seconds it took.  Raises `TimeoutError` where it does not come about."""
    started = time.monotonic()
    while not is_so():
        if time.monotonic() - started > SECONDS_MAX:
            raise TimeoutError(f"waited {SECONDS_MAX} s in vain until {what}")
        time.sleep(0.02)
    return time.monotonic() - started


def shares(members: Sequence[Member]) -> list[list[int]]:
    """What each has, those with nothing last; empty if one does not know yet."""
    if any(member.assigned is None for member in members):
        return []
    return sorted((m.assigned or [] for m in members), key=lambda share: (not share, share))


def disorders(who: str, handled: Sequence[Event], orders: Sequence[str]) -> list[str]:
    """Orders whose events did not come in order, or not all of them, the first time each came."""
    came: dict[str, list[str]] = defaultdict(list)
    places: dict[str, set[int]] = defaultdict(set)
    for event in handled:
        places[event.order].add(event.partition)
        if event.step not in came[event.order]:
            came[event.order].append(event.step)
    found = [f"{who}: {o} came as {came[o]}" for o in orders if tuple(came[o]) != STEPS]
    found += [
        f"{who}: {o} is in partitions {sorted(places[o])}" for o in orders if len(places[o]) > 1
    ]
    return found


def repeats(members: Sequence[Member], lost: Member) -> tuple[int, list[str]]:
    """How many events were handled again, and those that should not have been: all but those
    that were handled and not committed."""
    times: dict[tuple[int, int], int] = defaultdict(int)
    for member in members:
        for event in member.handled:
            times[event.partition, event.offset] += 1
    may = {place for member in members for place in member.uncommitted}
    for event in lost.handled:
        if event.offset >= lost.committed.get(event.partition, 0):
            may.add((event.partition, event.offset))
    again = [place for place, count in times.items() if count > 1]
    wrong = [
        f"partition {place[0]} offset {place[1]} was committed, and handled {times[place]} times"
        for place in again
        if place not in may
    ]
    return len(again), wrong


def tell(given: argparse.Namespace, stack: ExitStack) -> list[str]:
    """The story.  What was not as it should be."""
    create_topic(given)
    orders = [f"order-{number:03}" for number in range(ORDERS)]
    half = len(orders) // 2
    print(f"Topic {given.topic} has {PARTITIONS} partitions. {half} orders are sent: each is")
    print(f"{', '.join(STEPS)}; its name is the key, so its events share a partition.")
    send(given, events_of(orders[:half]))

    def started(name: str, group: str) -> Member:
        member = Member(name, group, given)
        stack.callback(member.kill)
        return member

    members = [started(name, "fulfilment") for name in ("Ada", "Ben", "Cleo")]
    wait_for("each of three has one partition", lambda: shares(members) == [[0], [1], [2]])
    print("\nThree processes of group fulfilment share them:")
    for member in members:
        print(f"  {member.name} has partition {member.assigned}")
    members.append(started("Dan", "fulfilment"))
    wait_for("a fourth has nothing", lambda: shares(members) == [[0], [1], [2], []])
    idle = next(member for member in members if not member.assigned)
    print(f"A fourth comes, and {idle.name} is idle: there are no more partitions.")

    lost = next(member for member in members if member.assigned == [1])
    rest = [member for member in members if member is not lost]
    sending = threading.Thread(target=send, args=(given, events_of(orders[half:])))
    sending.start()
    stack.callback(sending.join)
    wait_for("it works on new events, and commits", lambda: 1 in lost.committed)
    lost.kill()
    print(f"\nWhile {len(orders) - half} more orders come, {lost.name} is killed: kill -9.")
    seconds = wait_for("its partition is taken over", lambda: shares(rest) == [[0], [1], [2]])
    heir = next(member for member in rest if member.assigned == [1])
    print(f"{seconds:.1f} s later partition [1] is {heir.name}'s.")

    auditor = started("Eve", "audit")
    print("\nEve of group audit reads the topic from the start, by herself.")
    total = len(orders) * len(STEPS)

    def handled_by(group: Sequence[Member]) -> list[Event]:
        return [event for member in group for event in list(member.handled)]

    def is_all(group: Sequence[Member]) -> bool:
        return len({(e.order, e.step) for e in handled_by(group)}) == total

    sending.join()
    wait_for("the audit has everything", lambda: is_all([auditor]))
    wait_for("the fulfilment has everything", lambda: is_all([lost, *rest]))

    inherited = [event.offset for event in heir.handled if event.partition == 1]
    begun, kept = min(inherited, default=-1), lost.committed.get(1, 0)
    # Killed between the broker's answer and its own word, it may have committed one batch more.
    known = {event.offset + 1 for event in lost.handled if event.partition == 1}
    faults = []
    if begun != kept and begun not in known:
        faults.append(f"partition 1 was taken over at {begun}, though {kept} was committed")
    print(f"{heir.name} went on with partition [1] at offset {begun}.")
    everything = [*lost.handled, *handled_by(rest)]
    count, wrong = repeats([lost, *rest], lost)
    faults += wrong
    faults += disorders("fulfilment", everything, orders)
    faults += disorders("audit", auditor.handled, orders)
    first = {
        p: min(e.offset for e in auditor.handled if e.partition == p) for p in range(PARTITIONS)
    }
    if set(first.values()) != {0}:
        faults.append(f"audit began at {first}, not at the start")
    if len(auditor.handled) != total:
        faults.append(f"audit read {len(auditor.handled)} events, and there are {total}")
    if not faults:
        print(f"\nAll {len(orders)} orders were {', '.join(STEPS)}, in this order, in both groups;")
        print(f"events handled twice, for want of a commit in time: {count}.")
    return faults


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--bootstrap", default="", help="a broker's address; else one is started")
    parser.add_argument("--topic", default=f"orders-{uuid.uuid4().hex[:6]}", help="a new topic")
    parser.add_argument("--session-ms", type=int, default=OTHER_SESSION_MS)
    parser.add_argument("--member", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--group", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.member:
        work(given)
        return 0
    with ExitStack() as stack:
        if not given.bootstrap:
            from kproof_impl import Broker  # noqa: PLC0415 - only if it is needed
            from kproof_impl.core.config import BrokerConfig  # noqa: PLC0415 - likewise

            settings = BrokerConfig(group_min_session_timeout_ms=OWN_SESSION_MS)
            broker = stack.enter_context(Broker(settings=settings))
            given.bootstrap, given.session_ms = broker.bootstrap_servers, OWN_SESSION_MS
        print(f"The broker is at {given.bootstrap}.")
        try:
            faults = tell(given, stack)
        except TimeoutError as late:
            faults = [str(late)]
    for fault in faults:
        print(f"NOT AS IT SHOULD BE: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
