"""Writes the recordings in `traces/recordings/` anew: `python tools/make_recordings.py`.

They are what a broker tells that is stepped by hand, so they are the same each time.  Those that
are there already are written over; look at the difference before you commit it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from impl_support.faulty_kproof import fault_named  # noqa: E402
from impl_support.group_members import Consumer, grouped, settle  # noqa: E402
from impl_support.stepping import Stepper  # noqa: E402
from kproof_checker.conformance.recording import Recorder  # noqa: E402

FOLDER = ROOT / "traces" / "recordings"
GOOD = "produced_and_consumed.kproof"
WRONG = "an_offset_was_skipped.kproof"


def make_all(folder: Path) -> list[Path]:
    """Makes all recordings in a folder that has none of them."""
    good, wrong = folder / GOOD, folder / WRONG
    recorder = Recorder(good)
    produce_and_consume(grouped(topics={"orders": 1}, observe=recorder))
    recorder.close()
    recorder = Recorder(wrong)
    with pytest.MonkeyPatch.context() as patch:
        fault_named("an offset is skipped").install(patch)
        produce(grouped(topics={"orders": 1}, observe=recorder))
    recorder.close()
    return [good, wrong]


def produce(broker: Stepper) -> None:
    """Two batches; the log is read in between."""
    broker.produce("orders", b"a", b"b")
    broker.fetched("orders")
    broker.produce("orders", b"c")


def produce_and_consume(broker: Stepper) -> None:
    """Two consumers share a topic, commit, one leaves, and the broker starts again."""
    produce(broker)
    anna, bert = Consumer(broker), Consumer(broker)
    anna.enter()
    bert.enter()
    broker.advance(5000)
    settle(anna, bert)
    anna.commit(2)
    bert.leave()
    anna.join()
    anna.late()
    anna.sync({anna.member_id: b"all"})
    anna.commit(3)
    broker.restart()
    broker.produce("orders", b"d")


if __name__ == "__main__":
    for name in (GOOD, WRONG):
        (FOLDER / name).unlink(missing_ok=True)
    for made in make_all(FOLDER):
        sys.stdout.write(f"{made.relative_to(ROOT)}\n")
