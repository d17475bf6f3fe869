"""A slip of the pen in the code under test: one function, with a few words of its text changed."""

import inspect
import textwrap
from types import FunctionType, ModuleType
from typing import Any

import pytest


def slip(patch: pytest.MonkeyPatch, module: ModuleType, name: str, right: str, wrong: str) -> None:
    """Puts `wrong` for `right`, which has to be there once, in the text of a module's function.

    The function stays the same object, so that whoever holds it calls the changed one.
    """
    function = getattr(module, name)
    assert isinstance(function, FunctionType)
    text = textwrap.dedent(inspect.getsource(function))
    assert text.count(right) == 1, f"{text.count(right)} times in {name}: {right}"
    made: dict[str, Any] = dict(vars(module))
    changed = "from __future__ import annotations\n" + text.replace(right, wrong)
    exec(compile(changed, f"{module.__file__}, with a slip", "exec"), made)
    patch.setattr(function, "__code__", made[name].__code__)
