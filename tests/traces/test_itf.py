"""Trace files: what is written is read back, as it was, and replays."""

import json
import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kproof_checker.traces.files import CannotWrite, write_text
from kproof_checker.traces.itf import (
    read_trace,
    trace_text,
    write_trace,
)
from kproof_checker.traces.itf_values import codes_of, encode
from kproof_checker.traces.replay import replay
from kproof_checker.traces.trace import Trace
from traces.trace_tools import (
    EVERY_FIELD,
    TWO_PHASE_COMMIT,
    machine_of,
    random_run,
    run_to_property,
)

COMMIT = machine_of(TWO_PHASE_COMMIT)
EVERY = machine_of(EVERY_FIELD)
BROKEN = machine_of(TWO_PHASE_COMMIT, "receive_abort_unasked")
COUNTEREXAMPLE = run_to_property(BROKEN, TWO_PHASE_COMMIT, "outcomes_agree")


def in_words(trace: Trace) -> list[Any]:
    """A trace without objects of one load of a model: ids of two loads are not equal."""
    return [
        *(trace.model, trace.variant, trace.mutant, dict(trace.constants), trace.spec_hash),
        *(trace.states, [step.label for step in trace.steps], trace.story),
        *(trace.claim.kind, trace.claim.name, repr(dict(trace.claim.arguments))),
        trace.claim.state % trace.length,
    ]


def store(folder: Path, document: Any) -> Path:
    """A file with the JSON of a document, or with a text as it is."""
    path = folder / "trace.itf.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


# Round trips


@pytest.mark.parametrize("machine", [COMMIT, EVERY], ids=["two_phase_commit", "every_field"])
@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32), length=st.integers(1, 14))
def test_any_random_walk_comes_back_as_it_was_and_replays(
    machine: Any, seed: int, length: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = TWO_PHASE_COMMIT if machine is COMMIT else EVERY_FIELD
    trace = random_run(machine, path, random.Random(seed), length)
    file = tmp_path_factory.getbasetemp() / "walk.itf.json"

    write_trace(trace, machine, file)
    read_machine, read = read_trace(file)

    assert in_words(read) == in_words(trace)
    assert replay(read_machine, read).ok
    assert trace_text(read, read_machine) == file.read_text()


def test_a_counterexample_keeps_its_claim_and_its_story(tmp_path: Path) -> None:
    trace = replace(COUNTEREXAMPLE, story="One gives up.\n\nThe other does not: \u00e9.")
    file = tmp_path / "new" / "folder" / "trace.itf.json"

    write_trace(trace, BROKEN, file)
    machine, read = read_trace(file)

    assert in_words(read) == in_words(trace)
    assert machine.model.mutant_name == "receive_abort_unasked"
    assert replay(machine, read).ok


def test_a_file_is_itf_as_other_tools_know_it() -> None:
    machine = EVERY
    trace = random_run(machine, EVERY_FIELD, random.Random(1), 6)
    document = json.loads(trace_text(trace, machine))

    assert document["#meta"]["format"] == "ITF"
    assert document["vars"] == list(machine.domain.fields)  # type: ignore[attr-defined]
    first = document["states"][0]
    assert first["#meta"] == {"index": 0}
    assert first["chief"] == "c0"
    assert first["deputy"] == "NONE"
    assert first["template"] == {"ink": "RED", "is_signed": False}
    assert first["numbers"] == []
    assert first["open_pages"] == {"#set": []}
    assert first["marks"] == {"#map": [["BLACK", {"#bigint": "-1"}], ["RED", {"#bigint": "-1"}]]}
    assert first["was_signed"] is False


def test_each_step_says_what_it_changed() -> None:
    document = json.loads(trace_text(COUNTEREXAMPLE, BROKEN))

    meta = document["states"][1]["#meta"]

    assert (meta["action"], meta["arguments"]) == ("prepare", {"rm": "rm0"})
    assert meta["changed"] == {
        "vote[rm0]": {"before": "WORKING", "after": "PREPARED"},
        "prepared_sent{rm0}": {"before": False, "after": True},
    }


def test_a_file_is_readable_in_a_diff() -> None:
    text = trace_text(COUNTEREXAMPLE, BROKEN)

    assert text.endswith("}\n")
    assert max(map(len, text.splitlines())) <= 100
    assert text == trace_text(COUNTEREXAMPLE, BROKEN)


def test_plain_json_numbers_are_accepted(tmp_path: Path) -> None:
    trace = random_run(EVERY, EVERY_FIELD, random.Random(7), 8)
    text = trace_text(trace, EVERY)

    def plain(value: dict[str, Any]) -> Any:
        return int(value["#bigint"]) if value.keys() == {"#bigint"} else value

    document = json.loads(text, object_hook=plain)
    assert "#bigint" not in json.dumps(document)

    assert in_words(read_trace(store(tmp_path, document))[1]) == in_words(trace)


def test_a_trace_of_another_version_is_read_and_keeps_its_hash(tmp_path: Path) -> None:
    document = json.loads(trace_text(COUNTEREXAMPLE, BROKEN))
    document["#meta"]["spec_hash"] = "0123456789abcdef"

    _, trace = read_trace(store(tmp_path, document))

    assert trace.spec_hash == "0123456789abcdef"


def test_a_trace_reads_the_same_under_another_hash_seed(tmp_path: Path) -> None:
    script = (
        "import random, sys; sys.path.insert(0, sys.argv[1])\n"
        "from traces.trace_tools import *\n"
        "from kproof_checker.traces.itf import trace_text\n"
        "m = machine_of(EVERY_FIELD)\n"
        "print(trace_text(random_run(m, EVERY_FIELD, random.Random(3), 9), m))\n"
    )
    command = [sys.executable, "-c", script, str(Path(__file__).parents[1])]
    paths = os.pathsep.join(p for p in sys.path if p)

    texts = {
        subprocess.run(
            command,
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1")
    }

    assert len(texts) == 1


# Writing


def test_a_file_that_cannot_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")

    with pytest.raises(CannotWrite, match="cannot write"):
        write_text(blocked / "trace.itf.json", "x")
    with pytest.raises(CannotWrite, match="cannot write"):
        write_text(tmp_path, "x")

    assert blocked.read_text() == "not a folder"
    assert list(tmp_path.iterdir()) == [blocked]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_said_in_words_and_leaves_no_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(CannotWrite, match="No space left"):
        write_text(Path("/dev/full"), "x")
    assert not Path("/dev/full").is_file()

    file = tmp_path / "trace.itf.json"
    file.write_text("before")

    def full(self: Path, text: str, **_: Any) -> int:
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(CannotWrite, match="No space left"):
        write_text(file, "after")

    assert file.read_text() == "before"
    assert list(tmp_path.iterdir()) == [file]


def test_every_state_of_a_small_scope_round_trips() -> None:
    machine = machine_of(EVERY_FIELD, clerks=1, pages=1)
    trace = random_run(machine, EVERY_FIELD, random.Random(5), 40)

    for codes in trace.states:
        written = encode(machine.domain, machine.load(codes))
        assert tuple(codes_of(machine.domain, written, "state")) == codes
