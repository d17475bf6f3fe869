"""Which names a topic may have.

REF   Kafka's `Topic.validate`: 1 to 249 of ASCII letters, digits, dot, underscore and hyphen, and
      not "." or ".."; names that differ only in dots and underscores collide in metrics.
"""

import re

CONSUMER_OFFSETS = "__consumer_offsets"
INTERNAL_TOPICS = frozenset({CONSUMER_OFFSETS, "__transaction_state", "__share_group_state"})
NAME_LENGTH_MAX = 249

_LEGAL = re.compile(r"[a-zA-Z0-9._-]+")


def why_invalid(name: str) -> str | None:
    """Why a topic may not have this name; None if it may."""
    if not name:
        reason = "the empty string is not allowed"
    elif name in (".", ".."):
        reason = f"'{name}' is not allowed"
    elif len(name) > NAME_LENGTH_MAX:
        reason = f"it has {len(name)} characters, and {NAME_LENGTH_MAX} are the most allowed"
    elif _LEGAL.fullmatch(name) is None:
        reason = (
            f"{name[:NAME_LENGTH_MAX]!r} contains characters other than ASCII letters, digits, "
            f"'.', '_' and '-'"
        )
    else:
        return None
    return f"Topic name is invalid: {reason}"


def has_collision_characters(name: str) -> bool:
    return "." in name or "_" in name


def unified(name: str) -> str:
    """The name as metrics see it: two names with the same one collide."""
    return name.replace(".", "_")
