"""`kproof` with a fault of `log_faults` in it: `python -m impl_support.faulty_kproof NAME ...`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from impl_support.log_faults import FAULTS, LogFault
from impl_support.serving import Serving

TESTS = Path(__file__).resolve().parents[1]


def fault_named(name: str) -> LogFault:
    """The fault of that name."""
    return next(fault for fault in FAULTS if fault.name == name)


@contextmanager
def serving_with_fault(name: str, *options: str) -> Iterator[Serving]:
    """`kproof serve --json` with a fault in it, until the block ends."""
    command = [sys.executable, "-m", "impl_support.faulty_kproof", name]
    with subprocess.Popen(
        [*command, "serve", "--port", "0", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(TESTS)},
    ) as process:
        broker = Serving(process)
        try:
            broker.wait_until_listening()
            yield broker
        finally:
            broker.end()


if __name__ == "__main__":
    from kproof_checker.cli.main import run

    fault_named(sys.argv[1]).install(pytest.MonkeyPatch())
    run(sys.argv[2:])
