"""Orders through a topic of three partitions: the story that Kafka's design is told with.

Each order is created, paid, shipped and delivered.  Its four events have its name for a key, so
they are in one partition, in this order.  Three processes of one group share the partitions; a
fourth has nothing to do until one of the three is killed with kill -9, and its partition is taken
over at the offset that it had committed last.  A second group reads the same topic from the start
and neither knows nor disturbs the first.

    python examples/orders/keyed_orders.py
    python examples/orders/keyed_orders.py --bootstrap 127.0.0.1:9092

Without an address it starts kproof's own broker.  It tells what happens, checks that all of it is
as it should be, and ends with 1 if anything is not.  It needs confluent-kafka or kafka-python.
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
from importlib import import_module
from importlib.util import find_spec
from typing import Any, NamedTuple, Protocol

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


# -- the two clients -----------------------------------------------------------------------------


class Client(Protocol):
    """What the story needs of a client library."""

    def create_topic(self, address: str, topic: str) -> None: ...

    def produce(self, address: str, topic: str, events: Iterator[tuple[str, str]]) -> None:
        """Sends orders and steps, the order as the key, and waits for all acknowledgements."""
        ...

    def consume(
        self, address: str, topic: str, group: str, session_ms: int
    ) -> Iterator[tuple[list[int], list[Event], Callable[[], None]]]:
        """As a member of a group, for ever: the partitions that are assigned, or [-1] before it is
        known; new events; and how to commit them."""
        ...


class Confluent:
    """confluent-kafka."""

    def create_topic(self, address: str, topic: str) -> None:
        from confluent_kafka.admin import AdminClient  # noqa: PLC0415 - if it is there
        from confluent_kafka.cimpl import NewTopic  # noqa: PLC0415 - likewise

        admin = AdminClient({"bootstrap.servers": address})
        admin.create_topics([NewTopic(topic, PARTITIONS, 1)])[topic].result(timeout=30)

    def produce(self, address: str, topic: str, events: Iterator[tuple[str, str]]) -> None:
        from confluent_kafka import Producer  # noqa: PLC0415 - likewise

        producer = Producer({"bootstrap.servers": address, "enable.idempotence": True})
        for order, step in events:
            producer.produce(topic, step, order)
            producer.poll(0)
        if producer.flush(SECONDS_MAX):
            raise RuntimeError("not every event was acknowledged")

    def consume(
        self, address: str, topic: str, group: str, session_ms: int
    ) -> Iterator[tuple[list[int], list[Event], Callable[[], None]]]:
        from confluent_kafka import Consumer  # noqa: PLC0415 - likewise

        config: dict[str, Any] = {
            "bootstrap.servers": address,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "partition.assignment.strategy": "cooperative-sticky",
            "session.timeout.ms": session_ms,
            "heartbeat.interval.ms": session_ms // 6,
            "log_level": 4,  # Warnings.
        }
        consumer = Consumer(config)
        is_known = [False]

        def on_assign(*_: object) -> None:
            is_known[0] = True

        def commit() -> None:
            consumer.commit(asynchronous=False)

        consumer.subscribe([topic], on_assign=on_assign)
        while True:
            messages = [m for m in consumer.consume(20, 0.1) if m.error() is None]
            events = [
                Event(m.partition() or 0, m.offset() or 0, _text(m.key()), _text(m.value()))
                for m in messages
            ]
            assigned = sorted(one.partition for one in consumer.assignment())
            yield assigned if is_known[0] else [-1], events, commit


class KafkaPython:
    """kafka-python."""

    def create_topic(self, address: str, topic: str) -> None:
        kafka: Any = import_module("kafka.admin")

        admin = kafka.KafkaAdminClient(bootstrap_servers=address)
        admin.create_topics([kafka.NewTopic(topic, PARTITIONS, 1)])
        admin.close()

    def produce(self, address: str, topic: str, events: Iterator[tuple[str, str]]) -> None:
        kafka: Any = import_module("kafka")
        producer = kafka.KafkaProducer(bootstrap_servers=address)
        waiting = [producer.send(topic, s.encode(), o.encode()) for o, s in events]
        for sent in waiting:
            sent.get(SECONDS_MAX)
        producer.close()

    def consume(
        self, address: str, topic: str, group: str, session_ms: int
    ) -> Iterator[tuple[list[int], list[Event], Callable[[], None]]]:
        kafka: Any = import_module("kafka")
        sticky: Any = import_module("kafka.coordinator.assignors.sticky.sticky_assignor")
        is_known = [False]

        class Listener(kafka.ConsumerRebalanceListener):  # type: ignore[misc] # It has no types.
            def on_partitions_revoked(self, revoked: object) -> None: ...

            def on_partitions_assigned(self, assigned: object) -> None:
                is_known[0] = True

        consumer = kafka.KafkaConsumer(
            bootstrap_servers=address,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            partition_assignment_strategy=[sticky.StickyPartitionAssignor],
            session_timeout_ms=session_ms,
            heartbeat_interval_ms=session_ms // 6,
        )
        consumer.subscribe([topic], listener=Listener())
        while True:
            records = consumer.poll(timeout_ms=100, max_records=20)
            events = [
                Event(r.partition, r.offset, _text(r.key), _text(r.value))
                for several in records.values()
                for r in several
            ]
            assigned = sorted(one.partition for one in consumer.assignment())
            yield assigned if is_known[0] else [-1], events, consumer.commit


def _text(data: str | bytes | None) -> str:
    return data if isinstance(data, str) else (data or b"").decode()


CLIENTS: dict[str, tuple[str, type[Client]]] = {
    "confluent-kafka": ("confluent_kafka", Confluent),
    "kafka-python": ("kafka", KafkaPython),
}


def client_of(name: str) -> Client:
    """The client of this name, or the first there is.  Ends the program if there is none."""
    for known, entry in CLIENTS.items():
        if name in ("", known) and find_spec(entry[0]) is not None:
            return entry[1]()
    wanted = name or " or ".join(CLIENTS)
    raise SystemExit(f"This needs a Kafka client for Python: pip install {wanted.split()[0]}")


# -- a process of a group ------------------------------------------------------------------------


def work(client: Client, given: argparse.Namespace) -> None:
    """What a member does: it handles events, and then commits them; each is a line of JSON."""
    before: list[int] = [-1]
    for assigned, events, commit in client.consume(
        given.bootstrap, given.topic, given.group, given.session_ms
    ):
        if assigned != before:
            print(json.dumps({"assigned": assigned}), flush=True)
            before = assigned
        for event in events:
            print(json.dumps({"handled": event}), flush=True)
        if events:
            commit()
            last = {event.partition: event.offset + 1 for event in events}
            print(json.dumps({"committed": sorted(last.items())}), flush=True)


class Member:
    """A process of a group, and what it has told so far."""

    def __init__(self, name: str, group: str, given: argparse.Namespace) -> None:
        self.name = name
        self.assigned: list[int] | None = None
        """None until it has been told by its group."""
        self.handled: list[Event] = []
        self.committed: dict[int, int] = {}
        command = [sys.executable, __file__, "--member", "--bootstrap", given.bootstrap]
        command += ["--topic", given.topic, "--group", group, "--client", given.client]
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
                else:
                    self.committed.update(told["committed"])

    def kill(self) -> None:
        """kill -9: no good-bye to the group."""
        self.process.kill()
        self.process.wait()
        self.thread.join()
        if self.process.stdout is not None:
            self.process.stdout.close()


# -- the story -----------------------------------------------------------------------------------


def events_of(orders: Sequence[str]) -> Iterator[tuple[str, str]]:
    """All orders' events, those of ten orders mixed, without haste."""
    for start in range(0, len(orders), 10):
        for step in STEPS:
            for order in orders[start : start + 10]:
                yield order, step
                time.sleep(0.002)


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


