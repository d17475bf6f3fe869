"""The source text behind running code: which expression a frame stood at."""

from __future__ import annotations

import ast
import linecache
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from kproof_spec.lang.machine import is_specification


@lru_cache(maxsize=64)
def parsed(filename: str) -> ast.Module | None:
    """The syntax tree of a file; None if its source is not there or does not parse."""
    text = "".join(linecache.getlines(filename))
    try:
        return ast.parse(text) if text else None
    except (SyntaxError, ValueError):
        return None


def source_of(filename: str, node: ast.AST) -> str:
    """The text of a node as it stands in the file, its first line moved to the left edge."""
    text = "".join(linecache.getlines(filename))
    found = ast.get_source_segment(text, node, padded=True) or ""
    lines = found.splitlines()
    margin = min((len(x) - len(x.lstrip()) for x in lines if x.strip()), default=0)
    return "\n".join(line[margin:] for line in lines)


def line_of(filename: str, line: int) -> str:
    """One line of a file, without its indentation; empty if the file is not there."""
    return linecache.getline(filename, line).strip()


def short_position(filename: str, line: int) -> str:
    """`path:line`, the path from the current folder if it is below it."""
    path = Path(filename)
    here = Path.cwd()
    shown = path.relative_to(here) if path.is_relative_to(here) else path
    return f"{shown}:{line}"


def is_spec_code(code: CodeType) -> bool:
    """Whether code is a specification's: not the language's, Python's or this package's."""
    own = str(Path(__file__).parent)
    return is_specification(code.co_filename) and not code.co_filename.startswith(own)


@dataclass(frozen=True)
class Returned:
    """How a call ended: the line of its `return` and the names that were known there."""

    line: int
    names: dict[str, Any]


def call_watched(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Returned | None]:
    """Calls a plain function; its value, and where it returned."""
    found: Returned | None = None

    def watch(frame: FrameType, event: str, _argument: Any) -> None:
        nonlocal found
        if event == "return" and frame.f_code is function.__code__:
            found = Returned(frame.f_lineno, {**frame.f_globals, **frame.f_locals})

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        value = function(*arguments)
    finally:
        sys.setprofile(before)
    return value, found


def call_at(frame: FrameType, line: int, instruction: int) -> ast.Call | None:
    """The innermost call at which a frame of a traceback stands."""
    tree = parsed(frame.f_code.co_filename)
    if tree is None:
        return None
    positions = list(frame.f_code.co_positions())
    start, end, column, end_column = positions[instruction // 2]
    covering = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or node.end_lineno is None:
            continue
        place = (node.lineno, node.end_lineno, node.col_offset, node.end_col_offset)
        if place == (start, end, column, end_column):
            return node
        if node.lineno <= line <= node.end_lineno:
            covering.append(node)
    # Without columns (python -X no_debug_ranges), only a line with one call is certain.
    return covering[0] if len(covering) == 1 else None


def decided_at(filename: str, line: int) -> tuple[ast.stmt, ast.expr] | None:
    """What the `return` at a line depends on: the statement to show, and its expression.

    For `return False` that is the innermost `if` around it.
    """
    tree = parsed(filename)
    if tree is None:
        return None
    around: list[ast.stmt] = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.stmt) and node.lineno <= line <= (node.end_lineno or node.lineno)
    ]
    returned = next((node for node in around[::-1] if isinstance(node, ast.Return)), None)
    if returned is None or returned.value is None:
        return None
    if not isinstance(returned.value, ast.Constant):
        return returned, returned.value
    inside = around[: around.index(returned)][::-1]
    for node in inside:
        if isinstance(node, ast.If):
            return node, node.test
        if isinstance(node, ast.FunctionDef):
            break
    return returned, returned.value


def assigned_once(filename: str, line: int) -> dict[str, ast.expr]:
    """The names that the function around a line gives one value and no more, with its expression.

    Such a name stands for its expression: `is_leader = s.leader == replica`.
    """
    tree = parsed(filename)
    if tree is None:
        return {}
    functions = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.lineno <= line <= (node.end_lineno or 0)
    ]
    if not functions:
        return {}
    stored = [
        node.id
        for node in ast.walk(functions[-1])
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    ]
    found = {}
    for node in ast.walk(functions[-1]):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = value
    return {name: value for name, value in found.items() if stored.count(name) == 1}
