"""Closed and open scopes: constants, sorts that grow, and the same behaviour in both."""

import gc
import random
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kproof_spec.lang import (
    NONE,
    Id,
    Machine,
    Misuse,
    Model,
    ScopeError,
    Seq,
    SpecError,
    Struct,
    Table,
    bound,
    constant,
    each,
    integer,
    maybe,
    member,
    require,
    seq,
    table,
)
from kproof_spec.replication.fence_by_leader_epoch import model as kip_320
from strategies.effort import effort
from strategies.tiny_scopes import catalogue, two_phase_commit

room = bound("room", default=2, low=1, high=5, doc="How long the log is.")
quota = constant("quota", default=1, doc="What the protocol says.")


class Writer(Id, size=2, prefix="w"):
    """Who writes."""


class Item(Struct):
    """What is written."""

    by: Writer = maybe(Writer)
    number: int = integer(0, room * 2 - 1)


class Log(Struct):
    """A log and a count for each writer."""

    items: Seq[Item] = seq(Item, room)
    written: Table[Writer, int] = table(Writer, integer(0, room))
    low: int = integer(1 - quota, 3 + room - 1, default=quota)


model = Model("log", Log, constants=[room, quota])


@model.action
def write(s: Log, writer: Writer) -> None:
    """A writer appends."""
    require(s.items.has_room)
    s.items.append(Item(by=writer, number=s.items.end))
    s.written[writer] += 1


@model.action
def use_quota(s: Log) -> None:
    """Arithmetic and comparison of constants, inside an action."""
    require(s.items.end >= quota and quota < 5 and quota < 3 and quota == quota * 1)
    s.low = quota + (7 - quota) % 3 - 2 * quota // 2


@model.invariant
def counts_agree(s: Log, writer: Writer) -> bool:
    """A table's entry that nobody asked for is there all the same."""
    return s.written[writer] <= s.items.end


# Constants


def test_constants_are_computed_in_declarations_and_in_actions() -> None:
    machine = model.closed(room=3, quota=1)
    state = machine.initial_state()

    assert machine.domain.fields["low"].high == 5  # type: ignore[attr-defined]
    assert state.low == 1
    assert machine.step(state, "use_quota") is False
    assert machine.step(state, "write", writer="w0")
    assert machine.step(state, "use_quota")
    assert state.low == 0


@pytest.mark.parametrize(
    ("constants", "message"),
    [
        ({"room": 0}, "room=0 is impossible: expected 1 to 5"),
        ({"room": 6}, "room=6 is impossible: expected 1 to 5"),
        ({"roof": 2}, "no constant is called roof; this model has: room, quota"),
    ],
)
def test_impossible_constants_are_refused(constants: dict[str, int], message: str) -> None:
    with pytest.raises(ScopeError, match=message):
        model.closed(**constants)


def test_a_range_in_which_nothing_fits_is_refused() -> None:
    class Empty(Struct):
        n: int = integer(quota, 0)

    with pytest.raises(ScopeError, match="nothing fits"):
        Model("empty", Empty, constants=[quota]).closed()


def test_a_constant_that_the_model_does_not_list_is_named() -> None:
    class Small(Struct):
        n: int = integer(0, room)

    with pytest.raises(SpecError, match="constant room is used but not declared"):
        Model("small", Small).closed()


def test_constants_have_no_value_outside_a_running_model() -> None:
    for use in (lambda: room > 1, lambda: int(room), lambda: bool(room), lambda: range(room)):
        with pytest.raises(SpecError, match="only inside a running model"):
            use()


def test_a_constant_of_zero_is_false() -> None:
    class Plain(Struct):
        n: int = integer(0, 2)

    choosy = Model("choosy", Plain, constants=[quota])

    @choosy.action
    def act(s: Plain) -> None:
        require(not quota)
        s.n = 2

    machine = choosy.closed(quota=0)

    assert machine.step(machine.initial_state(), "act")


# Open scopes


