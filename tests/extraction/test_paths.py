"""Following every path of a function: what merges, what splits, and what is refused with advice."""

import itertools
from typing import Any

import pytest

from kproof_checker.extraction.decisions import DISABLED, Failure, Update
from kproof_checker.extraction.extract import extract
from kproof_spec.lang import (
    NONE,
    Misuse,
    count,
    each,
    exists,
    forall,
    max_over,
    min_,
    min_over,
    pure,
    require,
    span,
)
from strategies.toys import Entry, Node, Phase, Toy, agree, answer, extracted, model_of


def filled(s: Toy) -> None:
    """A log of two entries, and one node in the set."""
    s.log.append(Entry(x=1, who=NONE))
    s.log.append(Entry(x=2, who=NONE))
    s.nodes.add(each(Node)[0])


def one_entry(s: Toy) -> None:
    """A log of one entry."""
    s.log.append(Entry(x=1, who=NONE))


# Budgets and determinism


def many_paths(s: Toy) -> None:
    total = 0
    for node in each(Node):
        for i in range(3):
            if s.by[node] == i and s.n > i:
                total += 1
    s.m = total


def test_a_budget_of_paths_names_the_line_that_splits_them() -> None:
    with pytest.raises(Misuse, match="more than 5 paths") as caught:
        extract(model_of(many_paths).closed(), paths_max=5)

    first = many_paths.__code__.co_firstlineno
    path, line = caught.value.where.rsplit(":", 1)
    assert path == __file__
    assert int(line) == first + 4
    assert "@pure" in caught.value.message


def test_a_function_that_is_not_deterministic_is_found_out() -> None:
    calls = itertools.count()

    def fickle(s: Toy) -> None:
        is_asked = s.f if next(calls) % 2 else s.n == 2
        if is_asked:
            s.m = 1

    with pytest.raises(Misuse, match="not deterministic"):
        extract(model_of(fickle).closed())


def test_a_choice_that_a_path_made_before_is_not_asked_again() -> None:
    def twice(s: Toy) -> None:
        if s.n > 1:
            s.m = 1
        if s.n > 1:
            s.f = True

    assert extracted(model_of(twice)).paths == 2


# Definitions


@pure
def first_of(s: Toy) -> int:
    return s.log[0].x


@pure
def refusing(s: Toy) -> int:
    require(s.f)
    return s.n


@pure
def failing_above_one(s: Toy) -> int:
    if s.n > 1:
        raise ValueError("too large")
    return s.n


@pure
def nested_one(s: Toy) -> int:
    if s.f:
        return failing_above_one(s) + 1
    return max_over(s.nodes, lambda node: s.by[node], start=0)


@pure
def pair_of(s: Toy) -> tuple[bool, Node]:
    if s.n == 0:
        return False, NONE
    return s.f, s.who


@pure
def next_phase(s: Toy) -> Phase:
    match s.phase:
        case Phase.BEGIN:
            return Phase.MIDDLE
        case Phase.MIDDLE if s.f:
            return Phase.END
        case _:
            return s.phase


def set_n(value: int) -> Any:
    """A change of n."""

    def change(s: Toy) -> None:
        s.n = value

    return change


def raise_flag(s: Toy) -> None:
    s.f = True


def test_an_error_in_a_definition_is_an_error_of_the_action_that_used_it() -> None:
    def use(s: Toy) -> None:
        s.m = first_of(s)

    assert isinstance(agree(use), Failure)
    assert isinstance(agree(use, one_entry), Update)


def test_a_definition_that_refuses_disables_the_action() -> None:
    def use(s: Toy) -> None:
        s.n = refusing(s)

    assert agree(use) is DISABLED
    assert isinstance(agree(use, raise_flag), Update)


def test_an_error_on_some_paths_of_a_definition_is_one_on_these_only() -> None:
    def use(s: Toy) -> None:
        s.n = failing_above_one(s)

    found = [agree(use, set_n(n)) for n in range(4)]

    assert [isinstance(outcome, Failure) for outcome in found] == [False, False, True, True]
    assert isinstance(found[3], Failure)
    assert "too large" in found[3].message
    assert found[3].where.startswith(__file__)


def test_definitions_in_definitions_mean_what_they_mean_in_cpython() -> None:
    def use(s: Toy) -> None:
        s.m = nested_one(s)

    assert isinstance(agree(use, raise_flag), Update)
    assert isinstance(agree(use, raise_flag, set_n(2)), Failure)
    assert isinstance(agree(use, set_n(2)), Update)


