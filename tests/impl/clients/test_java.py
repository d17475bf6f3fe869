"""Java's kafka-clients, the reference of all clients, tells the core story: see java/Story.java."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from impl_support.maven import fetched_libraries

HERE = Path(__file__).resolve().parent / "java"
SECONDS = 180
STEPS = [
    "produce-and-consume",
    "idempotent",
    "group-range",
    "group-sticky",
    "group-cooperative",
    "group-static",
    "administer",
]

pytestmark = [pytest.mark.interop, pytest.mark.heavy]


@pytest.fixture(scope="module")
def libraries() -> Path:
    """The folder of kafka-clients and what it needs."""
    return fetched_libraries(HERE / "pom.xml", "java", "kafka-clients-*.jar")


def test_javas_client_tells_the_core_story(
    bootstrap: str, libraries: Path, new_name: Callable[[str], str]
) -> None:
    done = subprocess.run(
        ["java", "-cp", f"{libraries}/*", str(HERE / "Story.java"), bootstrap, new_name("java")],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == STEPS