def repeats(handled: Sequence[Event], lost: Member) -> tuple[int, list[str]]:
    """How many events were handled again, and those that should not have been: all but those
    that the killed process had handled and not committed."""
    times: dict[tuple[int, int], int] = defaultdict(int)
    for event in handled:
        times[event.partition, event.offset] += 1
    again = [place for place, count in times.items() if count > 1]
    mine = {(event.partition, event.offset) for event in lost.handled}
    wrong = [
        f"partition {partition} offset {offset} was handled {times[partition, offset]} times"
        for partition, offset in again
        if (partition, offset) not in mine or offset < lost.committed.get(partition, 0)
    ]
    return len(again), wrong


def tell(given: argparse.Namespace, client: Client, stack: ExitStack) -> list[str]:
    """The story.  What was not as it should be."""
    client.create_topic(given.bootstrap, given.topic)
    orders = [f"order-{number:03}" for number in range(ORDERS)]
    half = len(orders) // 2
    print(f"Topic {given.topic} has {PARTITIONS} partitions. {half} orders are sent: each is")
    print(f"{', '.join(STEPS)}; its name is the key, so its events share a partition.")
    client.produce(given.bootstrap, given.topic, events_of(orders[:half]))

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
    wait_for("it has committed something", lambda: bool(lost.committed))
    sending = threading.Thread(
        target=client.produce, args=(given.bootstrap, given.topic, events_of(orders[half:]))
    )
    sending.start()
    stack.callback(sending.join)
    wait_for("it works on new events", lambda: bool(lost.handled))
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
    count, wrong = repeats(everything, lost)
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
        print(
            f"{count} events were handled twice: those not committed when {lost.name} was killed."
        )
    return faults


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--bootstrap", default="", help="a broker's address; else one is started")
    parser.add_argument("--client", default="", choices=["", *CLIENTS], help="the client to use")
    parser.add_argument("--topic", default=f"orders-{uuid.uuid4().hex[:6]}", help="a new topic")
    parser.add_argument("--session-ms", type=int, default=OTHER_SESSION_MS)
    parser.add_argument("--member", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--group", default="", help=argparse.SUPPRESS)
    given = parser.parse_args()
    client = client_of(given.client)
    if given.member:
        work(client, given)
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
            faults = tell(given, client, stack)
        except TimeoutError as late:
            faults = [str(late)]
    for fault in faults:
        print(f"NOT AS IT SHOULD BE: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
