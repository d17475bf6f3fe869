"""What cannot be seen while a function runs, looked for in its source.

`is` cannot be overloaded: `me.leader is None` would quietly be false for a value that is not known
yet.  So it is refused in every function that a model uses, with the line and what to write instead.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

from kproof_spec.lang import Misuse, Model
from kproof_spec.lang.guards import Pure


def check_source(model: Model[Any]) -> None:
    """Refuses `is` and `is not` in the functions of a model, and in those that they call."""
    seen: set[types.CodeType] = set()
    for function in _functions(model):
        _check(function, seen)


def _functions(model: Model[Any]) -> Iterator[Callable[..., Any]]:
    for action in model.actions.values():
        yield action.function
    for claim in model.properties.values():
        yield claim.definition.function
    yield from model.overrides.values()


def _check(function: Callable[..., Any], seen: set[types.CodeType]) -> None:
    code = function.__code__
    if code in seen:
        return
    seen.add(code)
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, SyntaxError, TypeError):
        return  # No source to look at, as in an interactive session.
    for node in ast.walk(tree):
        is_compared = isinstance(node, ast.Compare) and any(
            isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops
        )
        if is_compared or isinstance(node, ast.MatchSingleton):
            line: int = getattr(node, "lineno", 1)
            raise Misuse(
                f"{function.__name__} compares with `is`, which cannot see a value of the state: "
                "write == or != (and NONE for no id)",
                f"{code.co_filename}:{code.co_firstlineno + line - 1}",
            )
    space = inspect.getclosurevars(function)
    for called in (*space.globals.values(), *space.nonlocals.values()):
        plain = called.function if isinstance(called, Pure) else called
        if isinstance(plain, types.FunctionType) and not _is_ours(plain):
            _check(plain, seen)


def _is_ours(function: types.FunctionType) -> bool:
    return function.__module__.startswith(("kproof_spec.lang", "kproof_checker", "typing", "enum"))
