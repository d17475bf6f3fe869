"""The gallery of known data-loss bugs: every file is a run that breaks what it says it breaks."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gallery_stories import HOLES_IN_REPLICATION, STORIES, Story
from kproof_checker.cli.main import run
from kproof_checker.traces.itf import read_trace
from kproof_checker.traces.trace import ClaimKind
from make_gallery import GALLERY, NotAsTold, is_current, validate_search

FILES = sorted(path.name for path in GALLERY.glob("*.itf.json"))
LENGTHS = {
    "truncated_below_what_was_committed.itf.json": 10,
    "leader_never_saw_the_epoch.itf.json": 12,
    "leader_of_another_epoch_is_asked.itf.json": 11,
    "matching_records_in_different_epochs.itf.json": 13,
    "isr_grew_before_the_leader_knew.itf.json": 6,
}
"""The five known holes in replication, by the lengths that another checker found."""
BY_FILE = {story.file: story for story in STORIES}
KNOWN = {"G7", "G18", "G20", "G22", "G23", "G34", "G35", "G36", "G37", "G38", "G41", "G42", "G46"}
"""Of the list of known bugs, what the models of brokers and clients have to tell."""
VERDICTS = ("Cured by ", "Prevented by ", "Not cured: ", "Not a fault: ")
"""How the last paragraph of a story begins: what became of it."""

each_file = pytest.mark.parametrize("name", FILES)
each_hole = pytest.mark.parametrize("name", LENGTHS)
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


def test_every_story_has_a_file_and_every_file_a_story() -> None:
    assert set(FILES) == set(BY_FILE)
    assert len(BY_FILE) == len(STORIES) >= 20


def test_the_five_known_counterexamples_have_their_known_lengths() -> None:
    assert {story.file: story.states for story in HOLES_IN_REPLICATION} == LENGTHS


def test_no_known_bug_that_the_models_can_tell_is_left_untold() -> None:
    assert KNOWN - {story.number for story in STORIES} == set()


@each_file
def test_a_file_replays_with_exit_code_0(name: str) -> None:
    assert exit_code("replay", str(GALLERY / name)) == 0


@each_file
def test_a_file_has_the_pinned_length_and_ends_where_its_claim_says(name: str) -> None:
    _, trace = read_trace(GALLERY / name)

    assert trace.length == BY_FILE[name].states
    if trace.claim.kind is ClaimKind.NEVER:
        assert trace.states[trace.claim.state] == trace.states[-1]
    else:
        assert trace.claim.kind is ClaimKind.VIOLATES
        assert trace.claim.state == trace.length - 1


@each_file
def test_a_file_tells_what_happens_why_it_is_bad_and_what_became_of_it(name: str) -> None:
    _, trace = read_trace(GALLERY / name)
    paragraphs = trace.story.split("\n\n")

    assert len(paragraphs) >= 3
    assert any(p.startswith(("Why it loses data: ", "What it breaks, ")) for p in paragraphs)
    assert paragraphs[-1].startswith(VERDICTS)


@each_story
def test_a_file_is_what_the_specification_of_today_gives(story: Story) -> None:
    assert is_current(story)


@pytest.mark.heavy
@each_story
def test_no_counterexample_is_shorter_and_there_is_none_without_the_fault(story: Story) -> None:
    validate_search(story)


def test_a_story_that_is_longer_than_it_must_be_is_refused() -> None:
    with pytest.raises(NotAsTold, match="told in 11 states, and a shortest has 10"):
        validate_search(replace(STORIES[0], states=11))


@each_hole
def test_a_trace_without_its_last_step_does_not_replay(name: str, tmp_path: Path) -> None:
    changed = document(name)
    changed["states"].pop()
    changed["#meta"]["claim"]["state"] = len(changed["states"]) - 1

    assert exit_code("replay", _stored(changed, tmp_path)) == 1


@each_hole
def test_a_trace_that_skips_a_step_does_not_replay(name: str, tmp_path: Path) -> None:
    changed = document(name)
    del changed["states"][2]
    for index, state in enumerate(changed["states"]):
        state["#meta"]["index"] = index
    changed["#meta"]["claim"]["state"] = len(changed["states"]) - 1

    assert exit_code("replay", _stored(changed, tmp_path)) == 1


@each_hole
def test_a_trace_of_the_correct_protocol_with_these_steps_does_not_replay(
    name: str, tmp_path: Path
) -> None:
    changed = document(name)
    meta = changed["#meta"]
    is_mutant = bool(meta["mutant"])
    meta["mutant"] = ""
    if not is_mutant:
        meta["variant"] = BY_FILE[name].sound_variant

    # 2 where the correct protocol has no such action at all.
    assert exit_code("replay", _stored(changed, tmp_path)) in (1, 2)


@each_hole
def test_a_claim_about_another_state_does_not_replay(name: str, tmp_path: Path) -> None:
    changed = document(name)
    changed["#meta"]["claim"]["state"] -= 1

    assert exit_code("replay", _stored(changed, tmp_path)) == 1


def _stored(changed: dict[str, Any], folder: Path) -> str:
    path = folder / "changed.itf.json"
    path.write_text(json.dumps(changed), encoding="utf-8")
    return str(path)
