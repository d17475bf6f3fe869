"""TLC, where the machine has it, finds in an exported model what we find.

Set KPROOF_TLA2TOOLS to the path of a tla2tools.jar, and KPROOF_JAVA to a java that is not on the
path.
"""

from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import CheckResult
from kproof_spec.lang import Machine, PropertyKind
from tla.conftest import Tlc
from tla.export_of import closed, exported

pytestmark = pytest.mark.interop

SMALL = {"replicas": 2, "log_size": 1, "max_records": 1, "max_leader_epoch": 1}
MACHINES: dict[str, tuple[str, str, str, dict[str, int]]] = {
    "tutorial": ("tutorial", "", "", {}),
    "tutorial_mutant": ("tutorial", "", "receive_abort_unasked", {}),
    "async_isr_2": ("async_isr", "", "", {"replicas": 2, "max_offset": 1, "max_version": 1}),
    "async_isr_3": ("async_isr", "", "", {"replicas": 3, "max_offset": 1, "max_version": 1}),
} | {
    variant: ("replication", variant, "", SMALL)
    for variant in (
        "truncate_to_high_watermark",
        "kip_101",
        "kip_279",
        "kip_320_first_try",
        "kip_320",
    )
}
each_machine = pytest.mark.parametrize("name", MACHINES)


def machine_of(name: str) -> Machine[Any]:
    """One of the machines."""
    model, variant, mutant, constants = MACHINES[name]
    return closed(model, variant, mutant, **constants)


def checked(machine: Machine[Any], *, symmetry: bool = False, counts: bool = False) -> CheckResult:
    """What we find; for `counts` the properties are left out, which may end a search early."""
    properties = () if counts else None
    options = CheckOptions(engine="numpy", symmetry=symmetry, properties=properties)
    return check(machine, options)


@each_machine
@pytest.mark.parametrize("symmetry", [False, True])
def test_tlc_counts_as_many_states_and_steps(name: str, symmetry: bool, tlc: Tlc) -> None:
    machine = machine_of(name)

    theirs = tlc(exported(machine, symmetry=symmetry), ["TypeOK", "NoSpecError"])

    ours = checked(machine, symmetry=symmetry, counts=True)
    assert theirs.violated == frozenset()
    assert (theirs.distinct, theirs.depth) == (ours.distinct, ours.depth)
    if not symmetry:  # With it, how many steps there are depends on which twin stands for all.
        assert theirs.generated == ours.generated


@each_machine
def test_tlc_has_the_same_verdicts(name: str, tlc: Tlc) -> None:
    """What holds, all in one run; what does not, one by one, by a trace as short as ours."""
    machine = machine_of(name)
    found = exported(machine)
    results = checked(machine).properties
    operators = {
        claim: f"Never_{claim}" if result.claim.kind is PropertyKind.SOMETIMES else claim
        for claim, result in results.items()
    }
    traces = {claim: result.trace for claim, result in results.items()}

    holding = tlc(found, [operators[claim] for claim, trace in traces.items() if trace is None])
    broken = {c: tlc(found, [operators[c]]) for c, trace in traces.items() if trace is not None}

    assert holding.violated == frozenset()
    for claim, theirs in broken.items():
        ours = traces[claim]
        assert ours is not None
        assert theirs.violated == {operators[claim]}
        assert theirs.states_in_trace == ours.length
