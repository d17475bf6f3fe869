"""Sequences, sets and tables hold values that are not known as plain ones hold known values."""

from collections.abc import Callable
from typing import Any

import pytest

from kproof_checker.extraction.decisions import Failure, Update
from kproof_spec.lang import NONE, Seq, SetOf, each, require
from strategies.toys import Entry, Node, Offer, Phase, Rank, Toy, agree, answer, extracted, model_of

Step = Callable[[Toy], None]


def logged(count: int) -> Step:
    """A log of so many entries."""

    def change(s: Toy) -> None:
        for i in range(count):
            s.log.append(Entry(x=i, who=each(Node)[i]))
            s.row.append(i)

    return change


def numbers(n: int, m: int = 0) -> Step:
    """Values for both numbers."""

    def change(s: Toy) -> None:
        s.n, s.m = n, m

    return change


def somebody(s: Toy) -> None:
    """An id in the optional field, and in the set."""
    s.who = list(each(Node))[1]
    s.nodes.add(list(each(Node))[1])
    s.offers.add(Offer(members=SetOf([list(each(Node))[1]]), version=1))


STARTS = [
    (logged(length), numbers(n, m), *more)
    for length in (0, 1, 2)
    for n, m in ((0, -1), (1, 1), (2, 0), (3, 2))
    for more in ((), (somebody,))
]


def truncate(s: Toy) -> None:
    s.log.truncate(s.n)


def truncate_below_zero(s: Toy) -> None:
    s.log.truncate(s.m)


def append(s: Toy) -> None:
    s.log.append(Entry(x=s.n, who=s.who))


def pop_first(s: Toy) -> None:
    s.entry = s.log.pop_first()


def replace_one(s: Toy) -> None:
    s.log[s.m] = Entry(x=1, who=NONE)


def replace_number(s: Toy) -> None:
    s.row[s.n] = s.m


def change_one(s: Toy) -> None:
    s.log[s.n].x = s.m


def shorten_and_extend(s: Toy) -> None:
    require(s.log.end > 0)
    s.log.truncate(s.log.end - 1)
    s.log.append(s.entry)


def widen(s: Toy) -> None:
    s.wide = s.log
    s.wide.append(Entry(x=0, who=s.who))


def narrow(s: Toy) -> None:
    s.wide = s.log
    s.wide.append(s.entry)
    s.log = s.wide


def forget(s: Toy) -> None:
    s.log = Seq()
    s.nodes = SetOf()


def increment(s: Toy) -> None:
    s.n += s.m


def decrement(s: Toy) -> None:
    s.m -= s.n


def divide(s: Toy) -> None:
    s.m = s.n // s.m


def remainder(s: Toy) -> None:
    s.m = s.n % s.m


def divide_by_a_difference(s: Toy) -> None:
    s.m = s.n // (s.n - s.m - 1)


def add_who(s: Toy) -> None:
    s.nodes.add(s.who)


def include_who(s: Toy) -> None:
    s.nodes = s.nodes.including(s.who).excluding(next(iter(each(Node))))


def wrap_who(s: Toy) -> None:
    s.nodes = s.nodes | SetOf([s.who])


def offer(s: Toy) -> None:
    s.offers.add(Offer(members=s.nodes, version=s.n))


def withdraw(s: Toy) -> None:
    for one in s.offers:
        if s.who in one.members:
            s.offers.remove(one)


def take_offer(s: Toy) -> None:
    for one in s.offers:
        s.nodes = one.members
        s.n = one.version


def index_table(s: Toy) -> None:
    s.by[s.who] = s.n


def raise_something(s: Toy) -> None:
    if s.n > 1:
        raise KeyError("why")


def swap(s: Toy) -> None:
    s.entry, s.log[0] = s.log[0], s.entry


def phase_out(s: Toy) -> None:
    s.phase = Phase.END if s.who in s.nodes else Phase.MIDDLE
    s.rank = each(Rank)[s.n]


ACTIONS = [
    truncate, truncate_below_zero, append, pop_first, replace_one, replace_number, change_one,
    shorten_and_extend, widen, narrow, forget, increment, decrement, divide, remainder,
    divide_by_a_difference, add_who, include_who, wrap_who, offer, withdraw, take_offer,
    index_table, raise_something, swap, phase_out,
]  # fmt: skip


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.__name__)
def test_an_action_does_what_it_does_in_cpython(action: Step) -> None:
    kinds = {type(agree(action, *start)) for start in STARTS}

    assert Update in kinds


