"""Models: a state, what can happen to it, and what must be true of it.

    model = Model("two_phase_commit", State, constants=[resource_managers])

    @model.action
    def prepare(s: State, rm: ResourceManagerId) -> None: ...

    @model.invariant
    def outcomes_agree(s: State, a: ResourceManagerId, b: ResourceManagerId) -> bool: ...

Decorators give the function back unchanged, so it can be called like any other.  Parameters range
over their types: an action can happen for any values, an invariant must hold for all of them, a
`sometimes` must be reached for one.
"""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, cast, overload

from .errors import ScopeError, SpecError
from .fields import is_sort
from .guards import Pure
from .quantities import Constant
from .scope import Scope
from .structs import Struct

if TYPE_CHECKING:
    from .machine import Machine

S = TypeVar("S", bound=Struct)
F = TypeVar("F", bound=Callable[..., Any])


class Fairness(Enum):
    """What is assumed of an action when liveness is asked about."""

    NONE = "none"
    WEAK = "weak"
    """If it stays possible from some point on, it happens."""
    STRONG = "strong"
    """If it is possible again and again, it happens."""


class PropertyKind(Enum):
    """What a property claims."""

    INVARIANT = "invariant"
    """True in every reachable state."""
    SOMETIMES = "sometimes"
    """True in some reachable state: a witness that the model is not vacuous."""
    EVENTUALLY = "eventually"
    """True at some point of every fair run."""
    LEADS_TO = "leads_to"
    """In every fair run, whenever the premise is true, the goal is true then or later."""

    @property
    def is_liveness(self) -> bool:
        """Whether it is about whole runs, rather than about single states."""
        return self in {PropertyKind.EVENTUALLY, PropertyKind.LEADS_TO}


@dataclass(frozen=True)
class Definition:
    """A function of a model, with the sorts that its parameters range over."""

    name: str
    function: Callable[..., Any]
    parameters: Mapping[str, Any]
    fairness: Fairness = Fairness.NONE

    @property
    def doc(self) -> str:
        """The docstring, or an empty text."""
        return inspect.getdoc(self.function) or ""

    @property
    def title(self) -> str:
        """The first sentence of the docstring."""
        return self.doc.split("\n\n")[0].replace("\n", " ")

    @property
    def position(self) -> tuple[str, int]:
        """The file and the line where the function begins."""
        code = self.function.__code__
        return code.co_filename, code.co_firstlineno


@dataclass(frozen=True)
class Property:
    """A claim about a model."""

    kind: PropertyKind
    definition: Definition
    premise: Definition | None = None

    @property
    def name(self) -> str:
        """The name of its function."""
        return self.definition.name

    @property
    def definitions(self) -> list[Definition]:
        """The premise, if there is one, and the claim itself."""
        return [d for d in (self.premise, self.definition) if d is not None]


@dataclass(frozen=True)
class Mutant:
    """A wrong variant, kept to show that a property can be broken and that the break is found."""

    name: str
    breaks: str
    """The property that it breaks."""
    replaces: Any
    """The name of an action, or a `pure` definition."""
    replacement: Definition
    scope: Mapping[str, int] = field(default_factory=dict)
    """Constants of a scope in which the break is reachable; the rest have their defaults."""

    @property
    def story(self) -> str:
        """What goes wrong, in prose."""
        return self.replacement.doc


