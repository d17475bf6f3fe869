"""What the tests of checkpoints share: searches of many batches, stopped where one likes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kproof_checker.check import check
from kproof_checker.options import CheckOptions, Progress
from kproof_checker.verdicts import CheckResult, Stop
from kproof_spec.lang import Machine, Model, Struct, integer, require


def run(machine: Machine[Any], report: Any = None, **options: Any) -> CheckResult:
    """A check that saves after every batch, without the sample."""
    given = {"sample_seconds": 0, "checkpoint_seconds": 0.0, "engine": "numpy", **options}
    return check(machine, CheckOptions(**given), report)


def stopping(after: int) -> Callable[[Progress], None]:
    """A reporter at which the user presses Ctrl-C."""
    left = [after]

    def report(_: Progress) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise KeyboardInterrupt

    return report


def summary(found: CheckResult) -> dict[str, Any]:
    """What must be the same, stopped or not."""
    return {
        "stop": found.stop,
        "distinct": found.distinct,
        "generated": found.generated,
        "depth": found.depth,
        "actions": found.actions,
        "deadlocks": (found.deadlocks, found.deadlock),
        "properties": {n: (p.verdict, p.trace) for n, p in found.properties.items()},
        "fault": found.fault and found.fault.trace,
    }


def to_the_end(machine: Machine[Any], path: Path, step: int = 1, **options: Any) -> CheckResult:
    """Checks, stopped after every `step` batches, until there is an answer."""
    for _ in range(200):
        found = run(machine, stopping(step), checkpoint=path, **options)
        if found.stop is not Stop.INTERRUPTED:
            return found
    raise AssertionError("it never ends")


class Number(Struct):
    """A number."""

    n: int = integer(0, 60)


def faulty() -> Model[Number]:
    """Counts to the end of its range and beyond."""
    model = Model("faulty", Number)

    @model.action
    def up(s: Number) -> None:
        require(s.n >= 0)
        s.n += 1

    @model.invariant
    def small(s: Number) -> bool:
        return s.n < 99

    return model
