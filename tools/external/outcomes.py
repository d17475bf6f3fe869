"""What a suite of another project said about a broker, test by test, beside a baseline.

A baseline is what the same suite said about Apache Kafka, kept as data in this folder: names of
tests and how each ended. A test that Kafka passes and our broker does not is a difference; one
that Kafka fails too (it wants three brokers, or an authorizer) is none.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


class SuiteError(Exception):
    """A suite could not be fetched, built or run: what was seen, and what to do."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended."""

    suite: str
    name: str
    result: str
    """`passed`, `failed` or `skipped`."""
    seconds: float
    note: str = ""
    """The first line of the reason, for a test that did not pass."""


def read_baseline(suite: str) -> dict[str, str]:
    """What Apache Kafka gets in this suite, by the name of the test; empty if never measured."""
    path = HERE / f"baseline_{suite}.json"
    if not path.is_file():
        return {}
    tests: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))["tests"]
    return tests


def differences(outcomes: Sequence[Outcome], baseline: dict[str, str]) -> tuple[Outcome, ...]:
    """Tests that Apache Kafka passes and this broker does not."""
    return tuple(
        outcome
        for outcome in outcomes
        if outcome.result != PASSED and baseline.get(outcome.name) == PASSED
    )


def table(outcomes: Sequence[Outcome], baseline: dict[str, str]) -> str:
    """One line a test, the totals, and how many differ from Apache Kafka."""
    width = max((len(outcome.name) for outcome in outcomes), default=4)
    lines = [f"{'test':{width}}  {'result':8} {'Kafka':8} {'seconds':>7}  note"]
    for outcome in outcomes:
        expected = baseline.get(outcome.name, "-")
        line = (
            f"{outcome.name:{width}}  {outcome.result:8} {expected:8} "
            f"{outcome.seconds:7.1f}  {outcome.note[:90]}"
        )
        lines.append(line.rstrip())
    counts = Counter(outcome.result for outcome in outcomes)
    worse = differences(outcomes, baseline)
    lines.append(
        f"{counts[PASSED]} passed, {counts[FAILED]} failed, {counts[SKIPPED]} skipped of "
        f"{len(outcomes)}; {len(worse)} that Apache Kafka passes do not pass"
    )
    return "\n".join(lines)
