"""Opening a log: what a clean shutdown left is taken over, after any other it is looked at again.

After an unclean stop every batch from the recovery point on is checked by its CRC-32C.  At the
first that is not sound the log ends: the rest of that segment is cut off and later segments are
dropped, since records beyond a hole cannot be served, unless compaction has made it.  The indexes
of what was looked at, the epochs and the producer state are made anew on the way.

REF   Kafka's `LogLoader`; KIP-98 for the producer state.
"""

from dataclasses import dataclass, field

from kproof_impl.core.log_config import LogConfig
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.batch_scan import headers, places, sound_batches
from kproof_impl.storage.epoch_checkpoint import EpochCheckpoint
from kproof_impl.storage.files import Files
from kproof_impl.storage.names import (
    DELETED,
    INDEX,
    LOG,
    SNAPSHOT,
    SWAP,
    TIME_INDEX,
    offsets_named,
)
from kproof_impl.storage.producer_snapshot import read_snapshot
from kproof_impl.storage.producer_state import ProducerState
from kproof_impl.storage.segment import Segment
from kproof_impl.storage.segments import Segments, snapshot_path
from kproof_impl.storage.swap import finish_swaps

_LEFT_OVER = (DELETED, ".tmp", SWAP)


@dataclass(frozen=True, slots=True)
class Checkpointed:
    """What the checkpoints of the directory say of a log."""

    log_start_offset: int = 0
    recovery_point: int = 0
    first_dirty_offset: int = -1
    """Up to where it has been compacted; -1: it has not."""


@dataclass(slots=True)
class Loaded:
    """A log as it was found."""

    segments: Segments
    epochs: EpochCheckpoint
    log_start_offset: int
    recovery_point: int
    producers: ProducerState = field(default_factory=ProducerState)
    unforced: list[Segment] = field(default_factory=list)
    """Closed segments that may not be wholly on the disk."""
    clean_offset: int = -1
    """Where the log ends, if a clean shutdown left it so; else -1."""
    first_dirty_offset: int = -1
    """Up to where it has been compacted; -1: it has not."""
    may_have_holes: bool = False
    """Whether records between two segments may have gone by compaction."""


def load_log(
    files: Files,
    directory: str,
    config: LogConfig,
    checkpointed: Checkpointed,
    is_clean: bool,
) -> Loaded:
    """The log in a directory; an empty one, if there is none."""
    segments = _find_segments(files, directory, config, checkpointed.log_start_offset)
    try:
        return _load(segments, config, checkpointed, is_clean)
    except LogFailed as error:
        segments.close()
        raise LogFailed(f"The log in {directory} cannot be opened: {error}") from error


def _load(
    segments: Segments, config: LogConfig, checkpointed: Checkpointed, is_clean: bool
) -> Loaded:
    files, directory = segments.files, segments.directory
    epochs = EpochCheckpoint(files, directory)
    are_epochs_known = epochs.load()
    recovery_point = checkpointed.recovery_point
    log_start_offset = max(checkpointed.log_start_offset, segments.base_offsets[0])
    loaded = Loaded(
        segments,
        epochs,
        log_start_offset,
        recovery_point,
        first_dirty_offset=checkpointed.first_dirty_offset,
        may_have_holes=config.is_compacted or checkpointed.first_dirty_offset >= 0,
    )
    if is_clean and _open_active(segments.active):
        end_offset = segments.active.next_offset
        loaded.producers = load_producers(segments, end_offset)
        loaded.clean_offset = end_offset if end_offset == recovery_point else -1
    else:
        if is_clean:
            loaded.recovery_point = min(recovery_point, segments.active.base_offset)
        _recover(loaded)
    if loaded.log_start_offset > segments.active.next_offset:
        segments.drop_from(0)
        segments.create(loaded.log_start_offset, config)
        loaded.unforced.clear()
    end_offset = segments.active.next_offset
    loaded.recovery_point = min(loaded.recovery_point, end_offset)
    if not are_epochs_known:
        epochs.rebuild(
            [
                (header.partition_leader_epoch, header.base_offset)
                for segment in segments.all
                for _, header in headers(segment.file, 0, segment.size)
            ]
        )
    epochs.truncate_end(end_offset)
    epochs.truncate_start(loaded.log_start_offset)
    epochs.save()
    prune_snapshots(segments, end_offset)
    return loaded


