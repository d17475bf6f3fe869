"""What the gallery is made of: counterexamples, each with its story and where it is known from."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field

from kproof_checker.models import find_model

WIDTH = 100
REFERENCE = re.compile(r"\s*\bREF: .*", re.DOTALL)
"""Where the story of a mutant ends: at its references, which the gallery has in a column."""


@dataclass(frozen=True, kw_only=True)
class Story:
    """One counterexample, told."""

    name: str
    title: str
    """What happens, in half a sentence."""
    cites: str
    """The proposals and tickets that it is known from; empty if it is our own."""
    number: str = ""
    """Its number in the list of known bugs that the models were written from, if it is in it."""
    model: str
    breaks: str
    """The invariant that the last state breaks; or what never comes true as it goes on so."""
    constants: Mapping[str, int] = field(default_factory=dict)
    """Those left out have their defaults."""
    states: int
    """How many states it has, the initial one included: the length of a shortest one, or of the
    lasso that a search finds."""
    steps: tuple[str, ...] = ()
    """The action instances, as the command line prints them.  Without any, the file has them."""
    text: str
    variant: str = ""
    mutant: str = ""

    @property
    def file(self) -> str:
        """The name of its file in traces/gallery."""
        return f"{self.name}.itf.json"

    @property
    def sound_variant(self) -> str:
        """The variant that does not break the property: the default if this is a wrong one."""
        return self.variant if self.mutant else ""


def story_of_mutant(  # noqa: PLR0913 - a row of a table, by keyword
    model: str,
    mutant: str,
    name: str,
    *,
    title: str,
    states: int,
    cure: str,
    variant: str = "",
    cites: str = "",
    number: str = "",
    here: str = "",
) -> Story:
    """A story whose text is the mutant's own, and whose steps a search has found.

    `here` says what this trace shows where the mutant's text speaks of something larger.
    """
    found = find_model(model, variant)
    wrong = found.mutants[mutant]
    claim = found.properties[wrong.breaks].definition
    told = REFERENCE.sub("", inspect.cleandoc(wrong.story))
    broken = textwrap.fill(f"What it breaks, `{claim.name}`: {claim.title}", WIDTH)
    parts = [told, textwrap.fill(here, WIDTH), broken, textwrap.fill(cure, WIDTH)]
    return Story(
        name=name,
        title=title,
        cites=cites,
        number=number,
        model=model,
        variant=variant,
        mutant=mutant,
        breaks=wrong.breaks,
        constants=wrong.scope,
        states=states,
        text="\n\n".join(filter(None, parts)),
    )