class Model(Generic[S]):
    """A state machine with its properties and mutants.  `variant` is empty for a model alone."""

    def __init__(
        self,
        name: str,
        state: type[S],
        *,
        constants: Iterable[int] = (),
        title: str = "",
        variant: str = "",
    ) -> None:
        self.name, self.variant, self.title = name, variant, title
        self.mutant_name = ""
        """The mutant that this model is, or empty."""
        self.state = state
        self.constants = [cast(Constant, c) for c in constants]
        self.initial: Definition | None = None
        self.actions: dict[str, Definition] = {}
        self.properties: dict[str, Property] = {}
        self.mutants: dict[str, Mutant] = {}
        self.overrides: dict[Any, Callable[..., Any]] = {}

    def __repr__(self) -> str:
        parts = [self.name, self.variant and f"variant {self.variant}"]
        return ", ".join(filter(None, [*parts, self.mutant_name and f"mutant {self.mutant_name}"]))

    # -- declaring ---------------------------------------------------------------------------

    def init(self, function: F) -> F:
        """Declares the initial state: changes a state whose fields are all initial.

        With parameters, there is an initial state for each of their values.
        """
        self.initial = _definition(function)
        return function

    @overload
    def action(self, function: F) -> F: ...

    @overload
    def action(self, *, fairness: Fairness) -> Callable[[F], F]: ...

    def action(self, function: F | None = None, *, fairness: Fairness = Fairness.NONE) -> Any:
        """Declares something that can happen."""
        depth = 2

        def register(function: F) -> F:
            definition = replace(_definition(function, depth), fairness=fairness)
            self.actions[definition.name] = definition
            return function

        if function is None:
            return register
        depth = 3
        return register(function)

    def _property(self, kind: PropertyKind, function: F) -> F:
        definition = _definition(function, depth=3)
        self.properties[definition.name] = Property(kind, definition)
        return function

    def invariant(self, function: F) -> F:
        """Declares what must be true in every reachable state, for all parameters."""
        return self._property(PropertyKind.INVARIANT, function)

    def sometimes(self, function: F) -> F:
        """Declares what must be true in some reachable state, for some parameters."""
        return self._property(PropertyKind.SOMETIMES, function)

    def eventually(self, function: F) -> F:
        """Declares what must come true in every fair run."""
        return self._property(PropertyKind.EVENTUALLY, function)

    def leads_to(self, premise: Callable[..., bool]) -> Callable[[F], F]:
        """Declares that whenever `premise` is true, the decorated goal is true then or later."""

        def register(goal: F) -> F:
            before, after = _definition(premise), _definition(goal)
            if dict(before.parameters) != dict(after.parameters):
                raise SpecError(f"{before.name} and {after.name} must have the same parameters")
            self.properties[after.name] = Property(PropertyKind.LEADS_TO, after, before)
            return goal

        return register

    def mutant(
        self,
        *,
        replaces: Callable[..., Any],
        breaks: Callable[..., Any],
        scope: Mapping[str, int] | None = None,
    ) -> Callable[[F], F]:
        """Declares a wrong twin of an action or a `pure` definition.

        `breaks` is the invariant that does not hold with it, `scope` the constants of a scope
        where that shows (the rest have their defaults).  The docstring tells the story.
        """
        broken = breaks.__name__
        if broken not in self.properties:
            raise SpecError(f"{broken} is not a property of {self!r}: it has {[*self.properties]}")
        target = replaces if isinstance(replaces, Pure) else replaces.__name__
        if not isinstance(target, Pure) and target not in self.actions:
            raise SpecError(f"{target} is neither an action of {self!r} nor a `pure` definition")

        def register(function: F) -> F:
            definition = _definition(function)
            mutant = Mutant(definition.name, broken, target, definition, dict(scope or {}))
            if not isinstance(target, Pure):
                expected = list(self.actions[target].parameters)
                if list(definition.parameters) != expected:
                    raise SpecError(f"{definition.name} must have the parameters {expected}")
            self.mutants[mutant.name] = mutant
            return function

        return register

    # -- deriving ----------------------------------------------------------------------------

    def extend(self, variant: str, *, title: str = "", without: Iterable[str] = ()) -> Self:
        """A variant that starts from a copy of this model, `without` some of its actions.

        What the variant declares under a name that is there already takes its place.
        """
        copy = type(self)(
            self.name, self.state, constants=(), title=title or self.title, variant=variant
        )
        copy.constants = list(self.constants)
        copy.initial = self.initial
        gone = set(without)
        copy.actions = {n: action for n, action in self.actions.items() if n not in gone}
        copy.properties = dict(self.properties)
        copy.mutants = {
            n: mutant
            for n, mutant in self.mutants.items()
            if isinstance(mutant.replaces, Pure) or mutant.replaces in copy.actions
        }
        copy.overrides = dict(self.overrides)
        return copy

    def mutated(self, name: str) -> Self:
        """The model with one of its mutants in place of what it replaces."""
        if name not in self.mutants:
            known = ", ".join(self.mutants) or "none"
            raise ScopeError(f"{self!r} has no mutant {name}: it has {known}")
        mutant = self.mutants[name]
        copy = self.extend(self.variant)
        copy.mutant_name = name
        if isinstance(mutant.replaces, Pure):
            copy.overrides[mutant.replaces] = mutant.replacement.function
        else:
            replaced = copy.actions[mutant.replaces]
            copy.actions[mutant.replaces] = replace(
                mutant.replacement, name=replaced.name, fairness=replaced.fairness
            )
        return copy

    # -- running -----------------------------------------------------------------------------

    def closed(self, **constants: int) -> Machine[S]:
        """The model in a finite scope; constants left out have their defaults."""
        from .machine import Machine  # noqa: PLC0415 - a machine is made of a model

        return Machine(self, Scope(self.constants, constants, overrides=self.overrides))

    def open(self, **constants: int) -> Machine[S]:
        """The model in an open scope: no bounds but those given, ids that grow by name."""
        from .machine import Machine  # noqa: PLC0415 - a machine is made of a model

        scope = Scope(self.constants, constants, is_open=True, overrides=self.overrides)
        return Machine(self, scope)


def _definition(function: Callable[..., Any], depth: int = 2) -> Definition:
    """Reads a function's parameters; `depth` leads to the frame in which it was defined."""
    plain_function = function.function if isinstance(function, Pure) else function
    names = list(inspect.signature(plain_function).parameters)
    if not names:
        raise SpecError(f"{function.__name__} takes no state: its first parameter is the state")
    hints = typing.get_type_hints(plain_function, localns=sys._getframe(depth).f_locals)
    parameters = {}
    for name in names[1:]:
        sort = hints.get(name)
        if not is_sort(sort):
            raise SpecError(
                f"{function.__name__}: parameter {name} has type {sort!r}, which has no list of "
                "values: expected a subclass of Id or Bounded, an Enum, bool, or a Struct of these"
            )
        parameters[name] = sort
    return Definition(function.__name__, plain_function, parameters)
