"""librdkafka's own tests: a C program, `test-runner`, that needs a broker for 98 of its tests.

The npm package of Confluent's client for JavaScript ships the sources with the tests. Each test
runs in a process of its own, so that one that hangs or aborts spoils no other. Left out are the
tests that need three brokers, TLS, an authorizer, transactions, a broker that creates no topics
by itself, or the `sockem` socket shim; `TESTS` says which remain.
"""

import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from external.outcomes import FAILED, PASSED, SKIPPED, Outcome, SuiteError

SUITE = "librdkafka"
PACKAGE = "@confluentinc/kafka-javascript@1.10.1"
BROKER_VERSION = "4.0.0"
TEST_SECONDS = 180

SMOKE = (
    "0001", "0008", "0012", "0017", "0029", "0030", "0031", "0033", "0056", "0102", "0113", "0118",
)  # fmt: skip
TESTS = (
    "0001", "0002", "0003", "0005", "0007", "0008", "0011", "0012", "0013", "0014", "0015", "0016",
    "0017", "0018", "0019", "0020", "0021", "0022", "0026", "0029", "0030", "0031", "0033", "0034",
    "0035", "0036", "0038", "0039", "0040", "0041", "0042", "0044", "0045", "0048", "0050", "0051",
    "0052", "0053", "0054", "0055", "0056", "0057", "0059", "0060", "0061", "0063", "0064", "0065",
    "0067", "0069", "0070", "0073", "0077", "0082", "0083", "0084", "0085", "0086", "0089", "0091",
    "0092", "0093", "0099", "0102", "0109", "0110", "0112", "0113", "0114", "0118", "0122", "0123",
    "0125", "0127", "0130", "0132", "0137", "0139", "0140", "0150",
)  # fmt: skip
"""Numbers, as the runner's TESTS variable selects them; one number may stand for several tests."""

IN_FULL = frozenset({
    "0018", "0019", "0026", "0039", "0045", "0050", "0063", "0082", "0086", "0102",
    "0122", "0132",
})  # fmt: skip
"""Tests that leave out all they are about when the runner is told to be quick.

0061 does too, and stays quick: in full it needs transactions.
"""

SUBTESTS = {"0045": "subscribe"}
"""Only the parts with this in their names: the others take minutes with a mock cluster."""

RESULTS = {"PASSED": PASSED, "FAILED": FAILED, "SKIPPED": SKIPPED}


def prepare(cache: Path) -> Path:
    """Fetch and build the runner, unless that was done; the folder it lives in."""
    folder = cache / "librdkafka"
    tests = folder / "source" / "tests"
    if (tests / "test-runner").is_file():
        return tests
    folder.mkdir(parents=True, exist_ok=True)
    said = _run(["npm", "pack", "--silent", PACKAGE], folder)
    archive = folder / said.split()[-1]
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    (folder / "package" / "deps" / "librdkafka").rename(folder / "source")
    _run(["./configure"], folder / "source")
    _run(["make", f"-j{os.cpu_count() or 1}", "libs"], folder / "source")
    _run(["make", f"-j{os.cpu_count() or 1}", "-C", "tests", "build"], folder / "source")
    return tests


def run(
    folder: Path, bootstrap: str, numbers: Sequence[str], *, is_quick: bool = False
) -> Iterator[Outcome]:
    """Run the tests of these numbers one after the other against the broker at `bootstrap`.

    Some depend on which of two consumers joins first, so one that fails has a second attempt,
    and its note says so. `is_quick` runs all of them in the runner's quick mode.
    """
    configuration = folder / f"kproof-{os.getpid()}.conf"
    configuration.write_text(f"metadata.broker.list={bootstrap}\n", encoding="utf-8")
    report = folder / f"kproof-{os.getpid()}.json"
    environment = {
        **os.environ,
        "RDKAFKA_TEST_CONF": str(configuration),
        "TEST_KAFKA_VERSION": BROKER_VERSION,
        "TEST_REPORT": str(report),
        "KAFKA_PATH": str(Path(__file__).resolve().parent / "shims"),
        "LD_LIBRARY_PATH": f"{folder.parent / 'src'}:{folder.parent / 'src-cpp'}",
        "BROKERS": bootstrap,
        "KPROOF_PYTHON": sys.executable,
    }
    try:
        for number in numbers:
            chosen = {**environment, "TESTS": number}
            if number in SUBTESTS:
                chosen["SUBTESTS"] = SUBTESTS[number]
            outcomes = _run_one(folder, number, chosen, report, is_quick)
            if any(outcome.result == FAILED for outcome in outcomes):
                outcomes = [
                    replace(outcome, note=f"second attempt {outcome.note}".strip())
                    for outcome in _run_one(folder, number, chosen, report, is_quick)
                ]
            yield from outcomes
    finally:
        configuration.unlink()
        report.unlink(missing_ok=True)


def _run_one(
    folder: Path, number: str, environment: dict[str, str], report: Path, is_quick: bool
) -> list[Outcome]:
    report.unlink(missing_ok=True)
    began = time.monotonic()
    command = [
        "./test-runner",
        "-p1",
        "-E",
        "-K",
        *(() if number in IN_FULL and not is_quick else ("-Q",)),
    ]
    log = folder / f"kproof-{number}.log"
    with log.open("wb") as output:
        try:
            subprocess.run(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=TEST_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            note = f"no end within {TEST_SECONDS} seconds; see {log.name}"
            return [Outcome(SUITE, number, FAILED, time.monotonic() - began, note)]
    said = log.read_text(encoding="utf-8", errors="replace")
    try:
        tests = json.loads(report.read_text(encoding="utf-8", errors="replace"))["tests"]
    except (OSError, ValueError):
        note = f"the runner ended without a report; see {log.name}"
        return [Outcome(SUITE, number, FAILED, time.monotonic() - began, note)]
    outcomes = []
    for name, test in tests.items():
        if name.startswith(number):
            result = RESULTS.get(test["state"], FAILED)
            note = "" if result == PASSED else _reason(said, name)
            outcomes.append(Outcome(SUITE, name, result, float(test["duration"]), note))
    return outcomes


def _reason(said: str, name: str) -> str:
    """The line of the summary that says why a test failed or was skipped."""
    for line in said.splitlines():
        if f" {name} " in line and line.count("|") >= 3:
            return line.split("|", 3)[3].replace("\x1b[0m", "").replace("\x1b[36m", "").strip()
    return ""


def _run(command: Sequence[str], folder: Path) -> str:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", check=False
        )
    except FileNotFoundError:
        raise SuiteError(f"`{command[0]}` is not installed; librdkafka's tests need it") from None
    if done.returncode != 0:
        end = (done.stdout + done.stderr)[-2000:]
        raise SuiteError(f"`{' '.join(command)}` in {folder} ended with {done.returncode}:\n{end}")
    return done.stdout
