"""Java's kafka-clients, the reference of all clients, tells the core story: see java/Story.java."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "java"
CACHE = Path(__file__).resolve().parents[3] / ".kproof" / "external" / "java"
FETCH_SECONDS = 300
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
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        pytest.skip("java and mvn are not installed")
    libs = CACHE / "libs"
    if not list(libs.glob("kafka-clients-*.jar")):
        CACHE.mkdir(parents=True, exist_ok=True)
        command = [
            maven,
            "--quiet",
            "--batch-mode",
            "--file",
            str(HERE / "pom.xml"),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={libs}",
        ]
        done = subprocess.run(command, capture_output=True, timeout=FETCH_SECONDS, check=False)
        if done.returncode != 0:
            pytest.skip("kafka-clients cannot be fetched: mvn reaches no repository")
    return libs


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
