"""`kproof serve --verify` and `--record`: what they print, when they stop, what they keep."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from impl_support.faulty_kproof import fault_named, serving_with_fault
from impl_support.raw_client import Gone, RawClient, fetch, made_topic, produced
from impl_support.serving import serving
from impl_support.stepping import Stepper
from kproof_checker.cli.main import run
from kproof_checker.cli.serve_observing import DIVERGED, Observing
from kproof_checker.cli.serve_output import Counters, ServeOutput, counters_line
from kproof_checker.conformance.lockstep import Divergence
from kproof_checker.conformance.recording import read_recording

SKIPPED = "an offset is skipped"


def validated(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """The exit code of `kproof validate`, and what it printed."""
    with pytest.raises(SystemExit) as end:
        run(["validate", *map(str, arguments)])
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    assert isinstance(end.value.code, int)
    return end.value.code, said.out + said.err


def make_it_diverge(port: int) -> None:
    """The third record of a log is the one that the fault gives a wrong offset."""
    topic = made_topic(port, "orders")
    with RawClient(port) as client:
        assert produced(client, topic, b"a", b"b") == 0
        with pytest.raises(Gone):
            produced(client, topic, b"c")


def test_a_broker_that_errs_stops_before_its_answer_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "run.kproof"
    with serving_with_fault(SKIPPED, "--verify", "--record", str(recording)) as broker:
        make_it_diverge(broker.port)
        assert broker.ended() == DIVERGED
        told = broker.events("diverged")[0]

        assert broker.wrong == []
        assert told["step"]["action"] == "append"
        parameters = told["step"]["parameters"]
        assert (parameters["base_offset"], parameters["last_offset"]) == (3, 3)
        assert told["reason"] == "a batch was given base offset 3, and the log ended at 2"
        assert "log_end_offset = 2" in told["model_state"]
        assert [step["action"] for step in told["before"]] == ["open", "append"]
        assert told["recording"] == str(recording)
        assert broker.events("stopped") == []

    assert [event.action for event in read_recording(recording)][-1] == "append"
    code, said = validated(capsys, recording)
    assert code == DIVERGED
    assert "a batch was given base offset 3, and the log ended at 2" in said


def test_without_verify_the_same_broker_goes_on_and_validate_finds_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "run.kproof"
    with serving_with_fault(SKIPPED, "--record", str(recording)) as broker:
        topic = made_topic(broker.port, "orders")
        with RawClient(broker.port) as client:
            assert produced(client, topic, b"a", b"b") == 0
            assert produced(client, topic, b"c") == 3
        assert broker.end() == 0

    assert validated(capsys, recording)[0] == DIVERGED


def test_the_report_for_a_person_has_the_step_the_reason_and_what_came_before() -> None:
    observing = Observing(is_verified=True, recording=None)
    fault = fault_named(SKIPPED)
    with pytest.MonkeyPatch.context() as patch:
        fault.install(patch)
        with pytest.raises(Divergence) as caught:
            fault.program(Stepper(observe=observing))
    assert caught.value is observing.error

    error = io.StringIO()
    assert observing.tell_failure(ServeOutput(error=error)) == DIVERGED
    lines = error.getvalue().splitlines()
    assert lines[0].startswith("kproof: the broker did what the specification does not allow: ")
    assert any(line.startswith("    append(base_offset=3, last_offset=4, crc=") for line in lines)
    assert "    a batch was given base offset 3, and the log ended at 2" in lines
    assert "    log_end_offset = 5" in lines
    assert any("log_end_offset = 2, recovery_point = 0" in line for line in lines)
    assert lines[-1].startswith("    step 1: append(base_offset=0, last_offset=1, crc=")


def test_a_sound_broker_is_verified_step_by_step_and_says_how_many(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ("--data-dir", str(tmp_path / "data"), "--verify")
    first, second = tmp_path / "first.kproof", tmp_path / "second.kproof"
    with serving(*data, "--record", str(first)) as broker:
        topic = made_topic(broker.port, "orders")
        with RawClient(broker.port) as client:
            for number in range(20):
                assert produced(client, topic, b"%d" % number) == number
        assert broker.end() == 0
        assert broker.events("stopped")[0]["steps_verified"] >= 21
    with serving(*data, "--record", str(second)) as broker:
        with RawClient(broker.port) as client:
            assert produced(client, topic, b"on") == 20
            client.ask(fetch(1, topic, 0))
        assert broker.end() == 0

    code, said = validated(capsys, first, second)
    assert code == 0, said
    assert "steps of 1 log and 0 groups: as the specification allows" in said
    assert validated(capsys, second, first)[0] == DIVERGED


def test_a_recording_of_a_killed_broker_is_read_up_to_where_it_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "run.kproof"
    with serving("--in-memory", "--record", str(recording)) as broker:
        topic = made_topic(broker.port, "orders")
        with RawClient(broker.port) as client:
            assert produced(client, topic, b"a") == 0
        broker.kill()
    whole = recording.read_text("utf-8")
    recording.write_text(whole[:-7], "utf-8")

    assert len(list(read_recording(recording))) == whole.count("\n") - 2
    assert validated(capsys, recording)[0] == 0


def test_a_recording_is_never_written_over(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recording = tmp_path / "run.kproof"
    recording.write_text("precious", "utf-8")
    with pytest.raises(SystemExit) as end:
        run(["serve", "--port", "0", "--record", str(recording)])

    assert end.value.code == 2
    assert "is there already, and a recording is never written over" in capsys.readouterr().err
    assert recording.read_text("utf-8") == "precious"


def test_a_start_that_was_refused_leaves_no_recording(tmp_path: Path) -> None:
    recording = tmp_path / "run.kproof"
    with serving("--in-memory") as other, pytest.raises(SystemExit) as end:
        run(["serve", "--in-memory", "--port", str(other.port), "--record", str(recording)])

    assert end.value.code == 2
    assert not recording.exists()


def test_a_recording_that_cannot_be_written_stops_the_broker(tmp_path: Path) -> None:
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "from kproof_checker.cli.main import run; run(sys.argv[1:])"
    )
    options = ("--in-memory", "--port", "0", "--topic", "orders:20", "--record", "run.kproof")
    result = subprocess.run(
        [sys.executable, "-c", code, "serve", *options],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
    )

    assert result.returncode == 2
    assert "run.kproof cannot be written: File too large; the broker stopped" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("options", "is_there"),
    [((), False), (("--record", "run.kproof"), False), (("--verify",), True)],
)
def test_the_specification_is_imported_by_who_asks_for_it(
    options: tuple[str, ...], is_there: bool, tmp_path: Path
) -> None:
    code = (
        "import atexit, os, signal, sys, threading;"
        "from kproof_checker.cli.main import run;"
        "loaded = lambda: [name for name in sys.modules if name.startswith('kproof_spec')"
        " or name.endswith('.court')];"
        "atexit.register(lambda: print('loaded', bool(loaded())));"
        "threading.Timer(1, os.kill, (os.getpid(), signal.SIGTERM)).start();"
        "run(sys.argv[1:])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, "serve", "--in-memory", "--port", "0", "--quiet", *options],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        timeout=60,
    )

    assert result.stdout.splitlines()[-1] == f"loaded {is_there}"


def test_the_counters_have_the_steps_verified() -> None:
    before = Counters(0, 0, 0, 0, 0, 0, 0, 0)
    now = Counters(1, 2000, 0, 0, 1, 1, 1, 1234)

    assert counters_line(now, before, 1.0).endswith("1 partition, 1 group, 1,234 steps verified")
