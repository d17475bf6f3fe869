"""`kproof demo`: a live group on a live broker, every step verified."""

import json
import sys

import pytest

from impl_support import group_faults, log_faults
from kproof_checker.cli.main import run
from kproof_checker.demo import story


def demo(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        run(["demo", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.heavy
def test_a_member_is_killed_and_every_step_of_the_broker_is_verified(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = demo()

    told = capsys.readouterr().out.splitlines()
    assert code == 0, told
    assert "killed (kill -9)" in told[3]
    assert "partitions 0 1 2" in told[4]
    verified = int(told[-1].split()[0])
    assert verified > 100
    assert told[-1].endswith("all as the specification allows")


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("fault", "model"),
    [("an offset is skipped", "log"), ("a generation keeps its number", "group")],
)
def test_a_broker_that_errs_is_found_out(
    fault: str, model: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = {each.name: each for each in (*log_faults.FAULTS, *group_faults.FAULTS)}
    faults[fault].install(monkeypatch)

    code = demo("--json")

    assert code == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["step"]["model"]) == ("diverged", model)


def test_without_a_client_it_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(story, "find_spec", lambda _: None)

    assert demo() == 2
    assert "pip install 'kproof[demo]'" in capsys.readouterr().err


@pytest.mark.heavy
def test_a_client_that_cannot_begin_ends_the_story_with_what_it_said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")

    assert demo() == 3
    assert "a client ended with code 1" in capsys.readouterr().err
