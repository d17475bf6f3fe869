"""What differs between two states, said in the words of the specification."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from kproof_spec.lang import Machine, SetOf
from kproof_spec.lang.domains import SeqDomain, SetDomain, StructDomain, TableDomain
from kproof_spec.lang.keys import shown
from kproof_spec.lang.scalars import Domain

WHOLE_MAX = 72
"""Up to how many characters a sequence or a set is shown whole, rather than what it gained."""


@dataclass(frozen=True)
class Change:
    """One place of the state with two values, each as a reader writes it."""

    label: str
    before: str
    after: str
    """The new value; or, if `before` is empty, how a long sequence or set changed."""

    def __str__(self) -> str:
        said = f"{self.before} -> {self.after}" if self.before else self.after
        return f"{self.label}: {said}"


def changes(machine: Machine[Any], before: tuple[int, ...], after: tuple[int, ...]) -> list[Change]:
    """Where two states differ, in the order of the fields."""
    return list(_changes(machine.domain, machine.load(before), machine.load(after), ""))


def _changes(domain: Domain, before: Any, after: Any, label: str) -> Iterator[Change]:
    if before == after:
        return
    match domain:
        case StructDomain():
            for name, field in domain.fields.items():
                inner = f"{label}.{name}" if label else name
                yield from _changes(field, getattr(before, name), getattr(after, name), inner)
        case TableDomain():
            for key, value in before._entries():
                yield from _changes(domain.element, value, after[key], f"{label}[{shown(key)}]")
        case SeqDomain() if before.end == after.end:
            for i, (one, other) in enumerate(zip(before, after, strict=True)):
                yield from _changes(domain.element, one, other, f"{label}[{i}]")
        case SeqDomain() | SetDomain():
            whole = Change(label, shown(before), shown(after))
            is_short = max(len(whole.before), len(whole.after)) <= WHOLE_MAX
            in_words = "" if is_short else _in_words(before, after)
            yield Change(label, "", in_words) if in_words else whole
        case _:
            yield Change(label, shown(before), shown(after))


def _in_words(before: Any, after: Any) -> str:
    """How a long sequence or set changed, or nothing if that is not short to say."""
    if isinstance(before, SetOf):
        gained, lost = list(after - before), list(before - after)
        parts = [
            f"{verb} {', '.join(map(shown, members))}"
            for verb, members in (("gains", gained), ("loses", lost))
            if members
        ]
        return " and ".join(parts)
    old, new = list(before), list(after)
    common = min(len(old), len(new))
    if old[:common] == new[:common]:
        verb, rest = ("gains", new[common:]) if len(new) > common else ("loses", old[common:])
        return f"{verb} {shown(rest)} at its end, now {len(new)} long"
    if old[len(old) - common :] == new[len(new) - common :] and len(new) < len(old):
        return f"loses {shown(old[: len(old) - common])} at its front, now {len(new)} long"
    return ""
