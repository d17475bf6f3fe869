"""The broker's logs are followed by the model, and whatever is not so is refused."""

from collections.abc import Callable
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from impl_support.stepping import Stepper
from kproof_checker.conformance.court import Court
from kproof_checker.conformance.lockstep import Divergence
from kproof_impl.events import Event
from kproof_impl.storage.faulty_files import FaultyFiles

CONFIGS = {
    "segment.bytes": "300",
    "retention.ms": "5000",
    "file.delete.delay.ms": "0",
    "message.timestamp.type": "CreateTime",
}


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
    assert "read" in actions


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


def lies(events: list[Event]) -> list[tuple[str, list[Event]]]:
    """The recording with one thing wrong, in every way at every place, and what is wrong."""
    wrong = []
    for i, event in enumerate(events):
        if event.action != "read":  # That nobody read is never wrong.
            left_out = [
                *events[:i],
                *(replace(e, sequence=e.sequence - 1) for e in events[i + 1 :]),
            ]
            wrong.append((f"without {event.action} {i}", left_out))
        for name in ("log_start_offset", "high_watermark", "log_end_offset"):
            if event.action != "read":
                lie = altered(event, "state", name, lambda n: n + 1)
                wrong.append(
                    (f"{name} of {event.action} {i}", [*events[:i], lie, *events[i + 1 :]])
                )
        if event.action == "append":
            lie = altered(event, "parameters", "base_offset", lambda n: n - 1)
            wrong.append((f"base offset {i}", [*events[:i], lie, *events[i + 1 :]]))
        if event.action == "read":
            lie = altered(event, "parameters", "end_offset", lambda n: n + 1)
            wrong.append((f"read too far {i}", [*events[:i], lie, *events[i + 1 :]]))
            lie = altered(event, "parameters", "offset", lambda _: -1)
            wrong.append((f"read below the start {i}", [*events[:i], lie, *events[i + 1 :]]))
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
    events[place] = altered(events[place], "parameters", "base_offset", lambda n: n + 1)

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
