"""The documents are true: their commands run, their paths exist, their snippets and tables hold."""

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kproof_checker.cli.main import run
from kproof_checker.reports.outcome import ExitCode
from kproof_checker.verdicts import Verdict
from kproof_spec.catalog import MODELS
from make_tables import PARTS, is_current

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "traces/README.md",
    *sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "docs").rglob("*.md")),
]
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
FOLDERS = r"(?:spec|impl|checker|tests|tools|docs|examples|traces|bench|replication|lang|engines)"
PATH = re.compile(rf"{FOLDERS}(?:/[\w.-]+)+/?")
BELOW = ("", "spec/kproof_spec/", "checker/kproof_checker/", "docs/")
"""Where a path in a document may begin."""

MEANT_TO_FAIL = {
    "check replication --variant kip_101 --set replicas=2": ExitCode.BAD,
    "check replication --variant kip_101 --property strong_isr --set replicas=2": ExitCode.BAD,
    "check replication --variant kip_101 --junit kproof.xml --sarif kproof.sarif": ExitCode.BAD,
    "check replication --mutant is_following_any_epoch": ExitCode.BAD,
    "check examples/two_phase_commit.py --mutant receive_abort_unasked": ExitCode.BAD,
    "check replication --max-states 1000 --quiet": ExitCode.UNKNOWN,
    "validate traces/recordings/an_offset_was_skipped.kproof": ExitCode.BAD,
}
"""The commands of the documents that do not exit 0."""

WHOLE_CATALOGUE = re.compile(r"check(?: --(?:github|junit \S+|sarif \S+|json|quiet|scope \S+))*")


@cache
def text(document: str) -> str:
    """The text of a document."""
    return (ROOT / document).read_text(encoding="utf-8")


def blocks(document: str, *languages: str) -> list[str]:
    """The fenced blocks of a document in some languages, in order."""
    return [body for language, body in FENCED.findall(text(document)) if language in languages]


def commands(document: str) -> Iterator[str]:
    """What follows `kproof` in the fenced commands of a document."""
    for body in blocks(document, "sh", "console", "yaml"):
        for line in body.splitlines():
            found = re.match(r"(?:\$ |- run: )?kproof (.*)", line)
            if found:
                yield found[1].split("  #")[0].strip()


COMMANDS = sorted({command for document in DOCUMENTS for command in commands(document)})

each_document = pytest.mark.parametrize("document", DOCUMENTS)


def exit_code(arguments: list[str]) -> Any:
    """What the command line ends with."""
    with pytest.raises(SystemExit) as end:
        run(arguments)
    return end.value.code


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that looks like the checkout, so that what commands write stays out of it."""
    for name in ("examples", "traces"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_documents_have_commands_to_try() -> None:
    assert len(COMMANDS) > 15
    assert set(MEANT_TO_FAIL) <= set(COMMANDS)


@pytest.mark.parametrize("command", [c for c in COMMANDS if not WHOLE_CATALOGUE.fullmatch(c)])
@pytest.mark.usefixtures("checkout")
def test_a_command_of_the_documents_ends_as_it_should(command: str) -> None:
    assert exit_code(shlex.split(command)) == MEANT_TO_FAIL.get(command, ExitCode.GOOD)


@pytest.mark.parametrize("command", [c for c in COMMANDS if WHOLE_CATALOGUE.fullmatch(c)])
@pytest.mark.usefixtures("checkout")
def test_a_check_of_the_catalogue_in_the_documents_has_options_that_exist(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # A constant without a model is refused once the options are read, and nothing is run.
    assert exit_code([*shlex.split(command), "--set", "replicas=2"]) == ExitCode.USAGE
    assert "none was named" in capsys.readouterr().err


@each_document
def test_a_path_in_a_document_exists(document: str) -> None:
    if document.startswith("docs/decisions/0002"):
        pytest.skip("it speaks of layouts that were not chosen")
    named = {path for code in CODE.findall(text(document)) for path in PATH.findall(code)}

    missing = [
        path
        for path in sorted(named)
        if path not in ("path/to/model.py", "docs/decisions/NNNN-short-name.md")
        and not any((ROOT / start / path).exists() for start in BELOW)
    ]
    assert missing == []


@each_document
def test_the_python_snippets_of_a_document_run_in_order(document: str) -> None:
    space: dict[str, Any] = {"__name__": "snippets"}
    for number, body in enumerate(blocks(document, "python"), 1):
        exec(compile(body, f"{document}, snippet {number}", "exec"), space)


def test_the_language_page_has_snippets() -> None:
    assert len(blocks("docs/language.md", "python")) >= 7


def keys_of_tables(document: str) -> set[str]:
    """Every name in the first column of a document's tables."""
    rows = [line for line in text(document).splitlines() if line.startswith("| `")]
    return {name for row in rows for name in CODE.findall(row.split("|")[1])}


@pytest.mark.usefixtures("checkout")
def test_the_page_on_checking_names_every_key_of_the_json_form(
    capsys: pytest.CaptureFixture[str],
) -> None:
    exit_code(["check", "examples/two_phase_commit.py", "--set", "resource_managers=2", "--json"])
    printed = json.loads(capsys.readouterr().out)

    assert set(printed) - keys_of_tables("docs/checking.md") == set()


def test_the_page_on_traces_names_every_key_of_a_trace_file() -> None:
    path = ROOT / "traces" / "gallery" / "leader_never_saw_the_epoch.itf.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    keys = {*stored, *stored["#meta"], *stored["states"][1]["#meta"]}

    assert keys - keys_of_tables("docs/traces.md") == set()


def test_the_page_on_checking_names_every_verdict_and_exit_code() -> None:
    said = text("docs/checking.md")

    assert [v.value for v in Verdict if f"| `{v.value}` |" not in said] == []
    assert [code for code in ExitCode if f"\n| {int(code)} |" not in said] == []


def test_the_page_on_kips_names_every_kip_that_a_model_of_the_catalogue_cites() -> None:
    models = [model for entry in MODELS.values() for model in entry.variants.values()]
    packages = {model.state.__module__.split(".")[1] for model in models}
    files = [p for name in packages for p in (ROOT / "spec/kproof_spec" / name).rglob("*.py")]
    cited = {kip for path in files for kip in re.findall(r"KIP-\d+", path.read_text("utf-8"))}

    assert len(cited) > 5
    assert cited - set(re.findall(r"KIP-\d+", text("docs/kips.md"))) == set()


SEARCHED = {"checks", "mutants", "gallery"}
"""The parts that take seconds."""


@pytest.mark.parametrize(
    ("document", "name"), [part for part in PARTS if part[1] not in {*SEARCHED, "larger"}]
)
def test_a_generated_part_is_what_a_run_gives_today(document: str, name: str) -> None:
    """If it is not: `python tools/make_tables.py --rewrite`, and read the difference."""
    assert is_current(document, name)


@pytest.mark.heavy
@pytest.mark.parametrize(("document", "name"), [part for part in PARTS if part[1] in SEARCHED])
def test_a_table_of_searches_is_what_a_run_gives_today(document: str, name: str) -> None:
    assert is_current(document, name)


@pytest.mark.slow
def test_the_table_of_larger_scopes_is_what_a_run_gives_today() -> None:
    assert is_current("docs/catalogue.md", "larger")
