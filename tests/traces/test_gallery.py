"""The gallery of known data-loss bugs: every file is a run that breaks what it says it breaks."""

import json
from pathlib import Path
from typing import Any

import pytest

from gallery_stories import STORIES, Story
from kproof_checker.cli.main import run
from kproof_checker.traces.itf import read_trace
from kproof_checker.traces.trace import ClaimKind
from make_gallery import GALLERY, is_current, machine_of, shortest

FILES = sorted(path.name for path in GALLERY.glob("*.itf.json"))
LENGTHS = {
    "truncated_below_what_was_committed.itf.json": 10,
    "leader_never_saw_the_epoch.itf.json": 12,
    "leader_of_another_epoch_is_asked.itf.json": 11,
    "matching_records_in_different_epochs.itf.json": 13,
    "isr_grew_before_the_leader_knew.itf.json": 6,
}

each_file = pytest.mark.parametrize("name", FILES)
each_story = pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)


def exit_code(*arguments: str) -> Any:
    """What the command line ends with."""
    with pytest.raises(SystemExit) as end:
        run(arguments)
    return end.value.code


def document(name: str) -> dict[str, Any]:
    """A file of the gallery as JSON."""
    loaded: dict[str, Any] = json.loads((GALLERY / name).read_text(encoding="utf-8"))
    return loaded


def test_the_gallery_holds_the_five_known_counterexamples_and_nothing_else() -> None:
    assert set(FILES) == set(LENGTHS)
    assert {story.file: story.states for story in STORIES} == LENGTHS


@each_file
def test_a_file_replays_with_exit_code_0(name: str) -> None:
    assert exit_code("replay", str(GALLERY / name)) == 0


@each_file
def test_a_file_has_the_pinned_length_and_breaks_an_invariant_in_its_last_state(name: str) -> None:
    _, trace = read_trace(GALLERY / name)

    assert trace.length == LENGTHS[name]
    assert trace.claim.kind is ClaimKind.VIOLATES
    assert trace.claim.state == trace.length - 1


@each_file
def test_a_file_tells_what_happens_why_it_loses_data_and_which_kip_cured_it(name: str) -> None:
    _, trace = read_trace(GALLERY / name)

    assert "Why it loses data: " in trace.story
    assert "by KIP-" in trace.story.split("\n\n")[-1]


@each_story
def test_a_file_is_what_the_specification_of_today_gives(story: Story) -> None:
    assert is_current(story)


@each_story
def test_no_counterexample_is_shorter_than_the_one_that_is_told(story: Story) -> None:
    assert shortest(story, machine_of(story)) == LENGTHS[story.file]


@each_file
def test_a_trace_without_its_last_step_does_not_replay(name: str, tmp_path: Path) -> None:
    changed = document(name)
    changed["states"].pop()
    changed["#meta"]["claim"]["state"] = len(changed["states"]) - 1

    assert exit_code("replay", _stored(changed, tmp_path)) == 1


@each_file
def test_a_trace_that_skips_a_step_does_not_replay(name: str, tmp_path: Path) -> None:
    changed = document(name)
    del changed["states"][2]
    for index, state in enumerate(changed["states"]):
        state["#meta"]["index"] = index
    changed["#meta"]["claim"]["state"] = len(changed["states"]) - 1

    assert exit_code("replay", _stored(changed, tmp_path)) == 1


@each_file
def test_a_trace_of_the_correct_protocol_with_these_steps_does_not_replay(
    name: str, tmp_path: Path
) -> None:
    changed = document(name)
    meta = changed["#meta"]
    is_mutant = bool(meta["mutant"])
    meta["variant"], meta["mutant"] = ("", "") if is_mutant else ("kip_320", "")

    # 2 where the correct protocol has no such action at all.
    assert exit_code("replay", _stored(changed, tmp_path)) in (1, 2)


@each_file
def test_a_claim_about_another_state_does_not_replay(name: str, tmp_path: Path) -> None:
    changed = document(name)
    changed["#meta"]["claim"]["state"] -= 1

    assert exit_code("replay", _stored(changed, tmp_path)) == 1


def _stored(changed: dict[str, Any], folder: Path) -> str:
    path = folder / "changed.itf.json"
    path.write_text(json.dumps(changed), encoding="utf-8")
    return str(path)
