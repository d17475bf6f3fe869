"""Settings as Kafka's clients see them: text with a name, a type and a range."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TypeVar

_Number = TypeVar("_Number", int, float)
ConfigValue = bool | int | float | str | None


class ConfigType(IntEnum):
    """Kafka's numbers for types of settings in DescribeConfigs (KIP-569)."""

    BOOLEAN = 1
    STRING = 2
    INT = 3
    SHORT = 4
    LONG = 5
    DOUBLE = 6
    LIST = 7
    CLASS = 8
    PASSWORD = 9


INT_MAX = (1 << 31) - 1
LONG_MAX = (1 << 63) - 1
_LARGEST = {ConfigType.SHORT: (1 << 15) - 1, ConfigType.INT: INT_MAX, ConfigType.LONG: LONG_MAX}


class ConfigInvalid(Exception):
    """A setting that there is not, or a value that it cannot have.  The message says which."""


@dataclass(frozen=True, slots=True)
class ConfigDefinition:
    """One setting: its name, what values it takes, and what it does."""

    name: str
    type: ConfigType
    default: ConfigValue
    documentation: str
    minimum: float = -math.inf
    maximum: float = math.inf
    choices: Sequence[str] = ()
    """Of a string, or of each item of a list; empty: any."""
    excluded: Sequence[int] = ()
    """Numbers inside the range that are no values."""
    pattern: str = ""
    """What each item of a list looks like, as a regular expression; empty: anything."""

    def parse(self, text: str, *, is_range_checked: bool = True) -> ConfigValue:
        """The value that a text means.  A list stays a text, without spaces around its commas.

        Raises `ConfigInvalid`.
        """
        text = text.strip()
        kind = self.type
        if kind == ConfigType.BOOLEAN:
            if text.lower() not in ("true", "false"):
                raise self._refused(text, "Expected value to be either true or false")
            return text.lower() == "true"
        if kind == ConfigType.DOUBLE:
            number = self._number(text)
            return self._in_range(text, number) if is_range_checked else number
        if kind in _LARGEST:
            integer = self._integer(text)
            if integer in self.excluded and is_range_checked:
                raise self._refused(text, f"Value must not be {integer}")
            return self._in_range(text, integer) if is_range_checked else integer
        if kind == ConfigType.LIST:
            items = [item.strip() for item in text.split(",")] if text else []
            for item in items:
                self._check_choice(text, item)
                if self.pattern and re.fullmatch(self.pattern, item) is None:
                    raise self._refused(text, f"each item should match {self.pattern}")
            return ",".join(items)
        self._check_choice(text, text)
        return text

    def _number(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise self._refused(text, "Not a number of type DOUBLE") from None

    def _integer(self, text: str) -> int:
        digits = text[1:] if text[:1] in ("-", "+") else text
        # A few of Python's ways to write a number are not Java's, and a long text takes long.
        if not digits.isascii() or not digits.isdigit() or len(digits) > 20:
            raise self._refused(text, f"Not a number of type {self.type.name}")
        number = int(text)
        largest = _LARGEST[self.type]
        if not -largest - 1 <= number <= largest:
            raise self._refused(text, f"Not a number of type {self.type.name}")
        return number

    def _in_range(self, text: str, number: _Number) -> _Number:
        if not number >= self.minimum:
            raise self._refused(text, f"Value must be at least {self.minimum}")
        if not number <= self.maximum:
            raise self._refused(text, f"Value must be no more than {self.maximum}")
        return number

    def _check_choice(self, text: str, item: str) -> None:
        if self.choices and item not in self.choices:
            raise self._refused(text, f"String must be one of: {', '.join(self.choices)}")

    def _refused(self, text: str, reason: str) -> ConfigInvalid:
        return ConfigInvalid(f"Invalid value {text[:100]} for configuration {self.name}: {reason}")


def text_of(value: ConfigValue) -> str | None:
    """A value as clients are shown it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)