def load_producers(segments: Segments, end_offset: int) -> ProducerState:
    """The producer state at an offset: the newest sound snapshot, and the log from there on."""
    state, start_offset = ProducerState(), segments.base_offsets[0]
    for offset in reversed(_snapshots(segments)):
        if offset <= end_offset:
            found = read_snapshot(segments.files, snapshot_path(segments.directory, offset))
            if found is not None:
                state, start_offset = found, max(start_offset, offset)
                break
    for segment in segments.all[segments.floor(start_offset) :]:
        if start_offset >= end_offset or segment.base_offset >= end_offset:
            break
        for _, header in headers(segment.file, segment.locate(start_offset), segment.size):
            if header.base_offset >= end_offset:
                break
            if header.producer_id >= 0 and not header.is_control:
                state.note(header, header.base_offset)
    return state


def prune_snapshots(segments: Segments, end_offset: int) -> None:
    """Removes the snapshots that belong to no segment, but for the newest, and any past the end."""
    offsets = _snapshots(segments)
    newest = max((offset for offset in offsets if offset <= end_offset), default=-1)
    kept = {newest, *(offset for offset in segments.base_offsets if offset <= end_offset)}
    for offset in offsets:
        if offset not in kept:
            segments.files.remove(snapshot_path(segments.directory, offset))


def _snapshots(segments: Segments) -> list[int]:
    return offsets_named(segments.files.list_names(segments.directory), SNAPSHOT)


def _find_segments(
    files: Files, directory: str, config: LogConfig, log_start_offset: int
) -> Segments:
    finish_swaps(files, directory)
    names = files.list_names(directory)
    bases = offsets_named(names, LOG)
    for name in names:
        if name.endswith(_LEFT_OVER):
            files.remove(f"{directory}/{name}")
    for suffix in (INDEX, TIME_INDEX):
        for offset in offsets_named(names, suffix):
            if offset not in bases:
                files.remove(f"{directory}/{offset:020d}{suffix}")
    segments = Segments(files, directory, [])
    for base_offset in bases:
        segment = segments.add(base_offset, config)
        segment.size = files.size(segment.path + LOG)
        segment.is_loaded = False
    for segment, following in zip(segments.all, segments.all[1:], strict=False):
        segment.next_offset = following.base_offset
    if not bases:
        segments.create(log_start_offset, config)
    return segments


def _open_active(segment: Segment) -> bool:
    """Finds where the last segment ends.  False if it is not as a clean shutdown leaves it."""
    if segment.is_loaded:
        return True
    segment.is_loaded = True
    if not segment.load_indexes():
        return False
    position = segment.offset_index.last_position()
    try:
        segment.first_timestamp()
        for place in places(segment.file, position, segment.size):
            segment.next_offset = place.last_offset + 1
    except LogFailed:
        return False
    segment.bytes_since_index = segment.size - position
    return True


def _recover(loaded: Loaded) -> None:
    """Checks the batches from the recovery point on, and cuts the log at the first unsound."""
    segments = loaded.segments
    # Below the log start there may be segments that were deleted and have come back: damaged,
    # since nobody forced them to the disk, and without what the producers were by then.
    segments.drop_first(segments.floor(loaded.log_start_offset))
    first = segments.floor(loaded.recovery_point)
    start_offset = segments.all[first].base_offset
    loaded.producers = load_producers(segments, start_offset)
    for place in range(first, len(segments.all)):
        segment = segments.all[place]
        is_last = place == len(segments.all) - 1
        is_whole = _recover_segment(loaded, segment)
        if is_last:
            break
        following = segments.all[place + 1].base_offset
        is_next = segment.next_offset == following
        if not is_whole or not (is_next or loaded.may_have_holes):
            segments.drop_from(place + 1)
            break
        segment.next_offset = following
        segment.close_indexes()
        loaded.unforced.append(segment)
    prune_snapshots(segments, segments.active.next_offset)
    segments.files.fsync_directory(segments.directory)


def _recover_segment(loaded: Loaded, segment: Segment) -> bool:
    """Whether the whole segment was sound; if not, the rest is cut off."""
    size = segment.size
    segment.is_loaded = True
    segment.restart()
    for _, header in sound_batches(segment.file, size, segment.base_offset):
        segment.note_batch(
            header.base_offset, header.last_offset, header.max_timestamp, header.size_bytes
        )
        loaded.epochs.note_recovered(header.partition_leader_epoch, header.base_offset)
        if header.producer_id >= 0 and not header.is_control:
            loaded.producers.note(header, header.base_offset)
    segment.save_indexes()
    if segment.size == size:
        return True
    segment.file.truncate(segment.size)
    segment.file.fsync()
    return False
