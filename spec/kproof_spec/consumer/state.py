"""What the brokers and a consumer hold, and the words to speak of it.

First the sizes of the world, then the state, then definitions (which change nothing), then what the
THEN of several actions has in common (which changes the state and refuses nothing).
"""

from enum import Enum

from kproof_spec.lang import (
    Bounded,
    Id,
    SetOf,
    Struct,
    Table,
    bound,
    choice,
    constant,
    each,
    flag,
    forall,
    history,
    integer,
    pure,
    subset,
    table,
)

# -- bounds and sorts ------------------------------------------------------------------------------

partitions = bound("partitions", default=1, low=1, doc="Partitions of the topic.")
log_size = bound("log_size", default=2, low=1, doc="Records that a partition gets, in all.")
max_poll_records = constant(
    "max_poll_records", default=2, low=1, doc="Records that one poll returns at most."
)
max_failures = bound("max_failures", default=1, doc="Crashes and expired sessions, in all.")

NIL = -1
"""No offset."""


class PartitionId(Id, size=partitions, symmetric=True, prefix="p"):
    """A partition of the topic."""


class Offset(Bounded, low=0, high=log_size - 1):
    """A position in a log, 0-based."""


class RecordCount(Bounded, low=1, high=max_poll_records):
    """How many records a poll returns."""


class Ownership(Enum):
    """What the client believes of a partition."""

    NOT_OWNED = 0
    OWNED = 1
    REVOKING = 2
    """The group wants it back, and the client has not let go yet."""


class ResetPolicy(Enum):
    """`auto.offset.reset`: where to begin if the group has no offset to begin at."""

    EARLIEST = 0
    LATEST = 1


# -- state -----------------------------------------------------------------------------------------


class Partition(Struct):
    """One partition: its log, the group's record of it, and the client's."""

    log_start: int = integer(0, log_size)
    """The first offset that retention has left."""
    log_end: int = integer(0, log_size)
    """Exclusive.  Invariant: log_start <= log_end."""
    committed: int = integer(NIL, log_size)
    """The group's committed offset, the next to read; NIL before the first commit."""
    is_assigned: bool = flag()
    """Whether the coordinator holds this consumer for the owner, so takes its commits."""
    ownership: Ownership = choice(Ownership)
    """What the client believes.  It may be behind: see `coordinator_expel`."""
    is_paused: bool = flag()
    """Whether the application has paused the partition."""
    position: int = integer(NIL, log_size)
    """The offset that the next poll returns first; NIL while not owned."""
    processed_end: int = integer(NIL, log_size)
    """Exclusive end of what the application has processed of what poll returned.

    The records in hand are those from here up to the position.
    """
    fetch_start: int = integer(0, log_size)
    fetch_end: int = integer(0, log_size)
    """The fetched records that wait in the client's memory; equal if there are none.

    They stay when the partition is given up: poll has to see that they are stale.
    """
    commit_sent: int = integer(NIL, log_size)
    """A commit that is on its way to the coordinator; NIL if none is."""
    commit_answered: int = integer(NIL, log_size)
    """What the client knows to be committed, from the answer to its own commit in this tenure.

    Used only where the application waits for it: to commit before processing.
    """
    history_processed: SetOf[int] = history(subset(Offset))
    """Records that anybody in the group has processed."""
    history_excused: SetOf[int] = history(subset(Offset))
    """Records that nobody has to process: deleted by retention, or passed over by a reset that
    had its reason."""
    history_expected: int = history(integer(NIL, log_size))
    """One past the record that was returned last in this tenure, or where the tenure began."""


class State(Struct):
    """A topic, a consumer, and as much of its group as it has to do with."""

    reset_policy: ResetPolicy = choice(ResetPolicy)
    partition: Table[PartitionId, Partition] = table(PartitionId, Partition)
    failures: int = integer(0, max_failures)
    """How often the consumer crashed or lost its membership."""
    history_processed_twice: bool = history(flag())
    """Whether any record was processed twice."""
    history_returned_unowned: bool = history(flag())
    """Whether poll returned records of a partition that was not owned, or was paused."""
    history_returned_out_of_turn: bool = history(flag())
    """Whether poll returned, within a tenure, anything but the next record."""
    history_reset_without_reason: bool = history(flag())
    """Whether reading began elsewhere than at a valid committed offset, with nothing out of range.
    """
    history_reset_against_policy: bool = history(flag())
    """Whether a reset ever led elsewhere than `auto.offset.reset` says."""
    history_commit_went_back: bool = history(flag())
    """Whether a committed offset was ever replaced by a lower one."""


# -- definitions -----------------------------------------------------------------------------------


@pure
def has_valid_commit(s: State, partition: PartitionId) -> bool:
    """Whether the group has a committed offset that is still within the log."""
    it = s.partition[partition]
    return it.committed >= it.log_start and it.committed <= it.log_end


