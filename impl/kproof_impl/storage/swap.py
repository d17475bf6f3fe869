"""Putting a cleaned segment in the place of those it was made from, so that a crash does no harm.

| step | if the broker ends after it, the next start |
|---|---|
| the cleaned files are written, with the suffix `.cleaned`, and forced to the disk | removes them |
| the cleaned log is renamed to `.swap`, and the directory forced | goes on from here |
| the files of the sources are renamed to `.deleted`, indexes first | goes on from here |
| the cleaned indexes get their names, and then the log | finds it done |

So a start that finds a `.swap` finishes: it removes the segments that begin within it, and renames
it.  The indexes are made anew then.

A segment all of whose records were cleaned away, at the end of several that became one, begins
beyond the last record of the `.swap`, and such a start leaves it there: it has nothing but records
that are superseded, and the next cleaning finds it again.

REF   Kafka's `LogLoader`, `LocalLog.replaceSegments`.
"""

from __future__ import annotations

from collections.abc import Sequence

from kproof_impl.storage.batch_scan import places
from kproof_impl.storage.files import Files
from kproof_impl.storage.names import (
    CLEANED,
    INDEX,
    LOG,
    SWAP,
    TIME_INDEX,
    offset_name,
    offsets_named,
)
from kproof_impl.storage.segment import Segment
from kproof_impl.storage.segments import Segments


def cleaned_segment(
    files: Files, directory: str, base_offset: int, index_interval_bytes: int
) -> Segment:
    """An empty segment for what survives, beside the segments of the log."""
    files.write(f"{directory}/{offset_name(base_offset)}{LOG}{CLEANED}", b"")
    return Segment(files, directory, base_offset, index_interval_bytes, CLEANED)


def cleaned_paths(segment: Segment) -> tuple[str, ...]:
    return tuple(segment.path + suffix + CLEANED for suffix in (LOG, INDEX, TIME_INDEX))


def discard(files: Files, segment: Segment) -> None:
    """What has been cleaned so far is not wanted any more."""
    segment.file.close()
    for path in cleaned_paths(segment):
        files.remove(path)


def swap_in(
    segments: Segments, sources: Sequence[Segment], cleaned: Segment, remove_at_ms: int
) -> None:
    """The cleaned segment, which is forced to the disk, takes the place of its sources."""
    files = segments.files
    cleaned.file.close()
    files.rename(cleaned.path + LOG + CLEANED, cleaned.path + LOG + SWAP)
    files.fsync_directory(segments.directory)
    segments.replace(sources, cleaned, remove_at_ms)


def finish_swaps(files: Files, directory: str) -> None:
    """What a crash has left of a cleaning is finished, or removed."""
    names = files.list_names(directory)
    for name in names:
        if name.endswith(CLEANED):
            files.remove(f"{directory}/{name}")
    swaps = offsets_named(names, LOG + SWAP)
    for base_offset in swaps:
        path = f"{directory}/{offset_name(base_offset)}{LOG}"
        end_offset = base_offset + 1
        file = files.open(path + SWAP)
        for place in places(file, 0, files.size(path + SWAP)):
            end_offset = place.last_offset + 1
        file.close()
        for offset in sorted({base_offset, *offsets_named(names, LOG)}):
            if base_offset <= offset < end_offset:
                # Indexes first: none must be found beside a log that it is not of.
                for suffix in (INDEX, TIME_INDEX, LOG):
                    files.remove(f"{directory}/{offset_name(offset)}{suffix}")
        files.rename(path + SWAP, path)
    if swaps:
        files.fsync_directory(directory)
