"""Values are copied into a state; what left the state cannot be written to any more."""

from typing import Any

import pytest

from kproof_spec.lang import (
    Model,
    Seq,
    SetOf,
    SpecError,
    Struct,
    nested,
    subset,
)
from strategies.toys import Offer, Toy, entry, fresh, model_of, node

# Values and places


def test_assignment_copies() -> None:
    s = fresh()
    s.entry = made = entry(1)
    s.log.append(s.entry)
    s.wide = s.log

    made.x = 2
    s.entry.x = 0
    s.log[0].x = 2

    assert (s.entry.x, s.log[0].x, s.wide[0].x) == (0, 2, 1)


def test_swapping_two_structs_exchanges_them() -> None:
    s = fresh()
    s.entry = entry(1)
    s.log.append(entry(2))

    s.entry, s.log[0] = s.log[0], s.entry

    assert (s.entry.x, s.log[0].x) == (2, 1)


def test_assigning_a_part_of_the_state_to_itself_keeps_it() -> None:
    s = fresh()
    part = s.entry

    s.entry = part
    part.x = 1

    assert s.entry.x == 1


def replaced_struct(s: Toy) -> Any:
    old = s.entry
    s.entry = entry(1)
    return lambda: setattr(old, "x", 1)


def replaced_sequence(s: Toy) -> Any:
    old = s.log
    s.log = Seq([entry()])
    return lambda: old.append(entry())


def truncated_sequence(s: Toy) -> Any:
    old = s.log
    s.log = Seq([entry()])
    return lambda: old.truncate(0)


def popped_sequence(s: Toy) -> Any:
    s.log.append(entry())
    old = s.log
    s.log = Seq()
    return old.pop_first


def replaced_set(s: Toy) -> Any:
    old = s.nodes
    s.nodes = SetOf([node(0)])
    return lambda: old.add(node(1))


def emptied_set(s: Toy) -> Any:
    old = s.nodes
    s.nodes = SetOf([node(0)])
    return lambda: old.remove(node(0))


def truncated_element(s: Toy) -> Any:
    s.log.append(entry())
    old = s.log[0]
    s.log.truncate(0)
    return lambda: setattr(old, "x", 1)


def popped_element(s: Toy) -> Any:
    s.log.append(entry())
    old = s.log.pop_first()
    return lambda: setattr(old, "x", 1)


def replaced_element(s: Toy) -> Any:
    s.log.append(entry())
    old = s.log[0]
    s.log[0] = entry(1)
    return lambda: setattr(old, "x", 1)


def element_of_replaced_sequence(s: Toy) -> Any:
    s.log.append(entry())
    old = s.log[0]
    s.log = Seq()
    return lambda: setattr(old, "x", 1)


@pytest.mark.parametrize(
    "retire",
    [
        replaced_struct,
        replaced_sequence,
        truncated_sequence,
        popped_sequence,
        replaced_set,
        emptied_set,
        truncated_element,
        popped_element,
        replaced_element,
        element_of_replaced_sequence,
    ],
)
def test_a_write_to_what_left_the_state_is_refused_and_rolls_back(retire: Any) -> None:
    def act(s: Toy) -> None:
        retire(s)()

    def prepare(s: Toy) -> None:
        s.nodes.add(node(0))
        s.wide.append(entry(2))

    machine = model_of(act, prepare).closed()
    state = machine.initial_state()
    machine.step(state, "prepare")
    before = machine.codes(state)

    with pytest.raises(SpecError, match="no longer part of the state"):
        machine.step(state, "act")

    assert machine.codes(state) == before
    assert machine.step(state, "prepare")  # Nothing stayed retired.


def test_a_member_of_a_set_is_a_value_of_its_own() -> None:
    s = fresh()
    made = Offer(members=SetOf([node(0)]), version=0)
    s.offers.add(made)

    made.version = 1
    made.members.add(node(1))

    assert Offer(members=SetOf([node(0)]), version=0) in s.offers
    assert repr(s.offers) == "{Offer(members={n0}, version=0)}"


def test_a_struct_of_the_state_that_was_put_in_a_set_may_change_later() -> None:
    class Box(Struct):
        now: Offer = nested(Offer)
        sent: SetOf[Offer] = subset(Offer)

    model = Model("box", Box)

    @model.action
    def send(s: Box) -> None:
        s.now.version = 1
        s.sent.add(s.now)
        s.now.version = 0

    machine = model.closed()
    state = machine.initial_state()
    machine.step(state, "send")

    assert [offer.version for offer in state.sent] == [1]
    assert repr(machine.load(machine.codes(state))) == repr(state)


@pytest.mark.parametrize("change", ["version", "members"])
def test_parameters_and_members_of_sets_cannot_be_changed(change: str) -> None:
    def spoil(s: Toy, offer: Offer) -> None:
        if change == "version":
            offer.version = 1
        else:
            offer.members.add(node(0))

    def spoil_member(s: Toy) -> None:
        s.offers.add(Offer(members=SetOf(), version=0))
        for offer in s.offers:
            spoil(s, offer)

    machine = model_of(spoil, spoil_member).closed()

    for instance in machine.instances:
        with pytest.raises(SpecError, match="these are values"):
            machine.attempt(machine.initial_state(), instance.definition, instance.arguments)
