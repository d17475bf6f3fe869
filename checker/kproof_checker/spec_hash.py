"""Which specification a trace belongs to."""

from __future__ import annotations

import ast
import hashlib
import sys
from typing import Any

from kproof_spec.lang import Model


def spec_hash(model: Model[Any]) -> str:
    """A hash of the source that defines a model: code only, comments and docstrings left out.

    Sixteen hexadecimal digits.  It covers every module in which an action, property, initial state,
    mutant or the state's struct is written; not the language, whose changes are ours to keep safe.
    """
    functions = [action.function for action in model.actions.values()]
    functions += [claim.definition.function for claim in model.properties.values()]
    functions += list(model.overrides.values())
    functions += [model.initial.function] if model.initial else []
    modules = {function.__module__ for function in functions} | {model.state.__module__}
    digest = hashlib.sha256()
    for name in sorted(modules):
        digest.update(_code_of(name).encode())
    return digest.hexdigest()[:16]


def _code_of(module: str) -> str:
    path = getattr(sys.modules.get(module), "__file__", None)
    if path is None:
        return module
    with open(path, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
    return ast.dump(tree)
