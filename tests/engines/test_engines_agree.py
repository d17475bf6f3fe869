"""The engines give one answer about every model, with symmetry and without."""

from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.symmetry import Symmetry
from kproof_checker.verdicts import CheckResult, Stop
from kproof_spec.lang import Machine
from strategies.tiny_scopes import catalogue, tiny_machine, two_phase_commit

ENGINES = ("numpy", "python")


def summary(found: CheckResult) -> dict[str, Any]:
    """What must not depend on the engine."""
    return {
        "stop": found.stop,
        "distinct": found.distinct,
        "generated": found.generated,
        "depth": found.depth,
        "actions": found.actions,
        "deadlocks": found.deadlocks,
        "length of the deadlock": found.deadlock and found.deadlock.length,
        "properties": {
            name: (result.verdict, result.trace and result.trace.length)
            for name, result in found.properties.items()
        },
        "fault": found.fault and (found.fault.trace and found.fault.trace.length),
        "warnings": found.warnings,
    }


def summaries(machine: Machine[Any], *, symmetry: bool) -> list[dict[str, Any]]:
    """The answer of each engine.  One invariant is never settled, so that all is visited."""
    return [
        summary(
            check(
                machine,
                CheckOptions(
                    engine=engine, symmetry=symmetry, sample_seconds=0, properties=searched(machine)
                ),
            )
        )
        for engine in ENGINES
    ]


def searched(machine: Machine[Any]) -> tuple[str, ...]:
    """Invariants and witnesses: liveness is judged on one graph, which CPython does not give."""
    return tuple(n for n, c in machine.model.properties.items() if not c.kind.is_liveness)


@pytest.mark.parametrize("symmetry", [False, True])
@pytest.mark.parametrize("name", catalogue())
def test_engines_agree_on_every_model_of_the_catalogue(name: str, symmetry: bool) -> None:
    one, other = summaries(tiny_machine(name), symmetry=symmetry)

    if one["stop"] is Stop.SETTLED:  # Engines look at batches of their own size, and then stop.
        assert one["properties"] == other["properties"]
    else:
        assert one == other
        assert one["stop"] is Stop.EXHAUSTED


@pytest.mark.parametrize("name", catalogue())
def test_symmetry_changes_no_verdict_and_no_length_of_a_trace(name: str) -> None:
    machine = tiny_machine(name)
    claims = searched(machine)
    options = [
        CheckOptions(symmetry=symmetry, sample_seconds=0, properties=claims)
        for symmetry in (True, False)
    ]

    with_it, without = [summary(check(machine, chosen)) for chosen in options]

    assert with_it["properties"] == without["properties"]
    if without["stop"] is Stop.EXHAUSTED:
        assert with_it["depth"] == without["depth"]
        has_twins = Symmetry(machine).order > 1
        assert (with_it["distinct"] < without["distinct"]) or not has_twins


def reachable(machine: Machine[Any]) -> dict[tuple[int, ...], int]:
    """Every reachable state with its distance, found in the plainest way there is."""
    found = dict.fromkeys(machine.initial_codes(), 0)
    queue = list(found)
    for codes in queue:
        for _, after in machine.successors(codes):
            if after not in found:
                found[after] = found[codes] + 1
                queue.append(after)
    return found


@pytest.mark.parametrize("engine", ENGINES)
def test_two_phase_commit_has_288_states_with_three_resource_managers(engine: str) -> None:
    machine = two_phase_commit(3)
    found = check(machine, CheckOptions(engine=engine, symmetry=False))

    states = reachable(machine)

    assert found.distinct == len(states) == 288
    assert found.depth == max(states.values()) + 1


@pytest.mark.heavy
def test_two_phase_commit_has_8832_states_with_five_resource_managers() -> None:
    assert check(two_phase_commit(5), CheckOptions(symmetry=False)).distinct == 8_832


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("count", [1, 2, 3])
def test_with_symmetry_the_states_of_two_phase_commit_are_its_orbits(
    engine: str, count: int
) -> None:
    machine = two_phase_commit(count)
    permutations = Symmetry(machine).permutations
    orbits = {frozenset(p.apply(codes) for p in permutations) for codes in reachable(machine)}

    found = check(machine, CheckOptions(engine=engine, sample_seconds=0))

    assert found.distinct == len(orbits)
    assert sum(map(len, orbits)) == len(reachable(machine))


def test_the_same_check_twice_gives_the_same_states_and_traces() -> None:
    runs = [check(tiny_machine("replication-kip_320"), CheckOptions()) for _ in range(2)]

    traces = [[result.trace for result in run.properties.values()] for run in runs]

    assert traces[0] == traces[1]
    assert summary(runs[0]) == summary(runs[1])