def test_a_bound_is_unlimited_and_a_constant_keeps_its_value_in_an_open_scope() -> None:
    machine = model.open(quota=2)
    state = machine.initial_state()

    for _ in range(50):
        assert machine.step(state, "write", writer="one")
    assert machine.scope.constants == {"quota": 2}
    assert state.items.end == 50
    assert machine.step(state, "use_quota")


def test_ids_and_tables_grow_by_name_in_an_open_scope() -> None:
    machine = model.open()
    state = machine.initial_state()

    for name in ("alice", "bob", "alice"):
        machine.step(state, "write", writer=name)

    alice, bob = machine.scope.id(Writer, "alice"), machine.scope.id(Writer, "bob")
    assert [item.by for item in state.items] == [alice, bob, alice]
    assert repr(state.written) == "{alice: 2, bob: 1}"
    assert alice != bob
    assert machine.scope.ids(Writer) == [alice, bob]


def test_a_name_that_is_not_there_is_refused_in_a_closed_scope() -> None:
    machine = model.closed()

    with pytest.raises(SpecError, match="no Writer is called alice"):
        machine.step(machine.initial_state(), "write", writer="alice")


def test_a_property_may_ask_for_an_entry_that_is_not_made_yet() -> None:
    machine = model.open()
    state = machine.initial_state()
    newcomer = machine.scope.id(Writer, "newcomer")
    claim = machine.model.properties["counts_agree"]

    assert machine.holds(state, claim.definition, {"writer": newcomer})
    assert repr(state.written) == "{}"


def test_a_refused_step_forgets_the_entries_that_it_asked_for() -> None:
    asking = Model("asking", Log, constants=[room, quota])

    @asking.action
    def ask(s: Log, writer: Writer) -> None:
        require(s.written[writer] > 0)

    machine = asking.open()
    state = machine.initial_state()

    assert machine.step(state, "ask", writer="one") is False
    assert repr(state.written) == "{}"


def test_a_field_that_needs_an_id_says_so_while_there_is_none() -> None:
    class Owned(Struct):
        by: Writer = member(Writer)

    machine = Model("owned", Owned).open()

    with pytest.raises(SpecError, match="there is none yet"):
        machine.new_state()
    machine.scope.id(Writer, "first")
    assert repr(machine.new_state()) == "Owned(by=first)"


def test_steps_by_name_say_what_was_expected() -> None:
    machine = model.closed()
    state = machine.initial_state()

    with pytest.raises(SpecError, match="no action rite: it has write, use_quota"):
        machine.step(state, "rite")
    with pytest.raises(SpecError, match="write takes writer; given reader"):
        machine.step(state, "write", reader="w0")


def test_what_is_unlimited_cannot_be_counted_to() -> None:
    counting = Model("counting", Log, constants=[room, quota])

    @counting.action
    def count_to(s: Log) -> None:
        for _ in range(room):
            s.low = 1

    machine = counting.open()

    with pytest.raises(SpecError, match="unlimited in an open scope"):
        machine.step(machine.initial_state(), "count_to")


# The same behaviour in both


def structure(value: Any) -> Any:
    """What a value holds, by names: ids of two scopes are never equal."""
    if isinstance(value, Struct):
        return {name: structure(value.__dict__[name]) for name in type(value)._fields}
    if isinstance(value, Table):
        return {repr(key): structure(value[key]) for key in value}
    if isinstance(value, (list, tuple)) or hasattr(value, "_items") or hasattr(value, "_members"):
        parts = [structure(part) for part in value]
        return parts if hasattr(value, "_items") else sorted(map(repr, parts))
    return repr(value)


def opened(machine: Machine[Any], sorts: list[type[Id]]) -> tuple[Machine[Any], Any]:
    """The same model in an open scope, with the same names."""
    other = machine.model.open()
    for sort in sorts:
        for known in machine.scope.ids(sort):
            other.scope.id(sort, known.name)
    state = other.initial_state()
    for name, field in vars(state).items():
        if isinstance(field, Table):  # Entries are made when they are asked for.
            [vars(state)[name][key] for key in other.scope.ids(field._domain.keys.sort)]  # type: ignore[attr-defined]
    other.store_of(state).commit()
    return other, state


