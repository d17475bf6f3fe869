"""Java's libraries for tests: fetched by Maven once, and kept for the next run."""

import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp

import pytest

EXTERNAL = Path(__file__).resolve().parents[2] / ".kproof" / "external"
FETCH_SECONDS = 300


def fetched_libraries(pom: Path, name: str, jar: str) -> Path:
    """The folder of what a pom asks for, kept under `name`; it is there if `jar` matches a file.

    Skips the test where Java or Maven is missing, or Maven reaches no repository.
    """
    java, maven = shutil.which("java"), shutil.which("mvn")
    if java is None or maven is None:
        pytest.skip("java and mvn are not installed")
    libs = EXTERNAL / name / "libs"
    if not list(libs.glob(jar)):
        libs.parent.mkdir(parents=True, exist_ok=True)
        # Aside first: another worker of the same run must not find half of them.
        aside = Path(mkdtemp(prefix="libs-", dir=libs.parent))
        command = [
            maven,
            "--quiet",
            "--batch-mode",
            "--file",
            str(pom),
            "dependency:copy-dependencies",
            f"-DoutputDirectory={aside}",
        ]
        done = subprocess.run(command, capture_output=True, timeout=FETCH_SECONDS, check=False)
        if done.returncode != 0:
            shutil.rmtree(aside)
            pytest.skip(f"{jar} cannot be fetched: mvn reaches no repository")
        try:
            aside.rename(libs)
        except OSError:
            shutil.rmtree(aside)  # The other worker was first.
    return libs
