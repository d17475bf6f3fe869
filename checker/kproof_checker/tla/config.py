"""The configuration that makes TLC check an exported module."""

from __future__ import annotations

from collections.abc import Sequence


def configuration(
    constants: Sequence[str],
    invariants: Sequence[str],
    witnesses: Sequence[str],
    *,
    has_symmetry: bool,
    symmetry: bool,
) -> str:
    """The text of the `.cfg` file.

    Witnesses are there as comments: each says that something never happens, so it is expected to be
    violated, and TLC stops at the first violation.
    """
    lines = [
        "\\* TLC stops at the first violation. With -continue it goes on, telling of one violated",
        "\\* invariant for each state: to settle each for itself, name one at a time.",
        "INIT Init",
        "NEXT Next",
        "CHECK_DEADLOCK FALSE",
        "",
    ]
    if constants:
        lines += ["CONSTANTS", *[f"  {name} = {name}" for name in constants], ""]
    lines += ["INVARIANT TypeOK", "INVARIANT NoSpecError"]
    lines += [f"INVARIANT {name}" for name in invariants]
    if witnesses:
        lines += ["", "\\* Expected to be violated, each by a trace to what must be reachable:"]
        lines += [f"\\* INVARIANT {name}" for name in witnesses]
    if has_symmetry:
        lines += ["", "\\* Counts states up to renaming of the symmetric ids:"]
        lines += [f"{'' if symmetry else comment()}SYMMETRY Symmetry"]
    return "\n".join(lines) + "\n"


def comment() -> str:
    """What makes the rest of a line a comment."""
    return "\\* "
