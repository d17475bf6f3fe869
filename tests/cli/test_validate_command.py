"""`kproof validate`: what it says of a recording, and of files that are none."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from impl_support.stepping import Stepper
from kproof_checker.conformance.recording import Recorder

Kproof = Callable[..., CompletedProcess[str]]

HEADER = '{"format":"kproof-recording","version":2}\n'

OF_LOGS = ("open", "append", "roll", "flush", "delete_records", "delete_segments", "read", "fetch")
OF_GROUPS = (
    *("create", "member_join", "member_rejoin", "replace_static_member", "remove_member"),
    *("rebalance", "complete_join", "become_empty", "store_empty", "receive_join", "leader_sync"),
    *("refuse_sync", "receive_assignment", "commit", "commit_refused", "remove_offsets"),
    *("lose_offsets", "remove_group", "resign", "load", "loaded"),
)
OF_POOLS = (
    *("open", "consumer_assign", "commit_refused", "worker_start", "worker_finish"),
    *("poll_thread_enter", "poll_thread_return", "poll_thread_dispatch", "poll_thread_commit"),
    *("poll_thread_abandon", "poll_thread_notice_loss", "make_room", "resize"),
)
PARAMETERS = (
    *("max_in_flight", "partition", "worker", "is_full", "is_paused"),
    *("base_offset", "last_offset", "recovery_point", "offset", "end_offset", "deleted"),
    *("size_bytes", "now_ms", "retention_ms", "retention_bytes"),
    *("crc", "next_offset", "checksum", "last_stable_offset", "log_start_offset"),
    *("member", "instance", "reason", "new_member", "is_stored", "generation_id", "leader"),
    *("missing", "assignments", "assignment", "error", "offsets", "instances", "groups"),
)
STATE = (
    *("log_start_offset", "high_watermark", "log_end_offset", "segments"),
    *("state", "generation_id", "leader", "members", "offsets"),
)

small = st.integers(-2, 30)
junk = st.recursive(
    st.none() | st.booleans() | small | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
values = small | junk | st.lists(small, max_size=3)
wrong_events = st.fixed_dictionaries(
    {
        "sequence": st.integers(0, 3) | junk,
        "time_ms": small | junk,
        "model": st.sampled_from(["log", "log", "group", "groups", "worker_pool"]) | junk,
        "subject": st.sampled_from(["a", "b"]) | junk,
        "action": st.sampled_from(OF_LOGS)
        | st.sampled_from(OF_GROUPS)
        | st.sampled_from(OF_POOLS)
        | st.sampled_from(["compare", "begin", "is_known", "reader", ""]),
        "parameters": st.dictionaries(st.sampled_from(PARAMETERS), values) | junk,
        "state": st.dictionaries(st.sampled_from(STATE), values) | junk,
    }
)


STORIES = sorted((Path(__file__).resolve().parents[2] / "traces" / "recordings").iterdir())


def recorded(path: Path) -> None:
    """A recording of a broker that appends and is read."""
    recorder = Recorder(path)
    broker = Stepper(observe=recorder)
    broker.topic("orders", partitions=2)
    for _ in range(3):
        broker.produce("orders", b"a", b"b")
    broker.fetched("orders")
    recorder.close()


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_good_recording_is_counted(kproof: Kproof, tmp_path: Path) -> None:
    recorded(tmp_path / "run")
    result = kproof("validate", "run")

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "8 steps of 2 logs and 0 groups: as the specification allows\n"


def test_the_verdict_is_there_as_json(kproof: Kproof, tmp_path: Path) -> None:
    recorded(tmp_path / "run")
    said = json.loads(kproof("validate", "--json", "run").stdout)

    assert said.pop("seconds") >= 0
    counts = {"steps": 8, "logs": 2, "groups": 0, "pools": 0}
    assert said == {"verdict": "allowed", **counts, "unfinished": []}


def test_a_recording_that_ends_within_a_line_is_said_to(kproof: Kproof, tmp_path: Path) -> None:
    recorded(tmp_path / "run")
    text = (tmp_path / "run").read_text("utf-8")
    (tmp_path / "cut").write_text(text[:-10], "utf-8")

    told = kproof("validate", "cut").stdout.splitlines()
    assert told[0].startswith("7 steps of 2 logs")
    assert told[1].startswith("cut ends within a line")
    assert json.loads(kproof("validate", "--json", "cut").stdout)["unfinished"] == ["cut"]


def test_a_step_that_is_not_allowed_is_told_with_its_file_and_what_came_before(
    kproof: Kproof, tmp_path: Path
) -> None:
    recorded(tmp_path / "run")
    header, *events = lines_of(tmp_path / "run")
    assert events[4]["action"] == "append"
    events[4]["parameters"]["base_offset"] = 3
    text = "".join(json.dumps(each) + "\n" for each in (header, *events))
    (tmp_path / "altered").write_text(text, "utf-8")

    result = kproof("validate", "altered")
    assert result.returncode == 1
    assert "step 4, append of log" in result.stdout
    assert "a batch was given base offset 3, and the log ended at 4" in result.stdout
    assert "    step 3: append(base_offset=2, last_offset=3, crc=" in result.stdout
    assert result.stdout.endswith("recorded in altered\n")

    said = json.loads(kproof("validate", "--json", "altered").stdout)
    assert said["verdict"] == "diverged"
    assert said["steps_before"] == 4
    assert said["step"] == events[4]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "it is empty"),
        ("{}\n", "its first line should have"),
        ("[" * 100_000 + "\n", "line 1: expected a JSON object"),
        (HEADER + "[" * 100_000 + "\n", "line 2: expected a JSON object"),
        (HEADER + "9" * 10_000 + "\n", "line 2: expected a JSON object"),
        (HEADER + "\n", "line 2: expected a JSON object"),
        (HEADER + "{}\n", "line 2: expected an object with sequence"),
        (HEADER.replace("2}", "1}"), "recording of version 1; this kproof reads 2"),
    ],
)
def test_what_is_no_recording_is_told_so(
    text: str, told: str, kproof: Kproof, tmp_path: Path
) -> None:
    (tmp_path / "run").write_text(text, "utf-8")
    result = kproof("validate", "run")

    assert result.returncode == 2
    assert told in result.stderr


def test_files_that_cannot_be_read_are_named(kproof: Kproof, tmp_path: Path) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")

    assert "nowhere cannot be read: No such file" in kproof("validate", "nowhere").stderr
    assert "cannot be read: Is a directory" in kproof("validate", ".").stderr
    assert "bytes is no recording: it is not text" in kproof("validate", "bytes").stderr
    assert kproof("validate").returncode == 2


@settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(events=st.lists(wrong_events, max_size=4))
@example(
    events=[
        {
            "sequence": 0,
            "time_ms": 0,
            "model": "log",
            "subject": "a",
            "action": "open",
            "parameters": {"recovery_point": 0},
            "state": {
                "log_start_offset": 0,
                "high_watermark": 0,
                "log_end_offset": 0,
                "segments": [],
            },
        }
    ]
)
@example(
    events=[
        {
            "sequence": 0,
            "time_ms": 0,
            "model": "log",
            "subject": "a",
            "action": "_class__",
            "parameters": {},
            "state": {},
        }
    ]
)
def test_any_junk_in_the_events_is_refused_or_followed_and_never_a_fault(
    events: list[dict[str, Any]], kproof: Kproof, tmp_path: Path
) -> None:
    lines = [json.dumps(event) + "\n" for event in events]
    (tmp_path / "run").write_text(HEADER + "".join(lines), "utf-8")

    assert kproof("validate", "run").returncode in {0, 1, 2}


@settings(
    max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(data=st.data())
def test_a_recording_with_a_value_of_any_kind_in_some_place_is_no_fault(
    data: st.DataObject, kproof: Kproof, tmp_path: Path
) -> None:
    path = tmp_path / "run"
    header, *events = lines_of(data.draw(st.sampled_from(STORIES)))
    event = data.draw(st.sampled_from(events))
    places = [event, event["parameters"], event["state"]]
    inside = data.draw(st.sampled_from([place for place in places if place]))
    name = data.draw(st.sampled_from(sorted(inside)))
    if data.draw(st.booleans()):
        inside[name] = data.draw(values)
    else:
        del inside[name]
    path.write_text("".join(json.dumps(each) + "\n" for each in (header, *events)), "utf-8")

    assert kproof("validate", "run").returncode in {0, 1, 2}
