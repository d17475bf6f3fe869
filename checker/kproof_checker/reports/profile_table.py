"""A profile as a table of plain text."""

from __future__ import annotations

import textwrap

from ..profile import Profile
from .wording import duration, number


def table(profile: Profile) -> list[str]:
    """Phases, then a line for each action, the most expensive first."""
    total = sum(cost.seconds for cost in profile.actions) or 1.0
    phases = ", ".join(f"{name} {duration(spent)}" for name, spent in profile.phases.items())
    head = ("action", "time", "instances", "paths", "questions", "possible")
    rows = [
        (
            cost.name,
            f"{cost.seconds / total:.1%}",
            number(cost.instances),
            number(cost.paths),
            number(cost.questions),
            number(cost.possible),
        )
        for cost in sorted(profile.actions, key=lambda cost: -cost.seconds)
    ]
    size = (
        f"{number(profile.state_bits)} bits a state; {number(profile.questions)} questions over "
        f"{number(profile.terms)} different terms"
    )
    sample = f"time by action: on the first {number(profile.sample_states)} states, engine numpy"
    return [
        *textwrap.wrap(f"Profile: {phases}", 100, subsequent_indent="  "),
        f"  {size}",
        f"  {sample}",
        *(f"  {row[0]:<36}" + "".join(f"{cell:>11}" for cell in row[1:]) for row in (head, *rows)),
    ]
