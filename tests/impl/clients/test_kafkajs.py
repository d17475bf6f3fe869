"""kafkajs, the client of Node.js, tells the core story: see kafkajs/story.js."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent / "kafkajs"
CACHE = Path(__file__).resolve().parents[3] / ".kproof" / "external" / "kafkajs"
INSTALL_SECONDS = 300
SECONDS = 120
STEPS = ["produce-and-consume", "idempotent", "group", "administer"]

pytestmark = [pytest.mark.interop, pytest.mark.heavy]


@pytest.fixture(scope="module")
def story() -> Path:
    """The script, beside an installed kafkajs."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not installed")
    CACHE.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "story.js"):
        shutil.copy(HERE / name, CACHE / name)
    if not (CACHE / "node_modules" / "kafkajs").is_dir():
        command = [npm, "install", "--silent", "--no-fund", "--no-audit"]
        done = subprocess.run(
            command, cwd=CACHE, capture_output=True, timeout=INSTALL_SECONDS, check=False
        )
        if done.returncode != 0:
            pytest.skip("kafkajs cannot be installed: npm reaches no registry")
    return CACHE / "story.js"


def test_kafkajs_tells_the_core_story(
    bootstrap: str, story: Path, new_name: Callable[[str], str]
) -> None:
    done = subprocess.run(
        ["node", str(story), bootstrap, new_name("js")],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split() == STEPS
