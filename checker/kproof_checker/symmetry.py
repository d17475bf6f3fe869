"""Symmetry: states that differ only in the names of interchangeable ids are one state.

Every permutation of the ids of the symmetric sorts moves leaves (a replica's log goes where the
other replica's log was) and changes what id leaves hold.  The representative of a state is the
least of its permuted twins.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from kproof_spec.lang import Id, Machine, SetOf, Struct
from kproof_spec.lang.domains import SeqDomain, SetDomain, StructDomain, TableDomain
from kproof_spec.lang.keys import member_key
from kproof_spec.lang.scalars import Domain, IdDomain, Leaf

PERMUTATIONS_MAX = 720
"""Beyond this (six interchangeable ids) canonical forms cost more than they save."""

Renaming = dict[tuple[type[Id], int], Id]


@dataclass(frozen=True)
class Permutation:
    """What a renaming of ids does to codes."""

    renaming: Renaming
    sources: tuple[int, ...]
    """Leaf `j` of the permuted state comes from leaf `sources[j]`."""
    maps: dict[int, tuple[int, ...]]
    """For a leaf `j` that holds an id: the new code, by the old code less its least code."""
    lows: dict[int, int]

    def apply(self, codes: Sequence[int]) -> tuple[int, ...]:
        """The codes of the permuted state."""
        moved = [codes[source] for source in self.sources]
        for leaf, new in self.maps.items():
            moved[leaf] = new[moved[leaf] - self.lows[leaf]]
        return tuple(moved)

    def apply_to(self, value: Any) -> Any:
        """A parameter's value with its ids renamed."""
        return renamed(value, self.renaming)


class Symmetry:
    """The permutations of a machine in a closed scope, the identity first."""

    def __init__(self, machine: Machine[Any]) -> None:
        self.machine = machine
        self.sorts = sorted(_symmetric_sorts(machine), key=lambda sort: sort.__name__)
        sizes = [machine.scope.size(sort) for sort in self.sorts]
        self.order = math.prod(math.factorial(size) for size in sizes)
        """How many permutations there are."""

    @property
    def is_usable(self) -> bool:
        """Whether there is something to gain, at a cost that is worth it."""
        return 1 < self.order <= PERMUTATIONS_MAX

    @cached_property
    def permutations(self) -> list[Permutation]:
        """Every permutation of the ids of each symmetric sort, the identity first."""
        leaves = self.machine.leaves
        places = {_place(leaf.path_keys, {}): i for i, leaf in enumerate(leaves)}
        return [_permutation(leaves, places, renaming) for renaming in self._renamings()]

    def _renamings(self) -> Iterator[Renaming]:
        ids = [self.machine.scope.ids(sort) for sort in self.sorts]
        for orders in itertools.product(*(itertools.permutations(known) for known in ids)):
            renaming: Renaming = {}
            for sort, known, order in zip(self.sorts, ids, orders, strict=True):
                renaming |= {(sort, old._index): new for old, new in zip(known, order, strict=True)}
            yield renaming

    def representative(self, codes: tuple[int, ...]) -> tuple[int, ...]:
        """The least of a state's permuted twins."""
        return min(permutation.apply(codes) for permutation in self.permutations)


def _permutation(leaves: Sequence[Leaf], places: dict[Any, int], renaming: Renaming) -> Permutation:
    sources = [0] * len(leaves)
    maps: dict[int, tuple[int, ...]] = {}
    for i, leaf in enumerate(leaves):
        target = places[_place(leaf.path_keys, renaming)]
        sources[target] = i
        domain = leaf.domain
        if isinstance(domain, IdDomain) and domain.sort.symmetric:
            maps[target] = tuple(
                domain.encode(renamed(value, renaming)) for value in domain.values()
            )
    lows = {leaf: int(leaves[leaf].domain.low) for leaf in maps}
    return Permutation(renaming, tuple(sources), maps, lows)


def renamed(value: Any, renaming: Renaming) -> Any:
    """A plain value with its ids renamed."""
    if isinstance(value, Id):
        return renaming.get((type(value), value._index), value)
    if isinstance(value, SetOf):
        return SetOf(renamed(member, renaming) for member in value)
    if isinstance(value, Struct):
        fields = {name: renamed(value.__dict__[name], renaming) for name in type(value)._fields}
        return type(value)(**fields)
    return value


def _place(keys: Sequence[Any], renaming: Renaming) -> tuple[Any, ...]:
    """A leaf's path with its ids renamed, as a key that compares without asking ids."""
    place: list[Any] = []
    for key in keys:
        if isinstance(key, Id):
            new = renamed(key, renaming)
            place.append((type(new).__name__, new._index))
        elif isinstance(key, tuple):
            domain, member = key
            element = domain.elements[domain.positions[member]]
            place.append(member_key(renamed(element, renaming)))
        else:
            place.append(key)
    return tuple(place)


def _symmetric_sorts(machine: Machine[Any]) -> set[type[Id]]:
    found: set[type[Id]] = set()

    def visit(domain: Domain) -> None:
        if isinstance(domain, IdDomain) and domain.sort.symmetric:
            found.add(domain.sort)
        elif isinstance(domain, StructDomain):
            for field in domain.fields.values():
                visit(field)
        elif isinstance(domain, SeqDomain | SetDomain):
            visit(domain.element)
        elif isinstance(domain, TableDomain):
            visit(domain.keys)
            visit(domain.element)

    visit(machine.domain)
    return found
