"""The order in which texts list things: as if the ids that have names here came before all others.

Instances that differ only in their ids then list the same things in the same places.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kproof_spec.lang import Id
from kproof_spec.lang.keys import member_key

from ..extraction.terms import Term
from .schema import Schema, Step, value_key


class Order:
    """The order of values and of terms, where `named` values have names."""

    def __init__(self, schema: Schema, named: Mapping[Any, str]) -> None:
        self.positions = {key: position for position, key in enumerate(named)}
        keys = [
            (
                str([self._of_step(step) for step in leaf.place.path]),
                str(self.of_value(leaf.member)) if leaf.what == "member" else "",
                i,
            )
            for i, leaf in enumerate(schema.leaves)
        ]
        self.ranks = [0] * len(keys)
        for rank, i in enumerate(sorted(range(len(keys)), key=keys.__getitem__)):
            self.ranks[i] = rank

    def of_value(self, value: Any) -> Any:
        """A key to sort members of one set by."""
        if isinstance(value, Id):
            position = self.positions.get(value_key(value))
            return (1, value._index) if position is None else (0, position)
        return 2, member_key(value)

    def of_term(self, term: Term) -> list[int]:
        """A key to sort terms by: the places that they speak of."""
        return sorted(self.ranks[i] for i in term.leaves)

    def _of_step(self, step: Step) -> Any:
        return self.of_value(step.key) if step.what == "key" else (step.what, step.key)
