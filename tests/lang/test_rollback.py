"""A refused step leaves no trace: whatever it did, the state is as it was."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kproof_spec.lang import NONE, Disabled, SetOf, SpecError
from strategies.effort import effort
from strategies.toys import Entry, Node, Offer, Phase, Toy, model_of

Change = Callable[[Toy, int], Any]

NODES = [Node.numbered(0), Node.numbered(1), NONE]

CHANGES: dict[str, Change] = {
    "n": lambda s, k: setattr(s, "n", k % 4),
    "flag": lambda s, k: setattr(s, "f", k % 2 == 0),
    "phase": lambda s, k: setattr(s, "phase", list(Phase)[k % 3]),
    "who": lambda s, k: setattr(s, "who", NODES[k % 3]),
    "entry": lambda s, k: setattr(s, "entry", Entry(x=k % 3, who=NODES[k % 3])),
    "inside": lambda s, k: setattr(s.entry, "x", k % 3),
    "add": lambda s, k: s.nodes.add(NODES[k % 2]),
    "remove": lambda s, k: s.nodes.remove(NODES[k % 2]),
    "new set": lambda s, k: setattr(s, "nodes", SetOf([NODES[k % 2]])),
    "offer": lambda s, k: s.offers.add(Offer(members=s.nodes, version=k % 2)),
    "withdraw": lambda s, k: s.offers.remove(Offer(members=s.nodes, version=k % 2)),
    "append": lambda s, k: s.log.append(Entry(x=k % 3, who=NODES[k % 3])),
    "append the entry": lambda s, k: s.log.append(s.entry),
    "change an element": lambda s, k: setattr(s.log[k % 2], "x", k % 3),
    "replace an element": lambda s, k: s.log.__setitem__(k % 2, s.entry),
    "truncate": lambda s, k: s.log.truncate(k % 3),
    "pop": lambda s, k: s.log.pop_first(),
    "copy": lambda s, k: setattr(s, "wide", s.log),
    "copy back": lambda s, k: setattr(s, "log", s.wide),
    "row": lambda s, k: s.row.append(k % 4),
    "set in row": lambda s, k: s.row.__setitem__(k % 2, k % 3),
    "table": lambda s, k: s.by.__setitem__(NODES[k % 3], k % 3),
}

programs = st.lists(st.tuples(st.sampled_from(list(CHANGES)), st.integers(0, 11)), max_size=12)


def parts(s: Toy) -> list[int]:
    """Which objects the state is made of."""
    return [id(part) for part in (s.entry, s.nodes, s.offers, s.log, s.wide, s.row, s.by, *s.log)]


@effort(300)
@given(programs, programs)
def test_a_step_that_is_refused_or_fails_is_taken_back_exactly(
    before: list[tuple[str, int]], after: list[tuple[str, int]]
) -> None:
    program = before

    def act(s: Toy) -> None:
        for name, k in program:
            CHANGES[name](s, k)

    def act_and_refuse(s: Toy) -> None:
        act(s)
        raise Disabled

    machine = model_of(act, act_and_refuse).closed()
    state = machine.initial_state()
    for step in before:
        program = [step]
        with suppress(SpecError):
            machine.step(state, "act")
    codes, text, objects = machine.codes(state), repr(state), parts(state)
    program = after

    with suppress(SpecError):
        assert machine.step(state, "act_and_refuse") is False

    assert machine.codes(state) == codes
    assert repr(state) == text
    assert parts(state) == objects
    assert machine.store_of(state).journal == []
    program = [("append the entry", 0)] if state.log.has_room else [("truncate", 0)]
    assert machine.step(state, "act")


@effort(100)
@given(programs)
def test_a_look_that_is_rolled_back_gives_the_successor_of_a_step(
    program: list[tuple[str, int]],
) -> None:
    def act(s: Toy) -> None:
        for name, k in program:
            CHANGES[name](s, k)

    machine = model_of(act).closed()
    state = machine.initial_state()
    (instance,) = machine.instances
    try:
        machine.attempt(state, instance.definition, {})
    except SpecError:
        return
    looked = machine.codes(state)
    machine.store_of(state).rollback()

    assert machine.codes(state) == machine.initial_codes()[0]
    assert machine.step(state, "act")
    assert machine.codes(state) == looked
    assert machine.codes(machine.load(looked)) == looked
