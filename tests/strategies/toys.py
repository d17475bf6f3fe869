"""A state with a field of each kind, for tests that write actions of their own."""

from collections.abc import Callable
from enum import Enum
from functools import cache
from typing import Any

from kproof_checker.extraction.decisions import DISABLED, FAILS, HOLDS, Failure, Outcome, Update
from kproof_checker.extraction.extract import Extracted, extract
from kproof_checker.extraction.interpret import outcome_of, updated
from kproof_checker.trust import compare
from kproof_spec.lang import (
    NONE,
    Bounded,
    Id,
    Machine,
    Model,
    Seq,
    SetOf,
    Struct,
    Table,
    bound,
    choice,
    flag,
    history,
    integer,
    maybe,
    nested,
    seq,
    subset,
    table,
)

length = bound("length", default=2, doc="How long a sequence is.")


class Node(Id, size=2, symmetric=True, prefix="n"):
    """Interchangeable."""


class Rank(Id, size=3, prefix="r"):
    """Ids with an order."""


class Small(Bounded, low=0, high=2):
    """A small number."""


class Phase(Enum):
    """In three phases."""

    BEGIN = 0
    MIDDLE = 1
    END = 2


class Entry(Struct):
    """An element of a sequence."""

    x: int = integer(0, 2)
    who: Node = maybe(Node)


class Offer(Struct):
    """A member of a set: who is in, and under which number."""

    members: SetOf[Node] = subset(Node)
    version: int = integer(0, 1)


class Toy(Struct):
    """One of each."""

    n: int = integer(0, 3)
    m: int = integer(-1, 2, default=0)
    f: bool = flag()
    phase: Phase = choice(Phase)
    who: Node = maybe(Node)
    rank: Rank = maybe(Rank)
    entry: Entry = nested(Entry)
    nodes: SetOf[Node] = subset(Node)
    offers: SetOf[Offer] = subset(Offer)
    log: Seq[Entry] = seq(Entry, length)
    wide: Seq[Entry] = seq(Entry, length + 1)
    row: Seq[int] = seq(integer(0, 2), length)
    by: Table[Node, int] = table(Node, integer(0, 2))
    was: bool = history(flag())


Action = Callable[[Toy], None]
Claim = Callable[[Toy], bool]


def model_of(*actions: Callable[..., None], claim: Callable[..., bool] | None = None) -> Model[Toy]:
    """A model with these actions and perhaps an invariant."""
    model = Model("toy", Toy, constants=[length])
    for action in actions:
        model.action(action)
    if claim is not None:
        model.invariant(claim)
    return model


def extracted(model: Model[Toy], **options: int) -> Extracted:
    """The DAGs of a model, which are held against CPython in random reachable states."""
    found = extract(model.closed(), model.properties.values(), **options)
    compare(found, seed=0, max_states=25, depth=8)
    return found


def reached(machine: Machine[Toy], *steps: Callable[[Toy], Any]) -> Toy:
    """The initial state, changed by these functions."""
    state = machine.initial_state()
    for step in steps:
        machine._call(step, state)
    machine.store_of(state).commit()
    return state


@cache
def _extracted_once(function: Callable[..., Any], is_claim: bool) -> Extracted:
    model = model_of(claim=function) if is_claim else model_of(function)
    return extract(model.closed(), model.properties.values())


MACHINE = model_of().closed()
"""Of the toy model without actions: for tests of its values and places."""


def node(number: int) -> Node:
    """An id."""
    return Node.numbered(number)


def entry(x: int = 0) -> Entry:
    """A value."""
    return Entry(x=x, who=NONE)


def fresh() -> Toy:
    """An initial state."""
    return MACHINE.initial_state()


def agree(function: Callable[..., Any], *steps: Callable[[Toy], Any]) -> Outcome:
    """What an action does in a state; CPython and its DAG must agree."""
    machine = _extracted_once(function, False).machine
    (instance, dag), *_ = _extracted_once(function, False).actions
    state = reached(machine, *steps)
    codes = machine.codes(state)
    outcome = outcome_of(dag, codes)
    fault, after = "", None
    try:
        if machine.attempt(state, instance.definition, instance.arguments):
            after = machine.codes(state)
    except Exception as error:
        fault = str(error)
    assert isinstance(outcome, Failure) is bool(fault), (outcome, fault)
    assert (updated(outcome, codes) if isinstance(outcome, Update) else None) == after
    return outcome


def answer(predicate: Claim, *steps: Callable[[Toy], Any]) -> bool | str:
    """What a predicate is worth in a state; "error" if it fails. CPython and its DAG must agree."""
    found = _extracted_once(predicate, True)
    machine = found.machine
    claim = next(iter(machine.model.properties.values()))
    ((_, dag),) = found.properties[claim.name]
    state = reached(machine, *steps)
    outcome = outcome_of(dag, machine.codes(state))
    try:
        mine: bool | str = machine.holds(state, claim.definition, {})
    except Exception:
        mine = "error"
    theirs = {id(HOLDS): True, id(FAILS): False}.get(id(outcome), "error")
    assert mine == theirs, (mine, outcome)
    return mine


__all__ = ["DISABLED", "Failure", "Update"]
