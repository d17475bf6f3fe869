"""The command line as a function, run in a folder of its own."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from kproof_checker.cli.main import run

Kproof = Callable[..., CompletedProcess[str]]

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "two_phase_commit.py"


@pytest.fixture
def kproof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Kproof:
    """Runs the command line in an empty folder that has the tutorial model as `toy.py`."""
    shutil.copy(EXAMPLE, tmp_path / "toy.py")
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str) -> CompletedProcess[str]:
        with pytest.raises(SystemExit) as end:
            run(arguments)
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        code = end.value.code
        assert isinstance(code, int)
        sys.modules.pop("kproof_model_toy", None)
        return CompletedProcess(arguments, code, said.out, said.err)

    return call