CAN_FAIL = [truncate, truncate_below_zero, append, pop_first, replace_one, increment, divide,
            divide_by_a_difference, add_who, offer, index_table, raise_something]  # fmt: skip


@pytest.mark.parametrize("action", CAN_FAIL, ids=lambda action: action.__name__)
def test_what_goes_wrong_is_a_failure_with_a_line(action: Step) -> None:
    outcomes = [agree(action, *start) for start in STARTS]
    failures = [outcome for outcome in outcomes if isinstance(outcome, Failure)]

    assert failures
    assert all(failure.where.startswith(__file__) for failure in failures)
    assert all(failure.message for failure in failures)


CLAIMS: dict[str, Callable[[Toy], bool]] = {
    "sequences of different capacity": lambda s: s.log == s.wide,
    "sequences the other way": lambda s: s.wide == s.log,
    "a plain sequence": lambda s: s.log == Seq([Entry(x=0, who=NONE)]),
    "a sequence of numbers": lambda s: s.row == Seq([0, 1]),
    "a longer plain sequence": lambda s: s.row == Seq([0, 1, 0, 0]),
    "an element": lambda s: s.log[s.n] == s.entry,
    "the last": lambda s: s.log.last.x == s.n,
    "membership in a sequence": lambda s: s.n in s.row,
    "a struct": lambda s: s.entry == Entry(x=0, who=s.who),
    "sets": lambda s: s.nodes == SetOf([s.who]),
    "a plain set first": lambda s: SetOf(each(Node)) == s.nodes,
    "inclusion": lambda s: s.nodes <= SetOf(each(Node)),
    "inclusion in a plain set": lambda s: SetOf([next(iter(each(Node)))]) <= s.nodes,
    "difference": lambda s: (SetOf(each(Node)) - s.nodes).size == 1,
    "union": lambda s: (SetOf([next(iter(each(Node)))]) | s.nodes).size == 2,
    "common part": lambda s: (SetOf([list(each(Node))[1]]) & s.nodes).is_empty,
    "NONE in a set": lambda s: NONE in s.nodes,
    "an offer": lambda s: Offer(members=s.nodes, version=1) in s.offers,
    "an offer in a plain set": lambda s: Offer(members=s.nodes, version=1) in SetOf(s.offers),
    "a set of what is not known": lambda s: SetOf([Offer(members=s.nodes, version=s.n)]).size == 1,
    "a plain set that ranges over more": lambda s: s.nodes == SetOf([NONE]),
    "absolute value": lambda s: abs(s.m) == 1,
    "either but not both": lambda s: s.f ^ (s.n == 1),
    "order of ids": lambda s: s.rank < each(Rank)[1],
    "order of ids the other way": lambda s: each(Rank)[1] >= s.rank,
    "conversion": lambda s: int(s.n) == 2,
    "builtins": lambda s: max(s.n, s.m) - min(s.n, s.m) + sum([s.n, s.m]) == 2,
    "sorted": lambda s: sorted([s.n, s.m, 1]) == [0, 1, 1],
    "a table": lambda s: s.by == s.by,
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_claim_is_worth_what_it_is_worth_in_cpython(name: str) -> None:
    for start in STARTS:
        answer(CLAIMS[name], *start)


def test_a_member_that_was_added_does_not_change_with_its_source() -> None:
    def put_and_change(s: Toy) -> None:
        made = Offer(members=SetOf(), version=0)
        s.offers.add(made)
        made.version = 1
        s.offers.add(made)

    assert isinstance(agree(put_and_change), Update)


def test_symbolic_members_and_sequences_agree_with_cpython_on_walks() -> None:
    def step(s: Toy, node: Node, wanted: Offer) -> None:
        require(s.log.has_room or wanted in s.offers)
        s.offers.add(Offer(members=s.nodes.including(node), version=s.n % 2))
        s.nodes = wanted.members if wanted in s.offers else s.nodes | wanted.members
        if s.log.has_room:
            s.log.append(Entry(x=s.nodes.size, who=node))
        else:
            s.log.pop_first()
            s.n = (s.n + 1) % 4

    found: Any = extracted(model_of(step))

    assert found.paths > 10
