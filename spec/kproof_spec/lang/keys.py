"""What a member of a set goes by, and how values are written for readers."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from .symbolic import plain


def member_key(member: Any) -> Any:
    """A key for a value: equal for equal values, hashable, ordered within a sort."""
    member = plain(member)
    own = getattr(member, "_member_key", None)
    if own is not None:
        return own()
    if isinstance(member, Enum):
        return list(type(member)).index(member)
    return int(member)


def shown(value: Any) -> str:
    """A value as a specification writes it: an enum member by its name alone."""
    match value:
        case Enum():
            return value.name
        case dict():
            return "{" + ", ".join(f"{shown(k)}: {shown(v)}" for k, v in value.items()) + "}"
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case tuple():
            return f"({', '.join(map(shown, value))}{',' * (len(value) == 1)})"
    return repr(value)


def shown_arguments(arguments: Mapping[str, Any]) -> str:
    """Arguments as a reader writes them: `leader=b0, epoch=2`."""
    return ", ".join(f"{name}={shown(value)}" for name, value in arguments.items())
