"""The broker's groups are followed by the model, and whatever is not so is refused."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from impl_support.told_groups import Story
from kproof_checker.conformance.court import Court
from kproof_checker.conformance.group_map import GroupFollower
from kproof_checker.conformance.lockstep import Divergence
from kproof_impl.events import Event

ACTIONS = {name.removeprefix("_on_") for name in dir(GroupFollower) if name.startswith("_on_")}


@cache
def recorded() -> tuple[Event, ...]:
    return tuple(Story().tell())


def judged(events: Sequence[Event]) -> int:
    """How many events the court has followed."""
    court = Court()
    for event in events:
        court(event)
    return court.events_count


def is_refused(events: Sequence[Event]) -> bool:
    try:
        judged(events)
    except Divergence:
        return True
    return False


def test_a_broker_is_followed_through_all_that_happens_to_its_groups() -> None:
    events = recorded()

    assert judged(events) == len(events)
    groups = [event for event in events if event.model == "group"]
    assert {event.action for event in groups} == ACTIONS - {"resign", "lose_offsets"}
    values = {(e.action, k, repr(v)) for e in groups for k, v in e.parameters.items()}
    reasons = {v for a, k, v in values if (a, k) == ("remove_member", "reason")}
    assert reasons == {"'left'", "'session'", "'join'", "'sync'"}
    assert any((a, k) == ("complete_join", "missing") and v != "[]" for a, k, v in values)
    assert {v for a, k, v in values if (a, k) == ("replace_static_member", "is_stored")} == {
        "True",
        "False",
    }


# -- lies ------------------------------------------------------------------------------------------

OTHER = Event(
    0,
    0,
    "log",
    "another",
    "open",
    {"recovery_point": 0},
    {"log_start_offset": 0, "high_watermark": 0, "log_end_offset": 0, "segments": [0]},
)
"""What a broker has to do with something else, after what it had to do with a group."""
Lives = list[list[Event]]
Tried = tuple[Counter[str], Counter[str]]


def stories() -> dict[str, Lives]:
    """For each group what the lives of the broker have told of it."""
    found: dict[str, Lives] = {}
    life = 0
    for i, event in enumerate(recorded()):
        life += i > 0 and event.sequence == 0
        if event.model == "group":
            lives = found.setdefault(event.subject, [])
            lives += [[] for _ in range(life + 1 - len(lives))]
            lives[life].append(event)
    return found


def numbered(lives: Lives) -> list[Event]:
    return [replace(event, sequence=i) for life in lives for i, event in enumerate(life)]


def changes(value: Any) -> Iterator[Any]:
    """The value with one number or name in it changed, in every way."""
    match value:
        case bool():
            yield not value
        case int():
            yield value + 1
        case str():
            yield value + "x"
        case None:
            yield "x"
        case dict():
            for key, one in value.items():
                yield {k + "x" if k == key else k: v for k, v in value.items()}
                for changed in changes(one):
                    yield {**value, key: changed}
        case list():
            for i, one in enumerate(value):
                for changed in changes(one):
                    yield [*value[:i], changed, *value[i + 1 :]]


def altered(lives: Lives) -> Iterator[tuple[str, Lives]]:
    for i, life in enumerate(lives):
        for j, event in enumerate(life):
            if event.model == "log":
                continue
            for where in ("parameters", "state"):
                values: dict[str, Any] = getattr(event, where)
                for name, value in values.items():
                    for changed in changes(value):
                        lie = replace(event)
                        setattr(lie, where, {**values, name: changed})
                        told = [*life[:j], lie, *life[j + 1 :]]
                        yield f"{event.action} {name}", [*lives[:i], told, *lives[i + 1 :]]


def dropped(lives: Lives) -> Iterator[tuple[str, Lives]]:
    for i, life in enumerate(lives):
        for j, event in enumerate(life):
            if event.model == "log":
                continue
            yield event.action, [*lives[:i], [*life[:j], *life[j + 1 :]], *lives[i + 1 :]]


def swapped(lives: Lives) -> Iterator[tuple[str, Lives]]:
    for i, life in enumerate(lives):
        for j in range(len(life) - 1):
            told = [*life[:j], life[j + 1], life[j], *life[j + 2 :]]
            what = " ".join(sorted((life[j].action, life[j + 1].action)))
            yield what, [*lives[:i], told, *lives[i + 1 :]]


def tried(kind: Callable[[Lives], Iterator[tuple[str, Lives]]], is_numbered: bool) -> Tried:
    """How often each lie was told, and how often it was believed.

    Either the lie is in a recording, whose events have numbers; or in what a broker tells, which
    would number it like the rest.
    """
    told, believed = Counter[str](), Counter[str]()
    for story in stories().values():
        lives = story
        if is_numbered:
            lives = in_lives(numbered([[*life, OTHER] for life in story]))
        for what, lie in kind(lives):
            told[what] += 1
            events = [event for life in lie for event in life] if is_numbered else numbered(lie)
            if not is_refused(events):
                believed[what] += 1
    return told, believed


def in_lives(events: list[Event]) -> Lives:
    lives: Lives = []
    for event in events:
        if event.sequence == 0:
            lives.append([])
        lives[-1].append(event)
    return lives


@pytest.mark.heavy
def test_a_recording_with_anything_wrong_is_refused() -> None:
    told, believed = Counter[str](), Counter[str]()
    for kind in (altered, dropped, swapped):
        for counter, more in zip((told, believed), tried(kind, is_numbered=True), strict=True):
            counter.update({f"{kind.__name__} {what}": n for what, n in more.items()})

    # Who commits for a group without members may call itself anything; what is refused to one is
    # refused to another too; the share of a member that never asks for it is not seen; and what
    # members read is taken from a start as it is told.
    assert believed.keys() <= {
        "altered commit member",
        "altered commit instance",
        "altered commit_refused member",
        "altered commit_refused instance",
        "altered commit_refused generation_id",
        "altered leader_sync assignments",
        "altered heartbeat member",
        "altered heartbeat instance",
        "altered heartbeat generation_id",
        "altered load topics",
    }
    assert told.total() > 2_000
    assert believed.total() <= told.total() * 0.01


def test_a_broker_that_leaves_out_a_step_is_found_out() -> None:
    told, believed = tried(dropped, is_numbered=False)

    # What changes nothing in the group may happen or not: an answer, a refusal.  What comes last
    # in a life or a group is not missed by itself, but by the count of groups that are loaded.
    # And a commit that is written over before the next start leaves no trace in the fold.
    certain = told.keys() - {
        *("receive_join", "receive_assignment", "commit_refused", "commit", "load"),
        *("heartbeat", "member_sync"),
        *("remove_group", "store_empty", "rebalance", "member_rejoin"),
    }
    assert len(certain) > 8
    assert not [what for what in certain if believed[what]]
    assert believed["rebalance"] + believed["member_rejoin"] <= 3
    assert believed["commit"] < told["commit"] / 2


def test_steps_that_change_places_are_found_out_unless_they_are_independent() -> None:
    told, believed = tried(swapped, is_numbered=False)

    indifferent = {"receive_join", "receive_assignment", "commit", "commit_refused"}
    indifferent |= {"heartbeat", "member_sync"}
    dependent = {
        what: number
        for what, number in told.items()
        if not indifferent & set(what.split()) and len(set(what.split())) > 1
    }
    assert sum(dependent.values()) > 50
    assert {what for what in dependent if believed[what]} <= {"remove_offsets store_empty"}


def test_a_group_that_is_lost_at_a_start_is_missed() -> None:
    events = recorded()
    loads = [i for i, event in enumerate(events) if event.action == "load"]
    for i in loads:
        later = next(j for j in range(i, len(events)) if events[j].action == "loaded")
        without = [replace(e, sequence=e.sequence - 1) for e in events[i + 1 : later]]
        number = events[later].parameters["groups"] - 1
        told = replace(events[later], sequence=events[later].sequence - 1)
        told.parameters = {"groups": number}
        with pytest.raises(Divergence, match="not loaded: \\['"):
            judged([*events[:i], *without, told])


# -- what the broker may not do --------------------------------------------------------------------


def test_a_commit_of_an_old_generation_is_no_step() -> None:
    def is_fenced(event: Event) -> bool:
        return event.action == "commit_refused" and event.parameters["error"] == 22

    events = list(recorded())
    place = next(i for i, event in enumerate(events) if is_fenced(event))
    lie = dict(events[place].parameters, offsets={"orders-0": 9})
    del lie["error"]
    events[place] = replace(events[place], action="commit", parameters=lie)

    with pytest.raises(Divergence, match="should have been answered with ILLEGAL_GENERATION"):
        judged(events)


def test_an_assignment_before_the_leader_has_dealt_is_explained_by_the_guard() -> None:
    events = list(recorded())
    place = next(i for i, event in enumerate(events) if event.action == "member_sync")
    early = dict(events[place].parameters, assignment=0)
    events[place + 1] = replace(
        events[place], action="receive_assignment", parameters=early, sequence=place + 1
    )

    with pytest.raises(Divergence, match="member_receive_assignment") as caught:
        judged(events)

    assert "require(s.state == GroupState.STABLE)" in caught.value.reason
    assert "CompletingRebalance" in caught.value.state
