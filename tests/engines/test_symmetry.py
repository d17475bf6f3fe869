"""Symmetry is what models declare and no more: renamed states have renamed successors."""

import itertools
import random
from typing import Any

import numpy as np
import pytest

from kproof_checker.check import check
from kproof_checker.engines.numpy_engine import Canonical
from kproof_checker.layout import layout_of
from kproof_checker.options import CheckOptions
from kproof_checker.symmetry import Permutation, Symmetry
from kproof_spec.lang import (
    Id,
    Machine,
    Model,
    Seq,
    SetOf,
    Struct,
    Table,
    integer,
    maybe,
    member,
    require,
    seq,
    subset,
    table,
)
from strategies.equivariance import asymmetries
from strategies.tiny_scopes import TINY, catalogue, two_phase_commit

SCOPES = {
    "replication": {"replicas": 3, "log_size": 2, "max_records": 2, "max_leader_epoch": 2},
    "async_isr": {"replicas": 4, "max_offset": 2, "max_version": 1},
}


class Worker(Id, size=3, symmetric=True, prefix="w"):
    """Interchangeable."""


class Shelf(Id, size=2, symmetric=True, prefix="s"):
    """Interchangeable, and of another sort."""


class Note(Struct):
    """A member of a set: who, where."""

    who: Worker = maybe(Worker)
    where: Shelf = member(Shelf)


class World(Struct):
    """Ids in every kind of place."""

    on: Table[Worker, Shelf] = table(Worker, maybe(Shelf))
    of: Table[Shelf, SetOf[Worker]] = table(Shelf, subset(Worker))
    notes: SetOf[Note] = subset(Note)
    queue: Seq[Worker] = seq(maybe(Worker), 3)
    kept: Table[Worker, Table[Shelf, int]] = table(Worker, table(Shelf, integer(0, 1)))


symmetric = Model("symmetric", World)


@symmetric.action
def move(s: World, worker: Worker, shelf: Shelf) -> None:
    """A worker goes to a shelf, and is noted."""
    require(worker not in s.of[shelf])
    s.on[worker] = shelf
    s.of[shelf].add(worker)
    s.notes.add(Note(who=worker, where=shelf))


@symmetric.action
def enter(s: World, worker: Worker) -> None:
    """A worker waits."""
    require(s.queue.has_room)
    s.queue.append(worker)


@symmetric.action
def leave(s: World, shelf: Shelf) -> None:
    """The first that waits takes from a shelf."""
    require(not s.queue.is_empty)
    who = s.queue.pop_first()
    s.kept[who][shelf] = 1


def machine_of(name: str) -> Machine[Any]:
    """A variant of the catalogue in a scope of some size."""
    return catalogue()[name].closed(**{**TINY, **SCOPES}[name.split("-", maxsplit=1)[0]])


@pytest.mark.parametrize("name", catalogue())
def test_no_model_of_the_catalogue_tells_symmetric_ids_apart(name: str) -> None:
    assert asymmetries(machine_of(name), seed=1, states=25) == []


@pytest.mark.slow
@pytest.mark.parametrize("name", catalogue())
def test_no_model_of_the_catalogue_tells_symmetric_ids_apart_on_long_walks(name: str) -> None:
    assert asymmetries(machine_of(name), seed=2, states=1_500) == []


def test_neither_does_two_phase_commit() -> None:
    assert asymmetries(two_phase_commit(4), seed=1, states=40) == []


def test_ids_are_renamed_in_every_kind_of_place() -> None:
    assert asymmetries(symmetric.closed(), seed=1, states=80) == []


def permuted(one: Permutation, other: Permutation, codes: tuple[int, ...]) -> tuple[int, ...]:
    """The state after both renamings, `one` first."""
    return other.apply(one.apply(codes))


def random_states(machine: Machine[Any], count: int) -> list[tuple[int, ...]]:
    """States on a random walk."""
    choose, found = random.Random(3), [machine.initial_codes()[0]]
    while len(found) < count:
        after = [codes for _, codes in machine.successors(found[-1])]
        found.append(choose.choice(after or machine.initial_codes()))
    return found


@pytest.mark.parametrize("machine", [symmetric.closed(), two_phase_commit(3)], ids=repr)
def test_permutations_are_a_group_that_acts_on_states(machine: Machine[Any]) -> None:
    symmetry = Symmetry(machine)
    every = symmetry.permutations
    states = random_states(machine, 25)
    images = {tuple(p.apply(codes) for codes in states) for p in every}

    assert len(every) == symmetry.order
    assert [every[0].apply(codes) for codes in states] == states
    for one, other in itertools.product(every, every):
        assert tuple(permuted(one, other, codes) for codes in states) in images
    for one in every:
        assert any(all(permuted(one, o, c) == c for c in states) for o in every)


def test_twins_have_one_representative_and_it_is_one_of_them() -> None:
    symmetry = Symmetry(symmetric.closed())

    for codes in random_states(symmetry.machine, 40):
        twins = {p.apply(codes) for p in symmetry.permutations}
        assert {symmetry.representative(twin) for twin in twins} == {min(twins)}


def test_packed_representatives_are_twins_and_the_same_for_all_twins() -> None:
    symmetry = Symmetry(symmetric.closed())
    layout = layout_of(symmetry.machine.leaves)
    canonical = Canonical(layout, symmetry)

    for codes in random_states(symmetry.machine, 40):
        twins = [p.apply(codes) for p in symmetry.permutations]
        rows = np.array([layout.pack(twin) for twin in twins], dtype=np.uint64).T
        found = {layout.unpack([int(w) for w in row]) for row in canonical(rows).T}
        assert len(found) == 1
        assert found <= set(twins)


def test_a_sort_of_one_id_gives_nothing_to_gain() -> None:
    assert not Symmetry(two_phase_commit(1)).is_usable


def test_too_many_permutations_are_not_worth_it_and_the_check_says_so() -> None:
    machine = two_phase_commit(7)

    found = check(machine, CheckOptions(max_states=100, sample_seconds=0))

    assert not found.symmetry
    assert any("5040 permutations" in warning for warning in found.warnings)


# A model that peeks at what tells ids apart.

peeking = Model("peeking", World)


@peeking.action
def favour_the_first(s: World, worker: Worker) -> None:
    """Only the first worker may wait: nothing in the language lets one say so."""
    require(worker._index == 0)
    require(s.queue.has_room)
    s.queue.append(worker)


guessing = Model("guessing", World)


@guessing.action
def enter_too(s: World, worker: Worker) -> None:
    """A worker waits."""
    require(s.queue.has_room)
    s.queue.append(worker)


@guessing.invariant
def the_last_one_never_waits(s: World, worker: Worker) -> bool:
    """A property may peek as well."""
    return worker.name != "w2" or worker not in list(s.queue)


@pytest.mark.parametrize("model", [peeking, guessing], ids=repr)
def test_a_model_that_peeks_at_an_id_is_found_out(model: Model[World]) -> None:
    assert asymmetries(model.closed(), seed=1, states=40) != []
