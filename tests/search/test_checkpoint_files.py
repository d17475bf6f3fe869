"""A checkpoint that is damaged, of something else, or short of disk costs little and says so."""

import errno
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kproof_checker import checkpoint as files
from kproof_checker.checkpoint import BadCheckpoint, CheckpointFile
from kproof_checker.models import find_model
from kproof_checker.verdicts import Stop
from kproof_spec.lang import Machine
from search.checkpoint_tools import faulty, run, summary
from strategies.tiny_scopes import EXAMPLES, two_phase_commit

# Damage


def segments(path: Path) -> tuple[CheckpointFile, int]:
    """How many whole segments the file has."""
    with path.open("rb") as file:
        file.readline()
        mine = json.loads(file.readline())
    found = CheckpointFile(path, mine)
    return found, sum(1 for _ in found.read())


@pytest.fixture
def saved(small_batches: None, tmp_path: Path) -> tuple[Machine[Any], Path]:
    """A finished search of few states, saved in several segments."""
    machine = two_phase_commit(2)
    path = tmp_path / "c"
    run(machine, checkpoint=path)
    assert segments(path)[1] > 5
    return machine, path


def test_a_file_that_was_cut_anywhere_holds_its_whole_segments(
    saved: tuple[Machine[Any], Path], tmp_path: Path
) -> None:
    _, path = saved
    mine, count = segments(path)
    data = path.read_bytes()
    cut = tmp_path / "cut"
    numbers = []

    for size in [*range(0, len(data), 3), len(data)]:
        cut.write_bytes(data[:size])
        numbers.append(sum(1 for _ in CheckpointFile(cut, mine.mine).read()))

    assert numbers == sorted(numbers)
    assert set(numbers) == set(range(count + 1))
    assert numbers[-2] <= count - 1


def test_a_search_goes_on_from_a_file_that_was_cut(
    saved: tuple[Machine[Any], Path], tmp_path: Path
) -> None:
    machine, path = saved
    straight, data = summary(run(machine)), path.read_bytes()
    sizes = random.Random(1).sample(range(len(data)), 25)

    for size in [0, 1, 19, 20, 21, 60, len(data) - 1, *sizes]:
        cut = tmp_path / f"cut{size}"
        cut.write_bytes(data[:size])
        assert summary(run(machine, checkpoint=cut)) == straight
        assert summary(run(machine, checkpoint=cut)) == straight


def test_a_byte_that_was_changed_costs_what_follows_and_no_more(
    saved: tuple[Machine[Any], Path], tmp_path: Path
) -> None:
    machine, path = saved
    mine, count = segments(path)
    straight, data = summary(run(machine)), path.read_bytes()
    begin = data.index(b"\n", len(files.MAGIC)) + 1
    changed = tmp_path / "changed"
    choices = random.Random(2)

    for number, at in enumerate(choices.sample(range(begin, len(data)), 200)):
        damaged = bytearray(data)
        damaged[at] ^= 1 << choices.randrange(8)
        changed.write_bytes(damaged)
        whole = sum(1 for _ in CheckpointFile(changed, mine.mine).read())
        assert whole < count
        if number % 30 == 0:
            assert summary(run(machine, checkpoint=changed)) == straight


def test_a_byte_changed_at_the_start_is_refused_in_words(
    saved: tuple[Machine[Any], Path], tmp_path: Path
) -> None:
    _, path = saved
    mine, _ = segments(path)
    data = path.read_bytes()
    begin = data.index(b"\n", len(files.MAGIC))
    changed = tmp_path / "changed"
    for at in range(begin + 1):
        damaged = bytearray(data)
        damaged[at] ^= 1
        changed.write_bytes(damaged)
        with pytest.raises(BadCheckpoint, match=r"not a checkpoint|damaged|another search"):
            list(CheckpointFile(changed, mine.mine).read())


# Files of something else


