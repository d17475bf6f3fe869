"""A machine: a model in a scope, run in CPython, its functions as they are.

This is the ground truth that every engine is held against, and the part that follows a broker in
lock step.  A step costs what it touches: nothing is copied, and a refused step is rolled back.
"""

from __future__ import annotations

import itertools
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, TypeVar, cast

from .containers import PlainStore
from .domains import domain_of
from .errors import Disabled, SpecError
from .guards import Running
from .keys import shown_arguments
from .model import Definition, Model, Property, PropertyKind
from .quantities import Constant, Values
from .scalars import Domain, Leaf
from .scope import Scope
from .store import MADE, Store
from .structs import Struct

S = TypeVar("S", bound=Struct)
R = TypeVar("R")

LANGUAGE = str(Path(__file__).parent)
"""Where the language's own files are: never the place to blame in a specification."""

STANDARD_LIBRARY = str(Path(typing.__file__).parent)
"""Where Python's own files are; installed packages, such as this one, may be in a folder of it."""


@dataclass(frozen=True, eq=False)
class Instance:
    """An action, or a property, with values for its parameters."""

    index: int
    definition: Definition
    arguments: Mapping[str, Any]

    @property
    def label(self) -> str:
        """As a reader writes it: `leader_write(leader=b0)`."""
        return f"{self.definition.name}({shown_arguments(self.arguments)})"

    def __repr__(self) -> str:
        return self.label