def sorts_of(machine: Machine[Any]) -> list[type[Id]]:
    """The sorts of ids that the actions speak of."""
    found = {
        sort
        for action in machine.model.actions.values()
        for sort in action.parameters.values()
        if issubclass(sort, Id)
    }
    return sorted(found, key=lambda sort: sort.__name__)


def walk_in_both(machine: Machine[Any], seed: int, steps: int) -> int:
    """Takes the same steps in both scopes and compares; how many were possible."""
    choose = random.Random(seed)
    other, open_state = opened(machine, sorts_of(machine))
    state = machine.initial_state()
    taken = 0
    for _ in range(steps):
        instance = choose.choice(machine.instances)
        name, arguments = instance.definition.name, instance.arguments
        if any(isinstance(value, Struct) for value in arguments.values()):
            continue
        texts = {k: v.name if isinstance(v, Id) else v for k, v in arguments.items()}
        before = machine.codes(state)
        happened = machine.step(state, name, **arguments)
        if not happened and name in BOUNDED:
            continue  # An open scope has no such bound.
        assert other.step(open_state, name, **texts) is happened
        assert structure(open_state) == structure(state)
        assert happened or machine.codes(state) == before
        taken += happened
    return taken


BOUNDED = {"leader_write", "controller_shrink_isr", "controller_elect_leader"}


@effort(15)
@given(st.integers(0, 2**20))
def test_two_phase_commit_takes_the_same_steps_in_both_scopes(seed: int) -> None:
    assert walk_in_both(two_phase_commit(3), seed, 60) > 0


@effort(12)
@given(st.integers(0, 2**20), st.sampled_from([n for n in catalogue() if "replication" in n]))
def test_replication_takes_the_same_steps_in_both_scopes(seed: int, name: str) -> None:
    scope = {"replicas": 3, "log_size": 4, "max_records": 4, "max_leader_epoch": 6}

    assert walk_in_both(catalogue()[name].closed(**scope), seed, 150) > 0


# A step costs what it touches


def calls_of(machine: Machine[Any], state: Any, name: str, **arguments: Any) -> int:
    """How many functions a step calls, the built-in ones too."""
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        assert machine.step(state, name, **arguments)
    finally:
        sys.setprofile(None)
    return calls


def leader_of(machine: Machine[Any]) -> Any:
    """A state of replication in which b0 leads."""
    state = machine.initial_state()
    for name in ("b0", "b1", "b2"):
        state.quorum.in_sync_replicas.add(machine.scope.id(sorts_of(machine)[0], name))
    machine.store_of(state).commit()
    assert machine.step(state, "controller_elect_leader", replica="b0")
    assert machine.step(state, "become_leader", leader="b0", epoch=0)
    return state


def test_the_hundred_thousandth_append_costs_what_the_tenth_did() -> None:
    machine = model.open()
    state = machine.initial_state()
    costs = {}
    for i in range(1, 100_001):
        if i in (10, 1_000, 100_000):
            costs[i] = calls_of(machine, state, "write", writer="one")
        else:
            machine.step(state, "write", writer="one")
        if i % 10_000 == 0:
            assert machine.store_of(state).journal == []

    assert state.items.end == 100_000
    assert state.items.last.number == 99_999
    assert costs[10] == costs[1_000] == costs[100_000]
    assert costs[10] < 100


def test_a_leader_writes_at_the_same_cost_however_long_its_log_is() -> None:
    machine = kip_320.open()
    state = leader_of(machine)
    early = calls_of(machine, state, "leader_write", leader="b0")
    for _ in range(3_000):
        assert machine.step(state, "leader_write", leader="b0")
    items = state.replica[machine.scope.id(sorts_of(machine)[0], "b0")].log._items

    gc.collect()
    late = calls_of(machine, state, "leader_write", leader="b0")

    assert late == early
    assert len(items) == 3_002  # The same list: nothing was copied.


def test_an_id_is_not_none_and_needs_no_literal() -> None:
    machine = model.open()
    one = machine.scope.id(Writer, "one")

    assert one != NONE
    with pytest.raises(Misuse):
        assert one == "one"
    with pytest.raises(SpecError, match="outside a running model"):
        each(Writer)
