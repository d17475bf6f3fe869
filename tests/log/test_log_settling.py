"""A log whose cleaner comes round to what may go: verdicts, counts, and what may be in the way."""

from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.verdicts import CheckResult
from kproof_spec.catalog_types import Check
from kproof_spec.log.checks import CHECKS
from kproof_spec.log.settling import model

OURS = [c for c in CHECKS if c.model == "log_settling"]

COUNTS: dict[tuple[int, ...], int] = {(2, 2): 1_725, (3, 1): 9_774}
"""Distinct states: log_size and max_failures."""

LENGTHS = {
    "cleaner_delete_by_age_and_size": 4,
    "cleaner_delete_whatever_is_closed": 5,
    "cleaner_delete_by_size_if_more_is_left": 6,
    "cleaner_delete_up_to_the_segment_before": 5,
    "broker_recover_if_log_reaches_its_start": 6,
}
"""States of the trace to what each mutant is there to break."""

CLEANER = {"cleaner_delete_by_age", "cleaner_delete_by_size", "cleaner_delete_below_log_start"}


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
        assert result.distinct == COUNTS[case.constants["log_size"], case.constants["max_failures"]]


@pytest.mark.slow
@pytest.mark.parametrize("case", [c for c in OURS if c.size == "medium"], ids=label)
def test_every_verdict_of_the_night_is_as_expected(case: Check) -> None:
    result = run(case)

    assert verdicts(result) == case.expected
    assert result.distinct == 352_645


def test_every_property_has_a_mutant_that_breaks_it() -> None:
    claims = {name for name, claim in model.properties.items() if claim.kind.value != "sometimes"}

    assert claims == {mutant.breaks for mutant in model.mutants.values()}
    assert set(LENGTHS) == set(model.mutants)


# What "unless" means: the goal is met too where a segment is not eligible any more.  What follows
# reads codes and fields, and uses no definition of the model.


def is_eligible(s: Any) -> bool:
    """Whether the first segment is closed and may go, by retention_ms=0 and retention_bytes=1."""
    if len(s.segments) < 2:
        return False
    first, second = sorted(s.segments)[:2]
    ages = [s.files[offset].age for offset in range(first, second)]
    return bool(min(ages) > 0 or s.log_end_offset - second >= 1 or second <= s.log_start_offset)


def may_go(s: Any) -> bool:
    """Whether the first segment is eligible, and known to be committed."""
    return bool(s.is_online and is_eligible(s) and sorted(s.segments)[1] <= s.high_watermark)


def how_it_ends() -> tuple[set[str], set[str]]:
    """The actions by which a segment that may go is gone, and by which it need not go any more."""
    machine = model.closed(log_size=2, max_failures=1)
    gone, kept = set(), set()
    frontier = machine.initial_codes()
    seen = set(frontier)
    while frontier:
        codes = frontier.pop()
        before: Any = machine.load(codes)
        for instance, after_codes in machine.successors(codes):
            after: Any = machine.load(after_codes)
            if may_go(before):
                if min(before.segments) not in after.segments:
                    gone.add(instance.definition.name)
                elif not is_eligible(after):
                    kept.add(instance.definition.name)
            if after_codes not in seen:
                seen.add(after_codes)
                frontier.append(after_codes)
    return gone, kept


def test_only_a_failure_makes_a_segment_stay_that_may_go() -> None:
    gone, kept = how_it_ends()

    assert gone == CLEANER
    assert kept == {"broker_crash"}


# The bounds


@pytest.mark.parametrize("failures", [0, 1, 3])
def test_a_cleaner_comes_round_however_many_failures_there_were(failures: int) -> None:
    result = check(
        model.closed(log_size=2, max_failures=failures),
        CheckOptions(sample_seconds=0, properties=("what_may_go_goes_in_the_end",)),
    )

    assert verdicts(result) == {"what_may_go_goes_in_the_end": "exhausted"}
