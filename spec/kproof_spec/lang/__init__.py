"""The specification language: ordinary typed Python, standard library alone.

A specification imports from here and nowhere else.  Read `fields` for what a state is made of,
`guards` for what an action says, `model` for how it all comes together.  `machine` runs it.
"""

from .containers import Seq, SetOf, Table
from .errors import Disabled, Misuse, OutOfRange, ScopeError, SpecError
from .fields import choice, flag, history, integer, maybe, member, nested, seq, subset, table
from .guards import (
    count,
    each,
    exists,
    forall,
    max_,
    max_over,
    min_,
    min_over,
    pure,
    require,
    span,
)
from .machine import Instance, Machine
from .model import Definition, Fairness, Model, Mutant, Property, PropertyKind
from .quantities import bound, constant
from .scope import Scope
from .sorts import NONE, Bounded, Id
from .structs import Struct

__all__ = [
    "NONE",
    "Bounded",
    "Definition",
    "Disabled",
    "Fairness",
    "Id",
    "Instance",
    "Machine",
    "Misuse",
    "Model",
    "Mutant",
    "OutOfRange",
    "Property",
    "PropertyKind",
    "Scope",
    "ScopeError",
    "Seq",
    "SetOf",
    "SpecError",
    "Struct",
    "Table",
    "bound",
    "choice",
    "constant",
    "count",
    "each",
    "exists",
    "flag",
    "forall",
    "history",
    "integer",
    "max_",
    "max_over",
    "maybe",
    "member",
    "min_",
    "min_over",
    "nested",
    "pure",
    "require",
    "seq",
    "span",
    "subset",
    "table",
]
