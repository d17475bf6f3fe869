"""Small random models, written as Python text in the specification language.

What comes out is a module like one that a person would write: a state with some of all kinds of
fields, definitions, and actions made of guards, assignments, branches and loops.  They make no
sense, and many go out of range: the point is that all ways of running them must agree.
"""

from typing import Any

from hypothesis import strategies as st

from kproof_spec.lang import Machine, Model

from .random_expressions import FIELDS, Writer

HEADER = '''
from enum import Enum
from kproof_spec.lang import *

size = bound("size", default=2, low=1, doc="How many things.")


class A(Id, size=size, symmetric=True, prefix="a"):
    """A thing."""


class B(Id, size=2, prefix="b"):
    """A thing with an order."""


class Small(Bounded, low=0, high=size):
    """A small number."""


class Level(Enum):
    LOW = 0
    MIDDLE = 1
    HIGH = 2


class Mark(Struct):
    who: A = member(A)
    on: bool = flag()


class Pair(Struct):
    x: int = integer(-1, 2)
    who: A = maybe(A)
    on: bool = flag()


class Room(Struct):
    log: Seq[Pair] = seq(Pair, 2)
    ids: SetOf[A] = subset(A)
    x: int = integer(0, size)
'''

FOOTER = """
model = Model("random", State, constants=[size])
"""

BEGINNINGS = {
    "n": "s.n = x",
    "m": "s.m = 2 - x",
    "f": "s.f = on",
    "g": "s.g = not on",
    "e": "s.e = level",
    "a": "s.a = who",
    "b": "s.b = each(B)[1] if on else each(B)[0]",
    "p": "s.p = Pair(x=x, who=who, on=on)",
    "ids": "s.ids.add(who)",
    "others": "s.others = SetOf([who]) if on else SetOf(each(A))",
    "nums": "s.nums.add(x)",
    "levels": "s.levels.add(level)",
    "marks": "s.marks.add(Mark(who=who, on=on))",
    "log": "s.log = [Pair(x=1, who=who, on=on)] * x",
    "long": "s.long = [Pair(x=1, who=who, on=on)] * (3 - x)",
    "row": "s.row = [x] * x",
    "queue": "s.queue = [who, NONE][:x]",
    "owners": "s.owners = each(B)[:x]",
    "t": "s.t[who] = x",
    "tp": "s.tp[who] = Pair(x=x, who=who, on=on)",
    "room": "s.room[who].log = [Pair(x=x, who=who, on=on)]",
    "te": "s.te[level] = on",
    "sets": "s.sets[who].add(who)",
}
"""How each field begins, so that there are many initial states."""

PARAMETERS = {"A": "id", "B": "order", "Small": "int", "bool": "bool", "Level": "enum"}


@st.composite
def sources(draw: st.DrawFn) -> str:
    """The text of a module that defines `model`."""
    kept = draw(st.lists(st.sampled_from(list(FIELDS)), min_size=3, max_size=7, unique=True))
    fields = "".join(f"    {name} = {FIELDS[name]}\n" for name in FIELDS if name in kept)
    annotated = fields.replace(" = ", ": Any = ")
    lines = [HEADER, "from typing import Any\n", f"class State(Struct):\n{annotated}", FOOTER]
    begin = "".join(f"    {BEGINNINGS[name]}\n" for name in kept)
    heading = "@model.init\ndef begin(s: State, x: Small, who: A, on: bool, level: Level) -> None:"
    lines.append(f"{heading}\n{begin}")
    writer = Writer(draw, set(kept))
    lines += [writer.definition(f"helper{i}") for i in range(draw(st.integers(0, 2)))]
    for i in range(draw(st.integers(1, 3))):
        given = draw(st.lists(st.sampled_from(list(PARAMETERS)), max_size=2))
        names = {f"p{j}": sort for j, sort in enumerate(given)}
        heading = ", ".join(["s: State", *[f"{n}: {sort}" for n, sort in names.items()]])
        body = writer.action({n: PARAMETERS[sort] for n, sort in names.items()})
        lines.append(f"@model.action\ndef act{i}({heading}) -> None:\n{body}\n")
    lines.append(f"@model.invariant\ndef claim(s: State, p: A) -> bool:\n{writer.claim()}\n")
    lines.append(f"@model.sometimes\ndef witness(s: State) -> bool:\n{writer.claim(())}\n")
    return "\n".join(lines)


def model_of(source: str) -> Model[Any]:
    """The model that a text defines."""
    space: dict[str, Any] = {"__name__": "random_model"}
    exec(compile(source, "random_model.py", "exec"), space)
    model = space["model"]
    assert isinstance(model, Model)
    return model


def machine_of(source: str, size: int = 2) -> Machine[Any]:
    """The model that a text defines, in a small closed scope."""
    return model_of(source).closed(size=size)
