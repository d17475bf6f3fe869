"""Damaged trace files are refused in words, or do not replay; they never crash the reader."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kproof_checker.traces.itf import (
    UnreadableTrace,
    read_trace,
    trace_text,
)
from kproof_checker.traces.replay import replay
from traces.trace_tools import (
    EVERY_FIELD,
    TWO_PHASE_COMMIT,
    as_trace,
    machine_of,
    run_to_property,
)

EVERY = machine_of(EVERY_FIELD)
BROKEN = machine_of(TWO_PHASE_COMMIT, "receive_abort_unasked")
COUNTEREXAMPLE = run_to_property(BROKEN, TWO_PHASE_COMMIT, "outcomes_agree")


def store(folder: Path, document: Any) -> Path:
    """A file with the JSON of a document, or with a text as it is."""
    path = folder / "trace.itf.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


Document = dict[str, Any]


def drop(*keys: str) -> Callable[[Document], None]:
    """Removes the key at the end of a path."""

    def damage(document: Any) -> None:
        for key in keys[:-1]:
            document = document[int(key) if isinstance(document, list) else key]
        del document[keys[-1]]

    return damage


def put(value: Any, *keys: str) -> Callable[[Document], None]:
    """Puts a value at the end of a path."""

    def damage(document: Any) -> None:
        for key in keys[:-1]:
            document = document[int(key) if isinstance(document, list) else key]
        last = keys[-1]
        document[int(last) if isinstance(document, list) else last] = value

    return damage


DAMAGE = {
    "no meta": (drop("#meta"), "#meta"),
    "meta is a list": (put([], "#meta"), "#meta"),
    "no vars": (drop("vars"), "vars"),
    "other vars": (put(["x"], "vars"), "is_decided"),
    "no states": (drop("states"), "not ITF"),
    "states are none": (put([], "states"), "one state at least"),
    "states are an object": (put({}, "states"), "a list"),
    "a state is a number": (put(3, "states", "2"), "states[2]"),
    "a state lacks a field": (drop("states", "2", "vote"), "vote"),
    "a state has a field more": (put(1, "states", "2", "extra"), "extra"),
    "a state lacks its meta": (drop("states", "2", "#meta"), "#meta"),
    "a state lacks its index": (drop("states", "2", "#meta", "index"), "index"),
    "a state has another index": (put(7, "states", "2", "#meta", "index"), "moved"),
    "a step lacks its action": (drop("states", "2", "#meta", "action"), "action"),
    "a step is unknown": (put("fly", "states", "2", "#meta", "action"), "prepare"),
    "a step is no text": (put(["prepare"], "states", "2", "#meta", "action"), "a text"),
    "arguments are missing": (put({}, "states", "2", "#meta", "arguments"), "rm"),
    "an argument is unknown": (
        put({"rm": "rm7"}, "states", "2", "#meta", "arguments"),
        "rm0, rm1, rm2",
    ),
    "an argument has the wrong kind": (
        put({"rm": {"#bigint": "0"}}, "states", "2", "#meta", "arguments"),
        "rm0, rm1, rm2",
    ),
    "an enum member is unknown": (
        put(
            {"#map": [["rm0", "GONE"], ["rm1", "WORKING"], ["rm2", "WORKING"]]},
            "states",
            "0",
            "vote",
        ),
        "WORKING",
    ),
    "a map lacks a key": (put({"#map": [["rm0", "WORKING"]]}, "states", "0", "vote"), "rm1"),
    "a map is a list": (put([], "states", "0", "vote"), "#map"),
    "a map has half an entry": (put({"#map": [["rm0"]]}, "states", "0", "vote"), "[key, value]"),
    "a set is a list": (put(["rm0"], "states", "0", "prepared"), "#set"),
    "a set has a member twice": (
        put({"#set": ["rm0", "rm0"]}, "states", "0", "prepared"),
        "once",
    ),
    "a set has a stranger": (put({"#set": ["x"]}, "states", "0", "prepared"), "rm0"),
    "a flag is a number": (put(1, "states", "0", "is_decided"), "true or false"),
    "a flag is a text": (put("true", "states", "0", "is_decided"), "true or false"),
    "the model is missing": (drop("#meta", "model"), "model"),
    "the model is no file": (put("gone/away.py", "#meta", "model"), "gone/away.py"),
    "the model is a number": (put(5, "#meta", "model"), "a text"),
    "the variant is unknown": (put("odd", "#meta", "variant"), "odd"),
    "the mutant is unknown": (put("odd", "#meta", "mutant"), "receive_abort_unasked"),
    "constants are missing": (put({}, "#meta", "constants"), "resource_managers"),
    "a constant is unknown": (
        put({"resource_managers": 3, "x": 1}, "#meta", "constants"),
        "resource_managers",
    ),
    "a constant is no number": (put({"resource_managers": "3"}, "#meta", "constants"), "number"),
    "a constant is true": (put({"resource_managers": True}, "#meta", "constants"), "number"),
    "a constant is too small": (put({"resource_managers": 0}, "#meta", "constants"), "0"),
    "a constant is another": (put({"resource_managers": 4}, "#meta", "constants"), "rm3"),
    "a constant is absurd": (
        put({"resource_managers": 10**12}, "#meta", "constants"),
        "1000000000000",
    ),
    "the hash is missing": (drop("#meta", "spec_hash"), "spec_hash"),
    "the claim is missing": (drop("#meta", "claim"), "claim"),
    "the claim is of no kind": (put("thinks", "#meta", "claim", "kind"), "violates"),
    "the claim's kind is a list": (put([], "#meta", "claim", "kind"), "violates"),
    "the claim is about no property": (put("x", "#meta", "claim", "name"), "outcomes_agree"),
    "the claim is about a witness": (
        put("everyone_commits", "#meta", "claim", "name"),
        "outcomes_agree",
    ),
    "the claim lacks arguments": (put({}, "#meta", "claim", "arguments"), "a, b"),
    "the claim is about no state": (put(10, "#meta", "claim", "state"), "10 states"),
    "the story is a number": (put(4, "#meta", "story"), "a text"),
    "there is a loop": (put(2, "loop"), "loop"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_refused_in_words(name: str, tmp_path: Path) -> None:
    damage, said = DAMAGE[name]
    document = json.loads(trace_text(COUNTEREXAMPLE, BROKEN))
    damage(document)
    file = store(tmp_path, document)

    with pytest.raises(UnreadableTrace) as error:
        read_trace(file)

    assert str(file) in str(error.value)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


TEXTS = {
    "empty": ("", "is empty"),
    "blank": (" \n", "is empty"),
    "prose": ("This is a story.", "not JSON"),
    "a number": ("7", "not ITF"),
    "a list": ("[]", "not ITF"),
    "an object": ("{}", "not ITF"),
    "deep": ("[" * 100_000, "nested too deeply"),
    "a number without end": ("9" * 10_000, "JSON"),
    "a key twice": ('{"states": 1, "states": 2}', "once"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_what_is_no_trace_is_refused_in_words(name: str, tmp_path: Path) -> None:
    text, said = TEXTS[name]

    with pytest.raises(UnreadableTrace, match=said):
        read_trace(store(tmp_path, text))


def test_what_is_not_text_is_refused_in_words(tmp_path: Path) -> None:
    binary = tmp_path / "trace.itf.json"
    binary.write_bytes(b"\xff\xfe\x00\x01")

    with pytest.raises(UnreadableTrace, match="UTF-8"):
        read_trace(binary)
    with pytest.raises(UnreadableTrace, match="No such file"):
        read_trace(tmp_path / "gone.itf.json")
    with pytest.raises(UnreadableTrace, match="directory"):
        read_trace(tmp_path)


def test_a_file_beyond_all_measure_is_not_even_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kproof_checker.traces.itf_reader.FILE_BYTES_MAX", 10)

    with pytest.raises(UnreadableTrace, match="too much"):
        read_trace(store(tmp_path, "x" * 11))


@settings(max_examples=60, deadline=None)
@given(cut=st.floats(0, 1, exclude_max=True))
def test_a_file_that_was_cut_off_is_refused(
    cut: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = trace_text(COUNTEREXAMPLE, BROKEN).rstrip()

    with pytest.raises(UnreadableTrace):
        read_trace(store(tmp_path_factory.getbasetemp(), text[: int(len(text) * cut)]))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place of a JSON document."""
    found = [path] if path else []
    items: Any = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, item in items:
        found += places(item, (*path, key))
    return found


