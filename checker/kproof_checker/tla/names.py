"""Names that TLA+ takes: none is a word of the language, none stands for two things."""

from __future__ import annotations

import re
from collections.abc import Iterable

WORDS = frozenset(
    """
    ASSUME ASSUMPTION AXIOM CASE CHOOSE CONSTANT CONSTANTS DOMAIN ELSE ENABLED EXCEPT EXTENDS IF IN
    INSTANCE LET LOCAL MODULE OTHER SF_ SUBSET THEN THEOREM UNCHANGED UNION VARIABLE VARIABLES WF_
    WITH LAMBDA RECURSIVE PROOF BY OBVIOUS OMITTED QED STATE ACTION TEMPORAL DEFINE HAVE HIDE NEW
    PICK PROVE SUFFICES TAKE USE WITNESS DEF DEFS ONLY LEMMA COROLLARY PROPOSITION TRUE FALSE
    BOOLEAN STRING
    """.split()  # noqa: SIM905 - so it reads as the list that it is
)
"""Reserved by the language itself; a record's field may have no such name either."""

LIBRARY = frozenset(
    """
    Nat Int Real Seq Len Append Head Tail SubSeq SelectSeq Cardinality IsFiniteSet Permutations
    SortSeq Print PrintT Assert JavaTime TLCGet TLCSet RandomElement Any ToString TLCEval
    Init Next Spec vars TypeOK NoSpecError Symmetry Min Max Holds BoundedSeq NONE
    """.split()  # noqa: SIM905
)
"""Defined by the standard modules, or by what we write into every module."""


def plain(name: str) -> str:
    """A name made of letters, digits and `_` that TLA+ reads as one name."""
    text = re.sub(r"[^A-Za-z0-9_]", lambda found: f"u{ord(found[0]):x}", name)
    if not re.search(r"[A-Za-z]", text) or text[0].isdigit():
        text = f"x{text}"
    return f"x_{text}" if text.startswith(("WF_", "SF_")) else text


def field_name(name: str) -> str:
    """The name of a record's field."""
    text = plain(name)
    return f"{text}_" if text in WORDS else text


class Names:
    """The names in use at one level; a level inside another knows the outer one's too."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = {*WORDS, *LIBRARY, *taken}

    def inner(self) -> Names:
        """The names of a definition inside this level."""
        return Names(self._taken)

    def new(self, wanted: str, second: str = "") -> str:
        """A name that is not in use: the wanted one, or the second choice, or one with a suffix."""
        text = plain(wanted)
        if second and text in self._taken:
            text = plain(second)
        name, copy = text, 1
        while name in self._taken:
            copy += 1
            name = f"{text}_{copy}"
        self._taken.add(name)
        return name