@pytest.mark.parametrize(
    "content",
    [b"no checkpoint", b"\0" * 200, files.MAGIC + b"[1, 2]\n", files.MAGIC + b"7\n"],
)
def test_a_file_of_something_else_is_refused_and_left_as_it_is(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "c"
    path.write_bytes(content)

    with pytest.raises(BadCheckpoint, match=r"not a checkpoint|damaged"):
        run(two_phase_commit(1), checkpoint=path)

    assert path.read_bytes() == content


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadCheckpoint, match="cannot be read as a checkpoint"):
        run(two_phase_commit(1), checkpoint=tmp_path)


def other_spec(path: Path) -> Machine[Any]:
    """The tutorial's model after somebody changed it."""
    text = (EXAMPLES / "two_phase_commit.py").read_text(encoding="utf-8")
    path.write_text(text + "\nnumber = 1\n", encoding="utf-8")
    return find_model(str(path)).closed(resource_managers=2)


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("model", lambda folder: run(faulty().closed(), checkpoint=folder / "c")),
        ("constants", lambda folder: run(two_phase_commit(3), checkpoint=folder / "c")),
        (
            "spec_hash",
            lambda folder: run(other_spec(folder / "other.py"), checkpoint=folder / "c"),
        ),
        (
            "symmetry",
            lambda folder: run(two_phase_commit(2), checkpoint=folder / "c", symmetry=False),
        ),
        (
            "properties",
            lambda folder: run(two_phase_commit(2), checkpoint=folder / "c", properties=()),
        ),
        (
            "engine",
            lambda folder: run(two_phase_commit(2), checkpoint=folder / "c", engine="llvm"),
        ),
        (
            "mutant",
            lambda folder: run(
                two_phase_commit(2)
                .model.mutated("receive_abort_unasked")
                .closed(resource_managers=2),
                checkpoint=folder / "c",
            ),
        ),
    ],
)
def test_a_checkpoint_of_another_search_is_refused_and_kept(
    key: str, other: Callable[[Path], Any], tmp_path: Path
) -> None:
    run(two_phase_commit(2), checkpoint=tmp_path / "c")
    before = (tmp_path / "c").read_bytes()

    with pytest.raises(BadCheckpoint, match=rf"another search: its {key} is"):
        other(tmp_path)

    assert (tmp_path / "c").read_bytes() == before


def test_the_python_engine_keeps_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="keeps no checkpoints"):
        run(two_phase_commit(1), engine="python", checkpoint=tmp_path / "c")


# Disks that take no more


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("failing", ["fsync", "first write", "later writes"])
def test_a_full_disk_is_a_warning_and_the_search_goes_on(
    failing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = two_phase_commit(3)
    straight = summary(run(machine))
    full = OSError(errno.ENOSPC, "No space left on device")
    write, calls = files._write, [0]

    def fsync(_: int) -> None:
        raise full

    def sometimes(file: Any, data: bytes) -> None:
        calls[0] += 1
        if (calls[0] < 2) if failing == "first write" else (calls[0] % 9 > 3):
            write(file, data[: len(data) // 2])
            raise full
        write(file, data)

    if failing == "fsync":
        monkeypatch.setattr(os, "fsync", fsync)
    else:
        monkeypatch.setattr(files, "_write", sometimes)

    found = run(machine, checkpoint=tmp_path / "c")

    said = [warning for warning in found.warnings if "no checkpoint was written" in warning]
    assert said == [f"no checkpoint was written to {tmp_path / 'c'}: No space left on device"]
    assert summary(found) == straight
    monkeypatch.undo()
    assert summary(run(machine, checkpoint=tmp_path / "c")) == straight


def test_a_file_that_cannot_be_made_is_a_warning(tmp_path: Path) -> None:
    found = run(two_phase_commit(1), checkpoint=tmp_path / "missing" / "c")

    assert found.stop is Stop.EXHAUSTED
    assert any("No such file or directory" in warning for warning in found.warnings)
