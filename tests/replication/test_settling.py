"""A replicated partition that comes to rest: verdicts and counts pinned, and nothing is cut off."""

from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import CheckResult, Verdict
from kproof_spec.catalog_types import Check
from kproof_spec.replication.checks import CHECKS, SETTLING
from kproof_spec.replication.settling import model

OURS = [c for c in CHECKS if c.model == "replication_settling"]

COUNTS: dict[tuple[int, ...], int] = {(2, 1, 1, 4, 2): 2_967, (3, 1, 1, 2, 1): 2_405}
"""Distinct states, up to renaming: replicas, log_size, max_records, max_leader_epoch and
max_disturbances."""

MEDIUM_COUNTS: dict[tuple[int, ...], int] = {(2, 2, 2, 4, 2): 12_631, (3, 2, 2, 2, 1): 13_376}

LENGTHS = {
    "has_session_while_it_leads": 3,
    "become_follower_of_another_only": 8,
    "leader_raise_high_watermark_in_a_fetch": 6,
    "controller_elect_leader_again": 3,
}
"""States of the trace to what each mutant is there to break."""


def run(case: Check) -> CheckResult:
    """What the checker finds in the scope of a check."""
    subject = model.mutated(case.mutant) if case.mutant else model
    return check(subject.closed(**case.constants), CheckOptions(sample_seconds=0))


def label(case: Check) -> str:
    """The mutant's name, or the sizes."""
    return case.mutant or "-".join(map(str, case.constants.values()))


def verdicts(result: CheckResult) -> dict[str, str]:
    """The verdict words by property."""
    return {name: found.verdict.value for name, found in result.properties.items()}


@pytest.mark.parametrize("case", [c for c in OURS if c.size == "small"], ids=label)
def test_every_verdict_is_as_expected(case: Check) -> None:
    result = run(case)

    assert verdicts(result) == case.expected
    if case.mutant:
        trace = result.properties[model.mutants[case.mutant].breaks].trace
        assert trace is not None
        assert trace.length == LENGTHS[case.mutant]
    else:
        assert result.distinct == COUNTS[tuple(case.constants.values())]


@pytest.mark.slow
@pytest.mark.parametrize("case", [c for c in OURS if c.size == "medium"], ids=label)
def test_every_verdict_of_the_night_is_as_expected(case: Check) -> None:
    result = run(case)

    assert verdicts(result) == case.expected
    assert result.distinct == MEDIUM_COUNTS[tuple(case.constants.values())]


@pytest.mark.parametrize("epochs", [2, 3, 6])
def test_more_epochs_than_causes_change_nothing(epochs: int) -> None:
    """The bound on epochs is not what ends the runs: a larger one leaves the states as they are."""
    scope: dict[str, Any] = {"replicas": 2, "log_size": 1, "max_records": 1, "max_disturbances": 1}

    result = check(model.closed(**scope, max_leader_epoch=epochs), CheckOptions(sample_seconds=0))

    assert result.distinct == 331
    assert all(found.verdict.is_settled for found in result.properties.values())


def test_liveness_is_not_claimed_where_epochs_run_out() -> None:
    scope: dict[str, Any] = {"replicas": 2, "log_size": 1, "max_records": 1, "max_disturbances": 1}

    result = check(model.closed(**scope, max_leader_epoch=1), CheckOptions(sample_seconds=0))

    found = result.properties["a_live_replica_in_sync_leads_to_a_leader"]
    assert found.verdict is Verdict.UNKNOWN
    assert "controller_elect_leader" in found.note


def test_every_property_has_a_mutant_that_breaks_it() -> None:
    claims = {name for name, claim in model.properties.items() if claim.kind.value != "sometimes"}

    assert claims == {mutant.breaks for mutant in model.mutants.values()}
    assert SETTLING.variants["replication_settling"] is model
