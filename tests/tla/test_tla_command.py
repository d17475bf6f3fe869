"""`kproof export`: the files it writes, and what it says when it cannot."""

import shutil
import sys
from pathlib import Path

import pytest

from kproof_checker.cli.main import run
from tla.export_of import TUTORIAL


def code_of(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as end:
        run(arguments)
    assert isinstance(end.value.code, int)
    return end.value.code


def test_export_writes_a_module_and_its_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "made"

    code = code_of("export", "async_isr", "--tla", "--set", "replicas=2", "--out", str(out))

    assert code == 0
    assert sorted(path.name for path in out.iterdir()) == ["async_isr.cfg", "async_isr.tla"]
    assert "MODULE async_isr " in (out / "async_isr.tla").read_text()
    assert "tlc2.TLC" in capsys.readouterr().out


def test_the_variant_and_the_mutant_are_in_the_name(tmp_path: Path) -> None:
    shutil.copy(TUTORIAL, tmp_path / "toy.py")
    toy = str(tmp_path / "toy.py")

    code_of("export", "replication", "--tla", "--variant", "kip_101", "--out", str(tmp_path))
    code_of("export", toy, "--tla", "--mutant", "receive_abort_unasked", "--out", str(tmp_path))
    sys.modules.pop("kproof_model_toy", None)

    assert (tmp_path / "replication_kip_101.tla").is_file()
    assert (tmp_path / "two_phase_commit_receive_abort_unasked.tla").is_file()


def test_only_the_properties_that_are_named_are_exported(tmp_path: Path) -> None:
    code_of("export", "replication", "--tla", "--property", "weak_isr", "--out", str(tmp_path))

    text = (tmp_path / "replication_kip_320.cfg").read_text()
    assert "INVARIANT weak_isr" in text
    assert "strong_isr" not in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["async_isr"], "--tla"),
        (["async_isr", "--tla", "--variant", "nowhere"], "no variant nowhere"),
        (["async_isr", "--tla", "--out", "taken"], "taken is a file"),
        (["async_isr", "--tla", "--property", "nothing"], "no property nothing"),
    ],
)
def test_what_cannot_be_exported_is_refused_with_a_reason(
    arguments: list[str],
    expected: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").touch()

    code = code_of("export", *arguments)

    assert code == 2
    assert expected in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
