"""Which leader epoch began at which offset: `leader-epoch-checkpoint`.

A follower asks its leader where an epoch ends, to find where their logs part (KIP-101, KIP-279).
Entries are sorted by epoch and by offset; a new one drops those that it contradicts.
"""

from itertools import pairwise

from kproof_impl.core.ports import EpochEnd
from kproof_impl.storage.checkpoint_files import checkpoint_rows, checkpoint_text
from kproof_impl.storage.files import Files

FILE_NAME = "leader-epoch-checkpoint"
NO_EPOCH = -1
UNDEFINED = EpochEnd(-1, -1)


class EpochCheckpoint:
    """The epochs of one log.  The file follows at once, but is forced to the disk by `force`."""

    def __init__(self, files: Files, directory: str) -> None:
        self._files = files
        self._path = f"{directory}/{FILE_NAME}"
        self._is_forced = False
        self._is_saved = False
        self.entries: list[tuple[int, int]] = []
        """(epoch, start offset)"""

    @property
    def path(self) -> str:
        return self._path

    @property
    def latest_epoch(self) -> int:
        return self.entries[-1][0] if self.entries else NO_EPOCH

    def load(self) -> bool:
        """Reads the file.  False if it is not there or damaged: then the log tells the epochs."""
        if self._files.size(self._path) < 0:
            return False
        rows = checkpoint_rows(self._files.read_all(self._path), 2)
        try:
            entries = [(int(epoch), int(offset)) for epoch, offset in rows or ()]
        except ValueError:
            return False
        self.entries = entries
        self._is_saved = True
        return rows is not None and all(a[0] < b[0] and a[1] < b[1] for a, b in pairwise(entries))

    def assign(self, epoch: int, start_offset: int) -> None:
        """The epoch begins at the offset, unless it is known to have begun earlier."""
        if self._note(epoch, start_offset):
            self._save()

    def rebuild(self, starts: list[tuple[int, int]]) -> None:
        """Takes the epochs from (epoch, offset) of batches, in their order."""
        self.entries = []
        for epoch, offset in starts:
            self._note(epoch, offset)
        self._save()

    def note_recovered(self, epoch: int, start_offset: int) -> None:
        """Like `assign`, while a log is walked through; `save` comes at the end.

        The walk begins where a segment does, which may be after the epoch began: what is known of
        an epoch stays.  What is beyond the end of the log is cut off by `truncate_end`.
        """
        if epoch > self.latest_epoch:
            self._is_saved = not self._note(epoch, start_offset) and self._is_saved

    def _note(self, epoch: int, start_offset: int) -> bool:
        if epoch < 0:
            return False
        entries = self.entries
        if entries and entries[-1][0] == epoch and entries[-1][1] <= start_offset:
            return False
        while entries and (entries[-1][0] >= epoch or entries[-1][1] >= start_offset):
            entries.pop()
        entries.append((epoch, start_offset))
        return True

    def truncate_end(self, end_offset: int) -> None:
        """Forgets the epochs that begin at the end of the log or after it."""
        kept = [entry for entry in self.entries if entry[1] < end_offset]
        if len(kept) != len(self.entries):
            self.entries = kept
            self._save()

    def truncate_start(self, start_offset: int) -> None:
        """Forgets the epochs that end at the start of the log or before it."""
        below = [entry for entry in self.entries if entry[1] <= start_offset]
        if len(below) > 1 or (below and below[-1][1] != start_offset):
            kept = [entry for entry in self.entries if entry[1] > start_offset]
            self.entries = [(below[-1][0], start_offset), *kept]
            self._save()

    def end_offset(self, leader_epoch: int, log_end_offset: int) -> EpochEnd:
        """The largest epoch not above this one, and where it ends; see the port."""
        if leader_epoch < 0:
            return UNDEFINED
        if leader_epoch == self.latest_epoch:
            return EpochEnd(leader_epoch, log_end_offset)
        higher = [entry for entry in self.entries if entry[0] > leader_epoch]
        if not higher:
            return UNDEFINED
        floor = [entry for entry in self.entries if entry[0] <= leader_epoch]
        return EpochEnd(floor[-1][0] if floor else leader_epoch, higher[0][1])

    def save(self) -> None:
        """Writes the file, if it does not say what is known."""
        if not self._is_saved:
            self._save()

    def force(self) -> None:
        """Forces the file to the disk, if it has changed since."""
        if not self._is_forced:
            self._files.replace(self._path, self._text())
            self._is_forced = True

    def _save(self) -> None:
        self._is_forced, self._is_saved = False, True
        self._files.write(self._path, self._text())

    def _text(self) -> bytes:
        return checkpoint_text(self.entries)
