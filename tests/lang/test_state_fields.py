"""What a state is made of: fields that check what they are given, containers, codes."""

from typing import Any

import pytest
from hypothesis import given

from kproof_spec.lang import (
    NONE,
    Machine,
    Misuse,
    Model,
    OutOfRange,
    Seq,
    SetOf,
    SpecError,
    Struct,
    choice,
    member,
    seq,
)
from strategies.effort import effort
from strategies.random_models import machine_of, sources
from strategies.toys import (
    MACHINE,
    Entry,
    Node,
    Offer,
    Phase,
    Rank,
    Toy,
    entry,
    fresh,
    model_of,
    node,
)


def test_fields_begin_with_their_initial_values() -> None:
    assert repr(fresh()) == (
        "Toy(n=0, m=0, f=False, phase=BEGIN, who=NONE, rank=NONE, "
        "entry=Entry(x=0, who=NONE), nodes={}, offers={}, log=[], wide=[], row=[], "
        "by={n0: 0, n1: 0}, was=False)"
    )


WRONG: dict[str, Any] = {
    "too large": lambda s: setattr(s, "n", 4),
    "too small": lambda s: setattr(s, "n", -1),
    "a truth value as a number": lambda s: setattr(s, "n", True),
    "a number as a truth value": lambda s: setattr(s, "f", 1),
    "a number as an enum": lambda s: setattr(s, "phase", 1),
    "another sort": lambda s: setattr(s, "who", Rank.numbered(0)),
    "None": lambda s: setattr(s, "who", None),
    "another struct": lambda s: setattr(s, "entry", Offer(members=SetOf(), version=0)),
    "a wrong field inside": lambda s: setattr(s, "entry", Entry(x=7, who=NONE)),
    "too long": lambda s: setattr(s, "log", Seq([entry()] * 3)),
    "one too many": lambda s: [s.row.append(0) for _ in range(3)],
    "a wrong element": lambda s: s.row.append(3),
    "a wrong element in a table": lambda s: s.by.__setitem__(node(0), 3),
    "NONE as a member": lambda s: s.nodes.add(NONE),
    "a struct that cannot be a member": lambda s: s.offers.add(Offer(members=SetOf(), version=2)),
    "truncation beyond the end": lambda s: s.log.truncate(1),
    "truncation below zero": lambda s: s.log.truncate(-1),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_value_out_of_range_is_refused_and_changes_nothing(name: str) -> None:
    def act(s: Toy) -> None:
        s.m = 1
        WRONG[name](s)

    machine = model_of(act).closed()
    state = machine.initial_state()
    before = machine.codes(state)

    with pytest.raises(OutOfRange):
        machine.step(state, "act")

    assert machine.codes(state) == before
    assert machine.store_of(state).journal == []


OUTSIDE: dict[str, Any] = {
    "index": lambda s: s.log[0],
    "negative index": lambda s: s.log[-1],
    "last": lambda s: s.log.last,
    "pop": lambda s: s.log.pop_first(),
    "replace": lambda s: s.log.__setitem__(0, entry()),
    "key": lambda s: s.by[NONE],
}


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_is_not_there_is_a_specification_error(name: str) -> None:
    with pytest.raises(SpecError):
        OUTSIDE[name](fresh())


# Containers


def test_a_set_of_structs_goes_by_value_and_comes_in_order() -> None:
    s = fresh()
    offers = [Offer(members=SetOf(m), version=v) for v in (1, 0) for m in ([node(1)], [node(0)])]

    for offer in (*offers, *offers):
        s.offers.add(offer)

    assert s.offers.size == 4
    assert [(o.members.size, o.version) for o in s.offers] == [(1, 0), (1, 1), (1, 0), (1, 1)]
    assert Offer(members=SetOf([node(1)]), version=1) in s.offers
    s.offers.remove(Offer(members=SetOf([node(1)]), version=1))
    assert s.offers.size == 3


def test_set_algebra_is_that_of_pythons_sets() -> None:
    both, one, none = SetOf([node(0), node(1)]), SetOf([node(1)]), SetOf[Node]()

    assert both | one == both
    assert both & one == one
    assert both - one == SetOf([node(0)])
    assert none <= one <= both >= one
    assert not both <= one
    assert one.including(node(0)) == both
    assert both.excluding(node(0)) == one
    assert none.is_empty
    assert [*both] == [node(0), node(1)]


def test_sets_that_range_over_different_things_do_not_mix() -> None:
    s = fresh()

    for mix in (
        lambda: s.nodes | SetOf([NONE]),
        lambda: s.nodes == SetOf([NONE]),
        lambda: s.nodes.including(NONE),
    ):
        with pytest.raises(OutOfRange, match="cannot be in"):
            mix()


def test_an_enum_field_may_begin_with_any_member() -> None:
    class Weekend(Struct):
        phase: Phase = choice(Phase, default=Phase.END)

    assert Model("weekend", Weekend).closed().initial_state().phase is Phase.END


def test_a_sequence_of_symmetric_ids_has_no_first_id_in_its_empty_slots() -> None:
    class Queue(Struct):
        waiting: Seq[Node] = seq(member(Node), 2)

    with pytest.raises(Misuse, match="Declare it with `maybe`"):
        Model("queue", Queue).closed()


# Codes


@effort(40)
@given(sources())
def test_codes_are_read_back_and_unused_slots_hold_what_they_held_at_first(source: str) -> None:
    machine: Machine[Any] = machine_of(source)
    codes = machine.initial_codes()[0]
    for _ in range(8):
        assert machine.codes(machine.load(codes)) == codes
        assert all(
            leaf.domain.low <= code <= leaf.domain.high
            for leaf, code in zip(machine.leaves, codes, strict=True)
        )
        try:
            codes = next((after for _, after in machine.successors(codes) if after != codes), codes)
        except SpecError:
            return


def test_states_with_the_same_content_have_the_same_codes_whatever_came_before() -> None:
    s, other = fresh(), fresh()
    s.log.append(entry(2))
    s.log.append(entry(1))
    s.log.truncate(0)
    s.offers.add(Offer(members=SetOf(), version=0))
    s.offers.remove(Offer(members=SetOf(), version=0))
    s.log.append(entry(1))
    s.log.pop_first()

    assert MACHINE.codes(s) == MACHINE.codes(other)
