"""Failures of the machine of real clients are kept, and those that are kept fail no more."""

import re
import sys
import tempfile
from pathlib import Path

import pytest
from confluent_kafka import Producer
from hypothesis import Phase, settings

from impl_support.faulty_kproof import TESTS
from impl_support.real_client_machine import RealClientMachine
from impl_support.real_client_programs import (
    FAILURE,
    PROGRAM,
    REAL_TIME,
    REGRESSIONS,
    Step,
    judge,
    read_program,
    run_machine,
    run_program,
    save_failure,
)
from impl_support.real_cluster import RealCluster

KEPT = sorted(each for each in REGRESSIONS.iterdir() if each.is_dir())
COURT = re.compile(r"^# the court: (.*)$", re.MULTILINE)
"""What the court says to the recordings, in the program's first lines: it goes on saying it."""
each_kept = pytest.mark.parametrize("kept", KEPT, ids=[each.name for each in KEPT])


class ParticularMachine(RealClientMachine):
    """It takes a record of Cleo's for a failure."""

    def check_sent(self, producer: Producer) -> None:
        super().check_sent(producer)
        keys = [sent.key for sent in self.records.sent.values()]
        assert b"cleo" not in keys, f"a record of Cleo's was sent: {keys}"


class FaultyMachine(RealClientMachine):
    """The broker gives a batch an offset too many."""

    command = (sys.executable, "-m", "impl_support.faulty_kproof", "an offset is skipped")


@pytest.mark.heavy
@each_kept
def test_a_program_that_failed_once_fails_no_more(kept: Path) -> None:
    run_program((kept / PROGRAM).read_text("utf-8"), RealClientMachine)


@each_kept
def test_what_was_recorded_when_it_failed_is_judged_as_it_was(kept: Path) -> None:
    found = COURT.search((kept / PROGRAM).read_text("utf-8"))
    assert found, f"{kept / PROGRAM}: expected a line such as `# the court: allowed`"
    expected = found[1]

    steps, reason = judge(kept)

    assert steps > 10
    assert reason == "" if expected == "allowed" else expected in reason


@pytest.mark.heavy
def test_a_failure_is_kept_and_can_be_seen_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    few = settings(
        REAL_TIME,
        max_examples=20,
        stateful_step_count=3,
        database=None,
        phases=(Phase.generate,),
    )

    with pytest.raises(AssertionError, match="of Cleo's was sent") as failure:
        run_machine(ParticularMachine, few, seed=1, into=tmp_path / "regressions")

    (saved,) = (tmp_path / "regressions").iterdir()
    assert str(saved) in "".join(failure.value.__notes__)
    assert saved.name.endswith("_seed_1")
    assert "of Cleo's was sent" in (saved / FAILURE).read_text("utf-8")
    text = (saved / PROGRAM).read_text("utf-8")
    steps = read_program(text)
    assert steps[0].name == "begin"
    assert 2 <= len(steps) <= 4
    assert judge(saved)[1] == ""
    with pytest.raises(AssertionError, match="of Cleo's was sent"):
        run_program(text, ParticularMachine)
    run_program(text, RealClientMachine)


@pytest.mark.heavy
def test_the_recording_of_a_failure_tells_the_court_what_was_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    text = """
begin(assignor="range", members=0)
produce_and_wait(keys_of=[None, None], kind="one", topic="events")
produce_and_wait(keys_of=[None, None], kind="one", topic="events")
"""

    with pytest.raises(AssertionError, match="the broker stopped"):
        run_program(text, FaultyMachine)

    assert RealCluster.kept is not None
    saved = save_failure(RealCluster.kept, tmp_path / "regressions", "skipped")
    steps, reason = judge(saved)
    assert steps > 3
    assert "was given base offset" in reason


def test_a_program_is_read_as_it_was_noted() -> None:
    text = "# why\nbegin(assignor='range', members=1)\nproduce(keys_of=[None, b'anna'])  # 17\n"

    assert read_program(text) == [
        Step("begin", {"assignor": "range", "members": 1}),
        Step("produce", {"keys_of": [None, b"anna"]}),
    ]


@pytest.mark.parametrize("line", ["produce", "os.remove(path='x')", "begin(1)", "x = 1"])
def test_what_is_no_step_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="expected a step"):
        read_program(line)
