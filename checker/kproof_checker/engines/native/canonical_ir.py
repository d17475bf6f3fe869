"""Symmetry as IR: a state's words become those of its representative.

Any rule that picks the same twin from every member of an orbit will do.  This one first orders the
ids of a sort by their own leaves (a replica's log and epochs, without the ids in them), which for
most states leaves a single permutation; among those that are left, ties, the least words win.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from kproof_spec.lang import Id

from ...layout import Layout
from ...symmetry import Permutation, Symmetry
from .text import Function, unsigned

SIGNATURE_BITS = 63
"""A signature is a non-negative i64."""
TABLE_BITS = 64
"""A map of codes is a constant of this many bits, where it fits."""


class CanonicalWriter:
    """Writes `@canonical(row)`, and `@permute<k>` for each permutation."""

    def __init__(self, layout: Layout, symmetry: Symmetry) -> None:
        self.layout, self.symmetry = layout, symmetry

    def write(self) -> str:
        """The functions as IR."""
        permutations = self.symmetry.permutations
        parts = [self._permute(i, permutation) for i, permutation in enumerate(permutations)]
        return "\n".join([*parts, self._canonical(permutations)])

    def _words(self, function: Function) -> list[str]:
        return [function.load("%row", word) for word in range(self.layout.words)]

    def _canonical(self, permutations: Sequence[Permutation]) -> str:
        f = Function("define void @canonical(ptr %row)")
        best = f.op(f"alloca [{self.layout.words} x i64], align 8")
        for word in range(self.layout.words):
            f.store(-1, best, word)  # As unsigned numbers, the greatest.
        words = self._words(f)
        ordered = self._comparisons(f, words)
        for number, permutation in enumerate(permutations):
            conditions = [ordered[pair] for pair in self._neighbours(permutation)]
            apply, after = f.new_block("apply"), f.new_block("after")
            allowed = "true"
            for condition in conditions:
                allowed = f.op(f"and i1 {allowed}, {condition}")
            f.branch(allowed, apply, after)
            f.begin(apply)
            f.do(f"call void @permute{number}(ptr %row, ptr {best})")
            f.jump(after)
            f.begin(after)
        for word in range(self.layout.words):
            f.store(f.load(best, word), "%row", word)
        f.do("ret void")
        return str(f)

    # -- ordering by signature ---------------------------------------------------------------

    def _comparisons(self, f: Function, words: list[str]) -> dict[tuple[Any, int, int], str]:
        """For each sort and two of its ids, whether the first one's signature is not greater."""
        ordered: dict[tuple[Any, int, int], str] = {}
        for sort in self.symmetry.sorts:
            size = self.symmetry.machine.scope.size(sort)
            signatures = [self._signature(f, words, sort, number) for number in range(size)]
            for a in range(size):
                for b in range(size):
                    if a != b:
                        ordered[sort, a, b] = f.op(f"icmp ule i64 {signatures[a]}, {signatures[b]}")
        return ordered

    def _neighbours(self, permutation: Permutation) -> list[tuple[Any, int, int]]:
        """The pairs of ids that stand side by side once a permutation is applied."""
        pairs = []
        for sort in self.symmetry.sorts:
            size = self.symmetry.machine.scope.size(sort)
            came_from = [0] * size
            for old in range(size):
                came_from[permutation.renaming[sort, old]._index] = old
            pairs += [(sort, a, b) for a, b in itertools.pairwise(came_from)]
        return pairs

    def _signature(self, f: Function, words: list[str], sort: type[Id], number: int) -> str:
        """A number made of the leaves that belong to one id and hold no symmetric id."""
        signature, used = "0", 0
        for leaf in self._own_leaves(sort, number):
            place = self.layout.places[leaf]
            if used + place.bits > SIGNATURE_BITS:
                break
            value = self._extracted(f, words, leaf)
            if used:
                value = f.op(f"shl i64 {value}, {used}")
            signature = f.op(f"or i64 {signature}, {value}")
            used += place.bits
        return signature

    def _own_leaves(self, sort: type[Id], number: int) -> list[int]:
        """Leaves whose path names this id and no other, in an order that is the same for all."""
        symmetry = self.symmetry
        owned = []
        for index, leaf in enumerate(symmetry.machine.leaves):
            named: list[Id] = [key for key in leaf.path_keys if isinstance(key, Id)]
            members = [key for key in leaf.path_keys if isinstance(key, tuple)]
            for domain, key in members:
                member = domain.elements[domain.positions[key]]
                if not isinstance(member, Id):
                    named = []
                    break
                named.append(member)
            holds_id = getattr(leaf.domain, "sort", None)
            if holds_id is not None and holds_id.symmetric:
                continue
            symmetric = [id_ for id_ in named if id_.symmetric]
            is_own = (
                len(symmetric) == 1 and symmetric[0] is symmetry.machine.scope.ids(sort)[number]
            )
            if is_own and self.layout.places[index].bits:
                owned.append(index)
        return owned

    # -- applying ----------------------------------------------------------------------------

    def _extracted(self, f: Function, words: list[str], leaf: int) -> str:
        place = self.layout.places[leaf]
        value = words[place.word]
        if place.shift:
            value = f.op(f"lshr i64 {value}, {place.shift}")
        return f.op(f"and i64 {value}, {unsigned((1 << place.bits) - 1)}")

    def _permute(self, number: int, permutation: Permutation) -> str:
        """`@permute<number>(row, best)`: puts the twin at `best` if it is less."""
        f = Function(f"define internal void @permute{number}(ptr %row, ptr %best)")
        words = self._words(f)
        twin = ["0"] * self.layout.words
        for target, runs in self._runs(permutation).items():
            word, delta = target[1], target[2]
            mask = unsigned(runs)
            value = f.op(f"and i64 {words[target[0]]}, {mask}")
            if delta > 0:
                value = f.op(f"shl i64 {value}, {delta}")
            elif delta < 0:
                value = f.op(f"lshr i64 {value}, {-delta}")
            twin[word] = f.op(f"or i64 {twin[word]}, {value}")
        for leaf in permutation.maps:
            place = self.layout.places[leaf]
            if place.bits:
                value = self._mapped(f, words, leaf, permutation)
                if place.shift:
                    value = f.op(f"shl i64 {value}, {place.shift}")
                twin[place.word] = f.op(f"or i64 {twin[place.word]}, {value}")
        self._keep_least(f, twin)
        f.do("ret void")
        return str(f)

    def _runs(self, permutation: Permutation) -> dict[tuple[int, int, int], int]:
        """Leaves that move alike, together: (from word, to word, shift) to the mask they cover."""
        runs: dict[tuple[int, int, int], int] = {}
        for leaf, source in enumerate(permutation.sources):
            place, origin = self.layout.places[leaf], self.layout.places[source]
            if place.bits and leaf not in permutation.maps:
                move = (origin.word, place.word, place.shift - origin.shift)
                runs[move] = runs.get(move, 0) | origin.mask
        return runs

    def _mapped(self, f: Function, words: list[str], leaf: int, permutation: Permutation) -> str:
        """The new offset of an id leaf, by a table that is a constant, or by comparisons."""
        place = self.layout.places[leaf]
        offsets = [code - place.low for code in permutation.maps[leaf]]
        old = self._extracted(f, words, permutation.sources[leaf])
        if len(offsets) * place.bits <= TABLE_BITS:
            table = sum(new << (i * place.bits) for i, new in enumerate(offsets))
            shift = f.op(f"mul i64 {old}, {place.bits}")
            value = f.op(f"lshr i64 {unsigned(table)}, {shift}")
            return f.op(f"and i64 {value}, {unsigned((1 << place.bits) - 1)}")
        value = old
        for i, new in enumerate(offsets):
            if i != new:
                is_it = f.op(f"icmp eq i64 {old}, {i}")
                value = f.op(f"select i1 {is_it}, i64 {new}, i64 {value}")
        return value

    def _keep_least(self, f: Function, twin: list[str]) -> None:
        is_less, is_equal = "false", "true"
        former = [f.load("%best", word) for word in range(len(twin))]
        for mine, theirs in zip(former, twin, strict=True):
            below = f.op(f"icmp ult i64 {theirs}, {mine}")
            is_less = f.op(f"or i1 {is_less}, {f.op(f'and i1 {is_equal}, {below}')}")
            same = f.op(f"icmp eq i64 {theirs}, {mine}")
            is_equal = f.op(f"and i1 {is_equal}, {same}")
        for word, (mine, theirs) in enumerate(zip(former, twin, strict=True)):
            chosen = f.op(f"select i1 {is_less}, i64 {theirs}, i64 {mine}")
            f.store(chosen, "%best", word)
