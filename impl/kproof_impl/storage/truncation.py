"""Cutting off the end of a log, in its files."""

from collections.abc import Iterable

from kproof_impl.core.log_config import LogConfig
from kproof_impl.storage.segments import Segments


def truncate_files(
    segments: Segments, config: LogConfig, offset: int, directories: Iterable[str]
) -> None:
    """Cuts at an offset, or before the batch that has it, and forces that to the disk: what was
    cut off must not come back behind what is written in its place."""
    if offset < segments.base_offsets[0]:
        segments.drop_from(0)
        segments.create(offset, config)
    else:
        segments.drop_from(segments.floor(offset) + 1)
        segments.active.truncate_to(offset)
        segments.active.save_indexes()
    segments.active.file.fsync()
    for path in directories:
        segments.files.fsync_directory(path)
