"""kafka-python's integration tests, from its source archive, in an environment of their own.

They know a broker by KAFKA_URI. The tests of TLS and SASL start a Kafka of their own, so they are
left out; the tests that need several brokers fail against one Kafka too (see the baseline).
"""

import os
import shutil
import subprocess
import sys
import tarfile
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from xml.etree import ElementTree

from external.outcomes import FAILED, PASSED, SKIPPED, Outcome, SuiteError

SUITE = "kafka_python"
VERSION = "3.0.12"
BROKER_VERSION = "4.1"
TEST_SECONDS = 60
NEEDS = ("py", "pytest", "pytest-mock", "pytest-timeout", "lz4", "python-snappy", "zstandard")


def prepare(cache: Path) -> Path:
    """Fetch the source archive and make the environment, unless that was done; the folder."""
    folder = cache / f"kafka_python-{VERSION}"
    python = folder / "environment" / "bin" / "python"
    if python.is_file():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    _run([
        sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary",
        "kafka-python", "--dest", str(cache), f"kafka-python=={VERSION}",
    ], cache)  # fmt: skip
    with tarfile.open(cache / f"kafka_python-{VERSION}.tar.gz") as packed:
        packed.extractall(cache, filter="data")
    (folder / "test" / "__init__.py").touch()  # Else the standard library's `test` comes first.
    service = Path(__file__).with_name("kafka_python_service.py")
    shutil.copy(service, folder / "test" / "service.py")
    (folder / "root").mkdir(exist_ok=True)  # The suite wants KAFKA_ROOT to be there; it is unused.
    venv.create(folder / "environment", with_pip=True)
    _run([str(python), "-m", "pip", "install", "--quiet", *NEEDS], folder)
    return folder


def run(folder: Path, bootstrap: str, selected: str = "") -> Iterator[Outcome]:
    """Run the suite against the broker at `bootstrap`; `selected` is pytest's `-k` expression."""
    report = folder / f"kproof-{os.getpid()}.xml"
    environment = {
        **os.environ,
        "KAFKA_ROOT": str(folder / "root"),
        "KAFKA_VERSION": BROKER_VERSION,
        "KAFKA_URI": f"kafka://{bootstrap}",
    }
    environment.pop("PYTHONPATH", None)
    command = [
        str(folder / "environment" / "bin" / "python"), "-m", "pytest", "test/integration", "-q",
        f"--timeout={TEST_SECONDS}", "--timeout-method=signal", f"--junitxml={report}",
        *(("-k", selected) if selected else ()),
    ]  # fmt: skip
    with (folder / "kproof.log").open("wb") as log:
        subprocess.run(
            command, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT, check=False
        )
    if not report.is_file():
        raise SuiteError(f"pytest wrote no report; read {folder / 'kproof.log'}")
    root = ElementTree.parse(report).getroot()
    report.unlink()
    for case in root.iter("testcase"):
        yield _outcome(case)


def _outcome(case: ElementTree.Element) -> Outcome:
    name = f"{case.get('classname', '').rpartition('.')[2]}::{case.get('name', '')}"
    seconds = float(case.get("time", "0"))
    for tag, result in (("failure", FAILED), ("error", FAILED), ("skipped", SKIPPED)):
        found = case.find(tag)
        if found is not None:
            note = (found.get("message") or "").split("\n", 1)[0]
            return Outcome(SUITE, name, result, seconds, note)
    return Outcome(SUITE, name, PASSED, seconds)


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        end = (done.stdout + done.stderr)[-2000:]
        raise SuiteError(f"`{' '.join(command)}` ended with {done.returncode}:\n{end}")
