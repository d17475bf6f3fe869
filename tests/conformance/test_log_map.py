"""The broker's logs are followed by the model, and whatever is not so is refused."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from impl_support.stepping import Stepper
from kproof_checker.conformance import log_counting
from kproof_checker.conformance.court import Court
from kproof_checker.conformance.lockstep import Divergence
from kproof_checker.conformance.log_map import LogFollower
from kproof_impl.events import Event
from kproof_impl.storage.faulty_files import FaultyFiles

CONFIGS = {
    "segment.bytes": "300",
    "retention.ms": "5000",
    "file.delete.delay.ms": "0",
    "message.timestamp.type": "CreateTime",
}

LOOKS = {"read", "fetch"}
"""Events that change nothing: that nobody looked is never wrong."""


def recorded(files: Any = None) -> list[Event]:
    """What a broker tells that appends, rolls, deletes by every reason, reads and starts again."""
    events: list[Event] = []
    broker = Stepper(files=files, observe=events.append)
    broker.config.log_retention_check_interval_ms = 1000
    broker.topic("orders", configs=CONFIGS)
    for number in range(12):
        broker.produce("orders", *[b"%d" % number] * (1 + number % 3))
        broker.advance(700)
        broker.fetched("orders", offset=broker.partition("orders").log_start_offset)
    broker.partition("orders").delete_records(broker.partition("orders").high_watermark - 1)
    broker.restart()
    broker.produce("orders", b"after a clean stop")
    broker.crash()
    broker.produce("orders", b"after a kill")
    broker.advance(60_000_000)
    return events


def judged(events: list[Event]) -> int:
    """How many events the court has followed."""
    court = Court()
    for event in events:
        court(event)
    return court.events_count


def test_a_broker_is_followed_through_all_that_happens_to_a_log() -> None:
    events = recorded()

    assert judged(events) == len(events)
    actions = {event.action for event in events}
    assert actions >= {"open", "append", "roll", "flush", "delete_records", "delete_segments"}
    assert actions >= LOOKS


def test_a_broker_is_followed_through_losses_of_power() -> None:
    losses = 0
    for seed in range(40):
        events: list[Event] = []
        broker = Stepper(files=FaultyFiles(Random(seed)), observe=events.append)
        broker.topic("orders", configs={"segment.bytes": "200"})
        for life in range(3):
            for _ in range(life + 3):
                broker.produce("orders", b"x" * 20)
            end = broker.partition("orders").log_end_offset
            broker.lose_power()
            losses += broker.partition("orders").log_end_offset < end
        assert judged(events) == len(events)
    assert losses > 10


def altered(event: Event, where: str, name: str, change: Callable[[Any], Any]) -> Event:
    """The event with one number changed."""
    values = {name: change(getattr(event, where)[name])}
    if where == "state":
        return replace(event, state=event.state | values)
    return replace(event, parameters=event.parameters | values)


def more(number: int) -> int:
    return number + 1


def less(number: int) -> int:
    return number - 1


READ_LIES: list[tuple[str, Callable[[int], int]]] = [
    ("end_offset", more),
    ("offset", lambda _: -1),
    ("base_offset", more),
    ("base_offset", less),
    ("next_offset", more),
    ("checksum", more),
]
FETCH_LIES: list[tuple[str, Callable[[int], int]]] = [
    ("offset", lambda _: -1),
    ("offset", lambda offset: offset + 10**6),
    ("error", lambda _: 1),
    ("log_start_offset", more),
    ("high_watermark", more),
    ("high_watermark", less),
    ("last_stable_offset", more),
]


def lies(events: list[Event]) -> list[tuple[str, list[Event]]]:
    """The recording with one thing wrong, in every way at every place, and what is wrong."""
    wrong = []
    for i, event in enumerate(events):
        if event.action not in LOOKS:
            left_out = [
                *events[:i],
                *(replace(e, sequence=e.sequence - 1) for e in events[i + 1 :]),
            ]
            wrong.append((f"without {event.action} {i}", left_out))
        for name in ("log_start_offset", "high_watermark", "log_end_offset"):
            lie = altered(event, "state", name, more)
            wrong.append((f"{name} of {event.action} {i}", [*events[:i], lie, *events[i + 1 :]]))
        if event.action == "append":
            lie = altered(event, "parameters", "base_offset", less)
            wrong.append((f"base offset {i}", [*events[:i], lie, *events[i + 1 :]]))
        if event.action == "read":
            for name, change in READ_LIES:
                lie = altered(event, "parameters", name, change)
                wrong.append((f"{name} of read {i}", [*events[:i], lie, *events[i + 1 :]]))
        if event.action == "fetch":
            for name, change in FETCH_LIES:
                lie = altered(event, "parameters", name, change)
                wrong.append((f"{name} of fetch {i}", [*events[:i], lie, *events[i + 1 :]]))
        if event.action == "delete_segments" and event.parameters["now_ms"] > 0:
            lie = altered(event, "parameters", "now_ms", lambda n: n - 10**9)
            wrong.append((f"deleted early {i}", [*events[:i], lie, *events[i + 1 :]]))
    return wrong


def is_refused(events: list[Event]) -> bool:
    try:
        judged(events)
    except Divergence:
        return True
    return False


def restarts_between(events: list[Event]) -> list[Event]:
    """One life of the broker only: the sequence numbers of a recording begin once."""
    return events[: next((i for i, e in enumerate(events) if i and e.sequence == 0), len(events))]


@pytest.mark.heavy
def test_a_recording_with_anything_wrong_is_refused() -> None:
    wrong = lies(restarts_between(recorded()))
    accepted = [what for what, events in wrong if not is_refused(events)]

    # A flush that nobody told leaves the model knowing less, which is no lie until a crash; and
    # what a log's last step leaves out, nothing after it can miss.
    assert [what for what in accepted if not what.startswith("without ")] == []
    assert {what.split()[1] for what in accepted} <= {"open", "flush", "delete_segments"}
    assert len(wrong) > 100


def test_a_refusal_says_what_was_seen_and_what_the_specification_wants() -> None:
    events = recorded()
    place = next(i for i, event in enumerate(events) if event.action == "append")
    events[place] = altered(events[place], "parameters", "base_offset", more)

    with pytest.raises(Divergence) as caught:
        judged(events)

    assert "was given base offset 1, and the log ended at 0" in caught.value.reason
    assert "log_end_offset = 0" in caught.value.state


def test_a_step_that_the_specification_does_not_allow_is_explained_by_its_guard() -> None:
    events = recorded()
    place = next(i for i, event in enumerate(events) if event.action == "roll")
    twice = [*events[: place + 1], replace(events[place], sequence=events[place].sequence + 1)]

    with pytest.raises(Divergence, match="leader_roll") as caught:
        judged(twice)

    assert "require(active_base_offset(s) < s.log_end_offset)" in caught.value.reason


# -- batches are what the model counts ---------------------------------------------------------


class RecordByRecord(LogFollower):
    """The slow twin: each offset is a record of the model, always."""

    def follow(self, event: Event) -> None:
        super().follow(event)
        self._place(range(self._units.end + 1))


def eventful(seed: int) -> list[Event]:
    """What a broker tells of one log with batches of all sizes, in three lives."""
    chance = Random(seed)
    events: list[Event] = []
    broker = Stepper(files=FaultyFiles(Random(seed)), observe=events.append)
    broker.config.log_retention_check_interval_ms = 1000
    broker.topic("orders", configs=CONFIGS | {"segment.bytes": "700"})
    for _ in range(3):
        for _ in range(chance.randint(1, 30)):
            log = broker.partition("orders")
            match chance.randrange(8):
                case 0:
                    offset = chance.randint(log.log_start_offset, log.high_watermark)
                    log.delete_records(offset)
                case 1:
                    log.log.flush()
                case 2:
                    broker.advance(chance.randint(0, 3000))
                case 3 | 4:
                    broker.fetch_partition("orders", offset=chance.randint(0, log.high_watermark))
                case _:
                    broker.produce("orders", *[b"x"] * chance.choice([1, 1, 2, 20]))
        chance.choice([broker.lose_power, broker.crash, broker.restart])()
    subject = next(e.subject for e in events if e.action == "delete_records" or e.model == "log")
    return [event for event in events if event.subject == subject]


@pytest.mark.parametrize("first", range(0, 60, 20))
def test_batches_and_joined_batches_are_followed_as_their_records_are(
    first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_counting, "TIDY_MIN", 2)
    for seed in range(first, first + 20):
        quick, slow = LogFollower(), RecordByRecord()
        for event in eventful(seed):
            quick.follow(event)
            slow.follow(event)
            assert quick.summary() == slow.summary()


def test_a_follower_stays_small_and_its_report_has_the_offsets_of_the_broker() -> None:
    events: list[Event] = []
    broker = Stepper(observe=events.append)
    broker.topic("orders", configs={"segment.bytes": "100000"})
    for _ in range(2000):
        broker.produce("orders", *[b"x"] * 10)
        if broker.partition("orders").log_end_offset % 1000 == 0:
            broker.partition("orders").log.flush()
    subject = str(broker.broker.topics.by_name["orders"].topic_id) + "-0"
    follower = LogFollower()
    for event in events:
        if event.subject == subject:
            follower.follow(event)

    assert len(follower._units) < 1000
    event = next(e for e in events if e.subject == subject and e.action == "append")
    wrong = replace(event, action="delete_records", parameters={"offset": 20_001})
    with pytest.raises(Divergence) as caught:
        follower.follow(wrong)
    assert "offset <= s.high_watermark" in caught.value.reason
    assert "20,001" in caught.value.reason or "20001" in caught.value.reason


def test_a_crash_leaves_whole_batches_only() -> None:
    events: list[Event] = []
    broker = Stepper(observe=events.append)
    broker.topic("orders")
    broker.produce("orders", b"a", b"b", b"c")
    broker.crash()
    subject = str(broker.broker.topics.by_name["orders"].topic_id) + "-0"
    *before, opened = [event for event in events if event.subject == subject]
    follower = LogFollower()
    for event in before:
        follower.follow(event)
    cut = {"high_watermark": 2, "log_end_offset": 2}

    with pytest.raises(Divergence, match="within the batch that begins at 0"):
        follower.follow(replace(opened, state=opened.state | cut))


def test_a_reader_that_is_given_other_bytes_is_noticed() -> None:
    broker = Stepper()
    broker.topic("orders")
    broker.produce("orders", b"a", b"b")
    log = broker.partition("orders").log
    read = log._log.read  # type: ignore[attr-defined]
    log._log.read = lambda *arguments: read(*arguments)[:-1] + b"x"  # type: ignore[attr-defined]

    with pytest.raises(Divergence, match="other bytes than were appended"):
        broker.fetch_partition("orders", offset=0)


def test_a_log_that_was_compacted_before_anybody_looked_may_have_gaps() -> None:
    state = {"log_start_offset": 0, "high_watermark": 11, "log_end_offset": 11}
    follower = LogFollower()
    opened = Event(0, 0, "log", "a-0", "open", {"recovery_point": 0}, state | {"segments": [0, 5]})
    follower.follow(opened)
    found = {"offset": 0, "end_offset": 11, "base_offset": 3, "next_offset": 4, "checksum": 1}

    follower.follow(Event(1, 0, "log", "a-0", "read", found, state))

    appended = {"base_offset": 11, "last_offset": 12, "crc": 7}
    later = {"log_start_offset": 0, "high_watermark": 13, "log_end_offset": 13}
    follower.follow(Event(2, 0, "log", "a-0", "append", appended, later))
    beyond = found | {"offset": 11, "end_offset": 13, "base_offset": 12, "next_offset": 13}
    with pytest.raises(Divergence, match="the batch with that offset begins at 11"):
        follower.follow(Event(3, 0, "log", "a-0", "read", beyond, later))