class Machine(Generic[S]):
    """A model in a scope.  `leaves`, `instances` and codes exist in closed scopes only."""

    def __init__(self, model: Model[S], scope: Scope) -> None:
        self.model, self.scope = model, scope
        self.domain = domain_of(model.state, scope)
        self._sorts: dict[Any, Domain] = {}
        self._nowhere = PlainStore(scope)

    def __repr__(self) -> str:
        inner = ", ".join(f"{name}={value}" for name, value in self.scope.constants.items())
        return f"{self.model!r} in {'open ' if self.scope.is_open else ''}scope ({inner})"

    # -- what there is -----------------------------------------------------------------------

    @cached_property
    def leaves(self) -> list[Leaf]:
        """Every number of the state, in code order."""
        return list(self.domain.leaves(()))

    @cached_property
    def instances(self) -> list[Instance]:
        """Every action with every choice of parameters, in order of declaration."""
        found: list[Instance] = []
        for definition in self.model.actions.values():
            for arguments in self.choices(definition):
                found.append(Instance(len(found), definition, arguments))
        return found

    def choices(self, definition: Definition) -> Iterator[dict[str, Any]]:
        """Every choice of values for a definition's parameters."""
        names = list(definition.parameters)
        with self.in_scope():
            ranges = [
                list(domain_of(sort, self.scope).values())
                for sort in definition.parameters.values()
            ]
        for values in itertools.product(*ranges):
            yield dict(zip(names, values, strict=True))

    # -- states ------------------------------------------------------------------------------

    def new_state(self) -> S:
        """A state whose fields all have their initial values; `initial_states` goes on from it."""
        store = PlainStore(self.scope)
        return cast(S, self.domain.default(store))

    def initial_state(self, **arguments: Any) -> S:
        """The initial state, for these values of the parameters of init."""
        state = self.new_state()
        initial = self.model.initial
        expected = list(initial.parameters) if initial is not None else []
        if arguments.keys() != set(expected):
            raise SpecError(
                f"init takes {', '.join(expected) or 'nothing'}; "
                f"given {', '.join(arguments) or 'nothing'}"
            )
        if initial is not None:
            self._call(initial.function, state, *[arguments[name] for name in expected])
        self.store_of(state).commit()
        return state

    def initial_codes(self) -> list[tuple[int, ...]]:
        """The codes of every initial state, each once."""
        found: dict[tuple[int, ...], None] = {}
        choices = self.choices(self.model.initial) if self.model.initial else iter([{}])
        for arguments in choices:
            try:
                found[self.codes(self.initial_state(**arguments))] = None
            except Disabled:
                continue
        return list(found)

    def codes(self, state: S) -> tuple[int, ...]:
        """The state as numbers, one for each leaf."""
        out: list[int] = []
        self.domain.write(state, out)
        return tuple(out)

    def load(self, codes: tuple[int, ...]) -> S:
        """The state with these codes."""
        numbers = iter(codes)
        store = PlainStore(self.scope)
        return cast(S, self.domain.read(lambda scalar: scalar.decode(next(numbers)), store))

    @staticmethod
    def store_of(state: Struct) -> Store:
        """The store that a state lives in."""
        store = state._store
        assert store is not None, "a struct that was built by hand is no state"
        return store

    # -- steps -------------------------------------------------------------------------------

    def attempt(self, state: S, definition: Definition, arguments: Mapping[str, Any]) -> bool:
        """Runs an action; True if it happened, False if it was not possible.

        What it wrote is not committed yet: the caller commits or rolls back.  A `SpecError` means
        that the specification is wrong; the state is as it was before.
        """
        try:
            self._call(definition.function, state, *arguments.values())
        except Disabled:
            self.store_of(state).rollback()
            return False
        except SpecError:
            self.store_of(state).rollback()
            raise
        return True

    def step(self, state: S, action: str, **arguments: Any) -> bool:
        """Takes a step by name: True if the action was possible and has happened.

        Ids may be given by name; in an open scope a new name is a new id.
        """
        definition = self.model.actions.get(action)
        if definition is None:
            known = ", ".join(self.model.actions)
            raise SpecError(f"{self.model!r} has no action {action}: it has {known}")
        if arguments.keys() != definition.parameters.keys():
            expected = ", ".join(definition.parameters) or "none"
            raise SpecError(f"{action} takes {expected}; given {', '.join(arguments) or 'none'}")
        values = {
            name: self._argument(name, definition.parameters[name], arguments[name])
            for name in definition.parameters
        }
        happened = self.attempt(state, definition, values)
        self.store_of(state).commit()
        return happened

    def _argument(self, name: str, sort: Any, value: Any) -> Any:
        if isinstance(value, str) and hasattr(sort, "symmetric"):
            return self.scope.id(sort, value)
        if hasattr(sort, "_fields"):
            return value  # A struct: the action checks it where it is put.
        known = self._sorts.get(sort)
        if known is None:
            known = self._sorts[sort] = domain_of(sort, self.scope)
        return known.attach(value, self._nowhere, name)

    def successors(self, codes: tuple[int, ...]) -> Iterator[tuple[Instance, tuple[int, ...]]]:
        """Every possible step from a state: the action instance and the codes after it."""
        state = self.load(codes)
        store = self.store_of(state)
        for instance in self.instances:
            if self.attempt(state, instance.definition, instance.arguments):
                after = self.codes(state)
                store.rollback()
                yield instance, after

    def holds(self, state: S, definition: Definition, arguments: Mapping[str, Any]) -> bool:
        """The value of a predicate; a `SpecError` if it changes the state or raises."""
        store = self.store_of(state)
        try:
            value = bool(self._call(definition.function, state, *arguments.values()))
        except Disabled:
            raise SpecError(f"{definition.name} uses require: a property has no guard") from None
        finally:
            is_changed = any(former is not MADE for _, _, former in store.journal)
            store.rollback()
        if is_changed:
            raise SpecError(f"{definition.name} changes the state: a property only looks")
        return value

    def breaking(self, state: S, claim: Property) -> dict[str, Any] | None:
        """The parameters for which an invariant is false, or a `sometimes` true; None if none."""
        wanted = claim.kind is PropertyKind.SOMETIMES
        for arguments in self.choices(claim.definition):
            if self.holds(state, claim.definition, arguments) is wanted:
                return arguments
        return None

    # -- calling -----------------------------------------------------------------------------

    def in_scope(self, values: Mapping[Constant, float] | None = None) -> _InScope:
        """Makes this scope the running one inside a `with`; `values` replace its constants."""
        return _InScope(self.scope, self.scope.values if values is None else values)

    def _call(self, function: Callable[..., R], *arguments: Any) -> R:
        before = Running.scope, Values.running
        Running.scope, Values.running = self.scope, self.scope.values
        try:
            return function(*arguments)
        except Disabled:
            raise
        except SpecError as error:
            if not error.where:
                error.where = blame(error.__traceback__)
            raise
        except Exception as error:
            what = f"{type(error).__name__}: {error}"
            raise SpecError(
                f"{function.__name__} raised {what}", blame(error.__traceback__)
            ) from error
        finally:
            Running.scope, Values.running = before


class _InScope:
    """Makes a scope the running one inside a `with`."""

    def __init__(self, scope: Scope, values: Mapping[Constant, float]) -> None:
        self.scope, self.values = scope, values

    def __enter__(self) -> None:
        self.before = Running.scope, Values.running
        Running.scope, Values.running = self.scope, self.values

    def __exit__(self, *_: object) -> None:
        Running.scope, Values.running = self.before


def is_specification(filename: str) -> bool:
    """Whether code in a file is a specification's: not the language's, and not Python's own."""
    is_python = filename.startswith(STANDARD_LIBRARY) and "site-packages" not in filename
    return not is_python and not filename.startswith((LANGUAGE, "<"))


def blame(traceback: TracebackType | None) -> str:
    """The innermost line of the specification in a traceback, as `path:line`."""
    found = ""
    while traceback is not None:
        filename = traceback.tb_frame.f_code.co_filename
        if is_specification(filename):
            found = f"{filename}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return found