@pure
def is_out_of_range(s: State, partition: PartitionId) -> bool:
    """Whether retention has deleted the record at the client's position."""
    it = s.partition[partition]
    return it.position != NIL and it.position < it.log_start


@pure
def reset_offset(s: State, partition: PartitionId) -> int:
    """Where `auto.offset.reset` leads."""
    it = s.partition[partition]
    return it.log_start if s.reset_policy == ResetPolicy.EARLIEST else it.log_end


@pure
def starting_offset(s: State, partition: PartitionId) -> int:
    """Where a new owner begins: at the committed offset if it is valid, else where reset says."""
    if has_valid_commit(s, partition):
        return s.partition[partition].committed
    return reset_offset(s, partition)


@pure
def has_nothing_in_hand(s: State) -> bool:
    """Whether the application has processed all that poll returned, so that it may poll again."""
    return forall(
        PartitionId,
        lambda p: s.partition[p].processed_end == s.partition[p].position,
    )


@pure
def is_fetchable(s: State, partition: PartitionId) -> bool:
    """Whether poll may return records of a partition: owned, not paused, and not being revoked."""
    it = s.partition[partition]
    return it.ownership == Ownership.OWNED and not it.is_paused


@pure
def is_fetch_current(s: State, partition: PartitionId) -> bool:
    """Whether the fetched records in memory begin where poll has to go on."""
    it = s.partition[partition]
    return it.fetch_start == it.position


@pure
def has_in_hand(s: State, partition: PartitionId, offset: int) -> bool:
    """Whether the application has a record that it has yet to process."""
    it = s.partition[partition]
    return it.processed_end <= offset < it.position


@pure
def is_out_of_turn(s: State, partition: PartitionId, offset: int) -> bool:
    """Whether poll was ever out of turn, or is if it returns this record now."""
    return s.history_returned_out_of_turn or offset != s.partition[partition].history_expected


@pure
def is_against_policy(s: State, partition: PartitionId, offset: int) -> bool:
    """Whether a reset was ever against the policy, or is if it leads to this offset now."""
    it = s.partition[partition]
    wanted = it.log_end if s.reset_policy == ResetPolicy.LATEST else it.log_start
    return s.history_reset_against_policy or offset != wanted


@pure
def is_anything_repeated(s: State, partition: PartitionId, offset: int) -> bool:
    """Whether a record was ever processed twice, or is if this one is processed now."""
    return s.history_processed_twice or offset in s.partition[partition].history_processed


# -- changes ---------------------------------------------------------------------------------------


def excuse_below(s: State, partition: PartitionId, end: int) -> None:
    """Records below `end` need not be processed any more."""
    for offset in each(Offset):
        if offset < end:
            s.partition[partition].history_excused.add(offset)


def begin_at(s: State, partition: PartitionId, offset: int) -> None:
    """The client will read from `offset` on; notes whether it may, and where."""
    it = s.partition[partition]
    if has_valid_commit(s, partition) and not is_out_of_range(s, partition):
        if offset != it.committed:
            s.history_reset_without_reason = True
    else:
        s.history_reset_against_policy = is_against_policy(s, partition, offset)
        if it.is_assigned:  # What a zombie passes over is the new owner's to read.
            excuse_below(s, partition, offset)
    it.position = offset
    it.processed_end = offset
    it.history_expected = offset


def return_records(s: State, partition: PartitionId, count: int) -> None:
    """Poll returns `count` of the fetched records, and the position moves past them."""
    it = s.partition[partition]
    if it.ownership == Ownership.NOT_OWNED or it.is_paused:
        s.history_returned_unowned = True
    s.history_returned_out_of_turn = is_out_of_turn(s, partition, it.fetch_start)
    it.fetch_start += count
    it.position = it.fetch_start
    it.processed_end = it.fetch_start - count
    it.history_expected = it.fetch_start


def note_processed(s: State, partition: PartitionId, offset: int) -> None:
    """Somebody in the group has processed a record."""
    s.history_processed_twice = is_anything_repeated(s, partition, offset)
    s.partition[partition].history_processed.add(offset)


def take_commit(s: State, partition: PartitionId, offset: int) -> None:
    """The coordinator stores a committed offset."""
    it = s.partition[partition]
    if offset < it.committed:
        s.history_commit_went_back = True
    it.committed = offset


def give_up(s: State, partition: PartitionId) -> None:
    """The client owns the partition no more, and forgets where it was."""
    it = s.partition[partition]
    it.ownership = Ownership.NOT_OWNED
    it.is_paused = False
    it.position = NIL
    it.processed_end = NIL
    it.commit_answered = NIL
    it.history_expected = NIL


def end_assignment(s: State, partition: PartitionId) -> None:
    """The coordinator takes no more commits of this tenure, not even one that is on its way."""
    s.partition[partition].is_assigned = False
    s.partition[partition].commit_sent = NIL
