"""The page on conformance and the schema of events are those of the code."""

import json
import re
from pathlib import Path

import pytest

from kproof_checker.cli.main import run
from kproof_checker.conformance.recording import FIELDS
from kproof_impl.core import observed_log, told_compaction
from kproof_impl.core.groups import told
from make_recordings import FOLDER, WRONG, make_all

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "conformance.md").read_text(encoding="utf-8")
SCHEMA = (ROOT / "traces" / "README.md").read_text(encoding="utf-8")


def test_the_report_on_the_page_is_what_validate_prints(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    with pytest.raises(SystemExit):
        run(["validate", f"traces/recordings/{WRONG}"])

    assert capsys.readouterr().out in PAGE


def test_the_page_names_every_key_of_the_json_form(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run(["validate", "--json", str(FOLDER / WRONG)])

    keys = json.loads(capsys.readouterr().out).keys()
    assert [key for key in keys if f"`{key}`" not in PAGE] == []


@pytest.mark.parametrize(
    ("module", "section", "rows_min"),
    [
        (observed_log, "Events of a log", 8),
        (told_compaction, "Events of a compacted log", 4),
        (told, "Events of a group", 8),
    ],
    ids=["log", "compaction", "group"],
)
def test_the_schema_has_every_action_with_its_parameters(
    module: object, section: str, rows_min: int
) -> None:
    schema = SCHEMA.split(f"### {section}\n")[1].split("\n### ")[0]
    rows = [line for line in (module.__doc__ or "").splitlines() if line.startswith("| `")]
    missing = []
    for row in rows:
        _, actions, parameters, _ = row.split("|", 3)
        for action in re.findall(r"`(\w+)`", actions):
            (entry,) = re.findall(rf"^\| `{action}` .*$", schema, re.MULTILINE)
            names = re.findall(r"`([a-z_]+)`", parameters)
            missing += [(action, name) for name in names if f"`{name}`" not in entry]

    assert len(rows) >= rows_min
    # That `become_empty` and `store_empty` share a row is the code's way to say it.
    assert [one for one in missing if one[0] != "store_empty"] == []


def test_the_schema_has_every_field_of_an_event() -> None:
    assert [name for name in FIELDS if f"\n| `{name}` |" not in SCHEMA] == []


def test_the_recordings_are_what_a_broker_tells_today(tmp_path: Path) -> None:
    """If they are not: `python tools/make_recordings.py`, and read the difference."""
    for made in make_all(tmp_path):
        assert made.read_text("utf-8") == (FOLDER / made.name).read_text("utf-8")
