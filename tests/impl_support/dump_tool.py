"""Kafka's own tool that reads log files, `DumpLogSegments`."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from .maven import fetched_libraries

POM = Path(__file__).resolve().parents[1] / "impl" / "storage" / "java" / "pom.xml"
SECONDS = 60


def fetched_tool() -> Path:
    """The folder of the tool and what it needs."""
    return fetched_libraries(POM, "dump-log-segments", "kafka_2.13-*.jar")


def dump(libraries: Path, files: Sequence[Path], *options: str) -> str:
    """What the tool prints: its findings are among its errors.  It must succeed."""
    command = ["java", "-cp", f"{libraries}/*", "kafka.tools.DumpLogSegments", *options]
    done = subprocess.run(
        [*command, "--files", ",".join(map(str, files))],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr
