"""What cannot be followed symbolically is refused, with advice and the line."""

from typing import Any

import pytest

from kproof_checker.extraction.extract import extract
from kproof_spec.lang import (
    NONE,
    Misuse,
    SetOf,
    require,
)
from strategies.toys import Node, Toy, extracted, model_of

# What cannot be symbolic is refused, and says what to write instead.

REFUSED: dict[str, Any] = {
    "len": lambda s: len(s.log) > 0,
    "len of a set": lambda s: len(s.nodes) > 0,
    "a truth value of a set": lambda s: not s.nodes,
    "hash": lambda s: hash(s.n) == 0,
    "a dict key": lambda s: {0: True}.get(s.n, False),
    "a Python set": lambda s: s.who in {NONE, None},
    "text": lambda s: f"{s.n}" == "0",
    "str": lambda s: str(s.n) == "0",
    "order of symmetric ids": lambda s: s.who < s.who,
    "arithmetic on ids": lambda s: s.who + 1 == 0,
    "a number as an id": lambda s: s.who == 0,
    "an id as a truth value": lambda s: not s.who,
    "another sort": lambda s: s.who == s.rank,
    "another enum": lambda s: s.phase == 1,
    "an enum's value": lambda s: s.phase.value == 1,
    "an id's name": lambda s: s.who.name == "n0",
    "an enum as a truth value": lambda s: not s.phase,
    "a fraction": lambda s: s.n / 2 == 1,
    "bits": lambda s: s.n & 1 == 0,
    "powers": lambda s: s.n**2 == 0,
    "order of truth values": lambda s: s.f < s.f,
    "arithmetic on truth values": lambda s: s.f + s.f == 1,
    "a number as a truth value": lambda s: s.n,
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_followed_is_refused_with_its_line(name: str) -> None:
    expression = REFUSED[name]

    def claim(s: Toy) -> bool:
        value: bool = expression(s)
        return value

    model = model_of(claim=claim)

    with pytest.raises(Misuse) as caught:
        extract(model.closed(), model.properties.values())

    assert len(caught.value.message) > 20


def test_a_guard_in_a_property_is_refused() -> None:
    def claim(s: Toy) -> bool:
        require(s.f)
        return True

    model = model_of(claim=claim)

    with pytest.raises(Misuse, match="a property has no guard"):
        extract(model.closed(), model.properties.values())


def test_is_is_refused_with_the_line_where_it_stands() -> None:
    def claim(s: Toy) -> bool:
        return bool(s.who is NONE)

    model = model_of(claim=claim)

    with pytest.raises(Misuse, match="write == or !=") as caught:
        extract(model.closed(), model.properties.values())

    assert caught.value.where == f"{__file__}:{claim.__code__.co_firstlineno + 1}"


def test_is_is_refused_in_a_helper_and_in_a_match_too() -> None:
    def helper(s: Toy) -> bool:
        return s.who is not None

    def calling(s: Toy) -> None:
        require(helper(s))

    def matching(s: Toy) -> None:
        match s.f:
            case True:
                s.n = 1

    for action in (calling, matching):
        with pytest.raises(Misuse, match="`is`"):
            extract(model_of(action).closed())


def test_a_history_field_may_be_written_but_decides_nothing() -> None:
    def writing(s: Toy) -> None:
        s.was = s.was or s.f
        s.f = True

    def reading(s: Toy) -> None:
        require(s.was)
        s.f = True

    def copying(s: Toy) -> None:
        s.f = s.was

    def beside(s: Toy) -> None:
        if s.was:
            s.was = False

    extracted(model_of(writing, beside))
    for action in (reading, copying):
        with pytest.raises(Misuse, match="a history field"):
            extract(model_of(action).closed())


def test_a_set_may_be_made_of_values_that_are_not_known() -> None:
    def make(s: Toy) -> None:
        require(s.who != NONE)
        s.nodes = SetOf([s.who])

    def name(s: Toy, node: Node) -> None:
        s.who = node

    extracted(model_of(make, name))
