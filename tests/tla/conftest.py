"""Exported models, and TLC where the machine has it."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from kproof_checker.tla import Exported


@dataclass(frozen=True)
class TlcAnswer:
    """What TLC said."""

    generated: int
    distinct: int
    depth: int
    violated: frozenset[str]
    """The invariants that it found violated."""
    states_in_trace: int
    """Of the counterexample; 0 if there is none."""


Tlc = Callable[[Exported, Sequence[str]], TlcAnswer]


@pytest.fixture
def tlc(tmp_path: Path) -> Tlc:
    """Runs TLC on an exported model with some invariants, until one is violated."""
    jar = os.environ.get("KPROOF_TLA2TOOLS", "")
    if not Path(jar).is_file():
        pytest.skip("KPROOF_TLA2TOOLS does not name a tla2tools.jar")
    java = os.environ.get("KPROOF_JAVA") or shutil.which("java")
    if java is None:
        pytest.skip("there is no java on the path, and KPROOF_JAVA does not name one")

    def run(model: Exported, invariants: Sequence[str]) -> TlcAnswer:
        kept = re.sub(r"(?m)^INVARIANT .*\n", "", model.cfg)
        wanted = "".join(f"INVARIANT {name}\n" for name in invariants)
        (tmp_path / f"{model.name}.tla").write_text(model.tla)
        (tmp_path / f"{model.name}.cfg").write_text(kept + wanted)
        command = [java, "-jar", jar, "-workers", "1", f"{model.name}.tla"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return answer_of(done.stdout)

    return run


def answer_of(output: str) -> TlcAnswer:
    """Reads what TLC printed; an error that is no violation fails the test."""
    counts = re.findall(r"(\d+) states generated, (\d+) distinct states found", output)
    depths = re.findall(r"depth of the complete state graph search is (\d+)", output)
    assert counts, output
    errors = re.findall(r"(?m)^Error: (.*)$", output)
    known = re.compile(r"Invariant \w+ is violated|The behavior up to this point")
    assert [error for error in errors if not known.match(error)] == []
    generated, distinct = counts[-1]
    return TlcAnswer(
        int(generated),
        int(distinct),
        int(depths[-1]) if depths else 0,
        frozenset(re.findall(r"Invariant (\w+) is violated", output)),
        len(re.findall(r"(?m)^State \d+:", output)),
    )
