"""The part of a partition's log that the model of a pool sees: a window that moves with the pool.

The model has offsets from 0 to a last one, and tables over all of them.  A pool's offsets have no
end.  So the model's offset 0 is some offset of the log, its *zero*, which moves up to the last
finished record of the prefix when the window is at its end.  What the window leaves behind is
finished, and the model never asks for it again, but for which records were processed twice, which
is not looked at here.

A committed offset below the zero is 0 in the model: that is below the end of the prefix still.
Zeros are multiples of the number of keys, so that an offset has the same key in both.
"""

from __future__ import annotations

from typing import Any

from kproof_spec.consumer.pool_state import PartitionId, State, WorkerId
from kproof_spec.lang import NONE, Machine, SetOf

WIDTH_MIN = 8
WIDTH_MAX = 1 << 16
"""The model has tables of that many offsets."""
SHRINKS_BELOW = 8
"""A window so many times as wide as is wanted gets narrower."""


class Window:
    """How wide the model's log is, and where it begins in each partition."""

    def __init__(self, width: int, keys: int) -> None:
        self.keys = keys
        self.width = width if not keys else -(-width // keys) * keys
        self._zeros: dict[str, int] = {}

    @property
    def constants(self) -> dict[str, int]:
        """For the model; keys that are not known are as many as there are offsets."""
        return {"log_size": self.width, "keys": self.keys or self.width}

    def zero(self, partition: str) -> int:
        """The offset of the log that is 0 in the model."""
        return self._zeros.get(partition, 0)

    def of_log(self, partition: str, offset: int) -> int:
        """What the model calls an offset of the log; outside the window if it has none for it."""
        return offset - self.zero(partition)

    def fits(self, wanted: int) -> bool:
        """Whether so many offsets are in the window, and it is not much too wide for them."""
        is_narrow = self.width <= max(WIDTH_MIN, self.keys) or self.width < SHRINKS_BELOW * wanted
        return wanted <= self.width and is_narrow

    def of_width(self, wanted: int) -> Window:
        """A window with the same zeros that has room for twice as much as is wanted."""
        width = WIDTH_MIN
        while width < 2 * wanted:
            width *= 2
        window = Window(width, self.keys)
        window._zeros = dict(self._zeros)
        return window

    def begin(self, it: Any, partition: str, offset: int) -> None:
        """Nothing is in flight, and the next record is this one: all before it is finished."""
        self._zeros[partition] = self._zero_for(offset)
        it.base = it.position = self.of_log(partition, offset)
        it.done = SetOf()
        it.history_processed = SetOf()

    def _zero_for(self, end_offset: int) -> int:
        last = max(end_offset - 1, 0)
        return last - (last % self.keys if self.keys else 0)

    def move(self, state: Any, partition_id: Any, partition: str, end_offset: int) -> None:
        """Begins at the end of the finished prefix."""
        by = self._zero_for(end_offset) - self.zero(partition)
        it = state.partition[partition_id]
        workers = {o: it.worker_of[o] for o in range(it.position)}
        done = [o - by for o in range(it.position) if o in it.done and o >= by]
        for offset in range(it.position):
            it.worker_of[offset] = workers.get(offset + by, NONE)
        for me in {str(one): state.worker[one] for one in workers.values() if one != NONE}.values():
            if me.partition == partition_id and not me.is_orphan:
                me.offset -= by
        it.done = SetOf(done)
        it.history_processed = SetOf()
        it.base = max(it.base - by, 0)
        it.committed = max(it.committed - by, 0)
        it.position -= by
        self._zeros[partition] = self.zero(partition) + by


def resized(old: Machine[Any], state: Any, new: Machine[Any]) -> State:
    """The same state in a model whose log has another size; no offset in use is beyond it."""
    with old.in_scope():
        partitions = {str(one): _fields(state.partition[one]) for one in old.scope.ids(PartitionId)}
        workers = {str(one): _working(state.worker[one]) for one in old.scope.ids(WorkerId)}
        is_polling = state.is_polling
    made: State = new.initial_state()
    with new.in_scope():
        made.is_polling = is_polling
        for name, (scalars, done, worker_of) in partitions.items():
            it = made.partition[new.scope.id(PartitionId, name)]
            for field, value in scalars.items():
                setattr(it, field, value)
            it.done = SetOf(done)
            for offset, worker in worker_of.items():
                it.worker_of[offset] = new.scope.id(WorkerId, worker)
        for name, (partition, offset, is_orphan) in workers.items():
            me = made.worker[new.scope.id(WorkerId, name)]
            me.partition = new.scope.id(PartitionId, partition) if partition else NONE
            me.offset = 0 if is_orphan else offset
            me.is_orphan = is_orphan
        new.store_of(made).commit()
    return made


def _fields(it: Any) -> tuple[dict[str, Any], list[int], dict[int, str]]:
    names = ("committed", "is_assigned", "ownership", "is_paused", "base", "position")
    offsets = range(it.position)
    return (
        {name: getattr(it, name) for name in names},
        [o for o in offsets if o in it.done],
        {o: str(it.worker_of[o]) for o in offsets if it.worker_of[o] != NONE},
    )


def _working(me: Any) -> tuple[str, int, bool]:
    return ("" if me.partition == NONE else str(me.partition)), me.offset, me.is_orphan
