"""What can never be right is refused, with advice."""

import pytest

from kproof_spec.lang import (
    NONE,
    Id,
    Misuse,
    Model,
    SpecError,
    Struct,
    Table,
    each,
    history,
    integer,
    maybe,
    member,
    require,
    table,
)
from strategies.toys import Entry, Node, Rank, Toy, fresh, model_of, node

# Misuse


def test_declarations_that_make_no_sense_are_refused_with_advice() -> None:
    with pytest.raises(Misuse, match="has a type but no field"):

        class NoField(Struct):
            n: int

    with pytest.raises(SpecError, match="history takes a field declaration"):
        history(3)
    with pytest.raises(Misuse, match="has no field y"):
        Entry(x=1, y=2)  # type: ignore[call-arg]  # that is the point
    with pytest.raises(Misuse, match="has no field z"):
        fresh().z = 1

    class Owned(Struct):
        who: Rank = member(Rank)
        of: Table[Rank, int] = table(Rank, integer(0, 1))

    with pytest.raises(SpecError, match="name it when building"):
        Owned()  # type: ignore[call-arg]  # that is the point


def test_ids_of_a_symmetric_sort_have_no_order_no_arithmetic_and_no_literals() -> None:
    a, b = node(0), node(1)
    for wrong in (
        lambda: a < b,
        lambda: a >= b,
        lambda: a + 1,
        lambda: [1, 2][a],
        lambda: a == 0,
        lambda: a == "n0",
        lambda: a == Rank.numbered(0),
        lambda: bool(a),
    ):
        with pytest.raises(Misuse):
            wrong()
    assert a != NONE
    assert a != b
    assert Rank.numbered(0) < Rank.numbered(1)


def test_parameters_that_cannot_be_listed_are_refused() -> None:
    model = model_of()

    with pytest.raises(SpecError, match=r"parameter x has type .*int"):

        @model.action
        def unlisted(s: Toy, x: int) -> None:
            """An int has no list of values."""

    with pytest.raises(SpecError, match="takes no state"):

        @model.action
        def stateless() -> None:
            """Nothing."""


def test_a_mutant_must_fit_what_it_replaces() -> None:
    def act(s: Toy, who: Node) -> None:
        s.who = who

    def claim(s: Toy) -> bool:
        return True

    model = model_of(act, claim=claim)

    with pytest.raises(SpecError, match="must have the parameters"):

        @model.mutant(replaces=act, breaks=claim)
        def other(s: Toy, what: Node) -> None:
            """A parameter of another name."""

    with pytest.raises(SpecError, match="is not a property"):
        model.mutant(replaces=act, breaks=act)
    with pytest.raises(SpecError, match="is neither an action"):
        model.mutant(replaces=claim, breaks=claim)


def test_a_property_that_changes_the_state_is_refused_and_leaves_it_alone() -> None:
    def claim(s: Toy) -> bool:
        s.n = 1
        return bool(s.log[5].x == 0)

    machine = model_of(claim=claim).closed()
    state = machine.initial_state()

    with pytest.raises(SpecError):
        machine.holds(state, machine.model.properties["claim"].definition, {})

    assert state.n == 0
    assert machine.store_of(state).journal == []


def test_the_parameters_of_init_go_by_name() -> None:
    class Two(Struct):
        a: Node = maybe(Node)
        b: Node = maybe(Node)

    model = Model("two", Two)

    @model.init
    def begin(s: Two, a: Node, b: Node) -> None:
        require(a != b)
        s.a, s.b = a, b

    machine = model.closed()

    state = machine.initial_state(b=node(1), a=node(0))

    assert (state.a, state.b) == (node(0), node(1))
    with pytest.raises(SpecError, match="init takes a, b; given a"):
        machine.initial_state(a=node(0))
    assert len(machine.initial_codes()) == 2


def test_each_is_refused_outside_a_running_model() -> None:
    with pytest.raises(SpecError, match="outside a running model"):
        each(Node)


def test_sorts_without_an_id_make_no_scope() -> None:
    class Nobody(Id, size=0):
        """There is none."""

    class Lonely(Struct):
        who: Nobody = maybe(Nobody)

    with pytest.raises(ValueError, match="no Nobody"):
        Model("lonely", Lonely).closed()