def test_a_definition_may_return_a_tuple() -> None:
    def use(s: Toy) -> None:
        s.f, s.who = pair_of(s)
        s.phase = next_phase(s)

    def grow(s: Toy, node: Node) -> None:
        s.n = min_(3, s.n + 1)
        s.who = node
        s.f = not s.f

    extracted(model_of(use, grow))
    assert isinstance(agree(use, set_n(1), raise_flag), Update)


def test_a_definition_does_not_split_the_paths_of_its_caller() -> None:
    def use(s: Toy) -> None:
        s.m = nested_one(s) if s.n < 2 else 0

    assert isinstance(agree(use), Update)
    machine = model_of(use).closed()
    (_, dag), *_ = extract(machine).actions
    assert "Decision" in type(dag).__name__


def test_a_definition_that_changes_the_state_is_refused() -> None:
    @pure
    def changing(s: Toy) -> bool:
        s.f = True
        return True

    def use(s: Toy) -> None:
        require(changing(s))

    with pytest.raises(Misuse, match="changes the state"):
        extract(model_of(use).closed())


def test_a_definition_of_two_kinds_of_values_is_refused() -> None:
    @pure
    def mixed(s: Toy) -> Any:
        return s.who if s.f else s.n

    def use(s: Toy) -> None:
        s.n = mixed(s)

    with pytest.raises(Misuse, match="on one path and"):
        extract(model_of(use).closed())


# Quantifiers


def test_forall_stops_where_pythons_all_would() -> None:
    def claim(s: Toy) -> bool:
        return forall([0, 1, 2], lambda i: s.log[i].x == 2)

    assert answer(claim) == "error"
    assert answer(claim, one_entry) is False
    assert answer(claim, filled) is False


def test_exists_stops_where_pythons_any_would() -> None:
    def claim(s: Toy) -> bool:
        return exists([0, 1, 2], lambda i: s.log[i].x == 1)

    assert answer(claim) == "error"
    assert answer(claim, one_entry) is True
    assert answer(claim, filled) is True


def test_quantifiers_ask_only_about_what_is_there() -> None:
    def claim(s: Toy) -> bool:
        return forall(s.nodes, lambda node: s.log[s.log.end].x == 0)

    def least(s: Toy) -> bool:
        return min_over(s.nodes, lambda node: s.log[s.log.end].x, start=1) == 1

    assert answer(claim) is True
    assert answer(claim, filled) == "error"
    assert answer(least) is True
    assert answer(least, filled) == "error"


@pytest.mark.parametrize("steps", [(), (one_entry,), (filled,), (filled, set_n(1))])
def test_quantifiers_over_what_is_not_known_agree_with_cpython(steps: Any) -> None:
    def over_span(s: Toy) -> bool:
        return forall(span(s.n, s.log.end), lambda i: s.log[i].x > i)

    def over_sequence(s: Toy) -> bool:
        return exists(s.log, lambda entry: entry.x == 2)

    def counted(s: Toy) -> bool:
        return count(span(0, s.log.end), lambda i: s.log[i].x > s.n) == 1

    def least(s: Toy) -> bool:
        return min_over(s.log, lambda entry: entry.x - s.n, start=2) < 0

    for claim in (over_span, over_sequence, counted, least):
        assert answer(claim, *steps) in (True, False)


def test_loops_whose_ends_are_not_known_agree_with_cpython() -> None:
    def loops(s: Toy) -> None:
        total = 0
        for i in range(s.n, s.log.end):
            total += s.log[i].x
        for entry in s.log:
            total += entry.x
        for node in s.nodes:
            total -= s.by[node]
        s.m = total - 2

    def grow(s: Toy, node: Node) -> None:
        if s.log.has_room:
            s.log.append(Entry(x=1, who=node))
        s.nodes.add(node)
        s.by[node] = 1

    extracted(model_of(loops, grow))


def test_a_sequence_that_changes_under_a_loop_agrees_with_cpython() -> None:
    def drain(s: Toy) -> None:
        for _ in s.log:
            s.log.pop_first()

    def double(s: Toy) -> None:
        for entry in s.log:
            if s.log.has_room:
                s.log.append(entry)

    def leave(s: Toy) -> None:
        for node in s.nodes:
            s.nodes.remove(node)

    for action in (drain, double, leave):
        for start in (one_entry, filled):
            assert isinstance(agree(action, start), Update)
