"""What can go wrong while a specification runs, and who is told.

`Disabled` is not an error: it is how an action says "not now".  Everything else is.
"""

from __future__ import annotations


class Disabled(Exception):
    """An action's guard refused: the action is not possible in this state."""


class SpecError(Exception):
    """The specification itself is wrong: it left a range, or raised, or asked the impossible.

    `where` is the source position, `path:line`, of the specification's own line, or empty.
    """

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where

    def __str__(self) -> str:
        return f"{self.message} ({self.where})" if self.where else self.message


class Misuse(SpecError):
    """The language is used in a way that can never be right, whatever the state."""


class OutOfRange(SpecError):
    """A value was assigned that its field's declared range does not hold."""


class ScopeError(ValueError):
    """The constants that were given do not make a scope of this model."""