ORIGINAL = json.loads(trace_text(COUNTEREXAMPLE, BROKEN))
JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, -1, 3.5, 10**30, "", "rm0", "NONE", [], [[]], {}, {"#set": 1}]
)


@settings(max_examples=300, deadline=None)
@given(place=st.sampled_from(places(ORIGINAL)), junk=JUNK)
def test_any_junk_anywhere_is_a_message_and_never_a_crash(
    place: tuple[Any, ...], junk: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    document = copy.deepcopy(ORIGINAL)
    inner = document
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = junk

    try:
        machine, trace = read_trace(store(tmp_path_factory.getbasetemp(), document))
    except UnreadableTrace as error:
        said = str(error)
    else:
        said = replay(machine, trace).message
        if said.startswith("breaks"):
            assert trace.states == COUNTEREXAMPLE.states

    assert said
    assert "Traceback" not in said


def test_two_steps_that_were_swapped_do_not_replay(tmp_path: Path) -> None:
    document = copy.deepcopy(ORIGINAL)
    one, other = document["states"][1]["#meta"], document["states"][2]["#meta"]
    for key in ("action", "arguments", "changed"):
        one[key], other[key] = other[key], one[key]

    result = replay(*read_trace(store(tmp_path, document)))

    assert (result.ok, result.failed_at) == (False, 1)
    assert "manager_receive_prepared(rm=rm0) is not possible" in result.message


def test_one_value_that_was_changed_does_not_replay(tmp_path: Path) -> None:
    document = copy.deepcopy(ORIGINAL)
    document["states"][4]["abort_sent"] = True

    result = replay(*read_trace(store(tmp_path, document)))

    assert (result.ok, result.failed_at) == (False, 4)
    assert "abort_sent is True in the trace, expected False" in result.message


def test_values_out_of_range_are_refused(tmp_path: Path) -> None:
    trace = as_trace(EVERY, EVERY_FIELD, [EVERY.initial_codes()[0]], [])
    for value in ({"#bigint": "2"}, {"#bigint": "-9"}, {"#bigint": "x"}, {"#bigint": None}, 1.0):
        document = json.loads(trace_text(trace, EVERY))
        document["states"][0]["marks"]["#map"][0][1] = value

        with pytest.raises(UnreadableTrace, match="marks"):
            read_trace(store(tmp_path, document))

    document = json.loads(trace_text(trace, EVERY))
    document["states"][0]["numbers"] = [1, 2, 3, 0]
    with pytest.raises(UnreadableTrace, match="up to 3"):
        read_trace(store(tmp_path, document))
