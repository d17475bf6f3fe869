"""Does what may be deleted go in the end?  The steps of `log`, made for questions about the end.

Each step is the one of `partition`, and those that a broker owes are taken at last where they stay
possible (weak fairness): the cleaner's three, recovery, and that the high watermark rises.  The
last is the followers' matter, and here they fetch in the end; `replication_settling` shows that.

**Causes are bounded, effects are not.**  Failures are counted, crashes and failed appends alike:
a machine that crashes for ever cleans nothing.  Records are as many as there are offsets.  How
often the log rolls, recovers or is cleaned is not bounded, and no bound is ever all that keeps a
fair step from happening; the checker looks for that, and were it otherwise, it would not claim
liveness.

**Time need not pass**, nor anybody write, roll, or ask for records to be deleted.  So a segment
that has one reason to go cannot wait until it has another: each reason has to be enough.  Ages
stop at one more than the retention time (see `state`), which is no bound: older is as old.

**What is left out, and why that is safe.**  Readers and topics that come again: a cleaner asks
about neither.  Their part of the state stays as it was at first.
"""

from kproof_spec.lang import Fairness, Model, require

from . import partition
from .settling_state import State, max_failures
from .state import (
    Age,
    EndOffset,
    Residue,
    log_size,
    max_topic_id,
    readers,
    retention_bytes,
    retention_ms,
)

model = Model(
    "log_settling",
    State,
    constants=[log_size, readers, max_topic_id, retention_ms, retention_bytes, max_failures],
    title="One partition's log whose cleaner comes round to what may go",
)


@model.init
def an_empty_log(s: State) -> None:
    """The topic was just created: one segment, empty and active."""
    partition.an_empty_log(s)


# -- actions: what happens to a log ----------------------------------------------------------------


@model.action
def leader_append(s: State, age: Age) -> None:
    """A record is appended, by a producer that chose its timestamp."""
    partition.leader_append(s, age)


@model.action
def leader_append_fails(s: State, residue: Residue) -> None:
    """An append ends in an I/O error, and the log goes offline."""
    # WHEN
    require(s.failures < max_failures)  # Bound.
    # THEN
    s.failures += 1
    partition.leader_append_fails(s, residue)


@model.action
def leader_roll(s: State) -> None:
    """A new segment becomes the active one."""
    partition.leader_roll(s)


@model.action
def leader_flush(s: State) -> None:
    """All that is written is forced to the disk.  Nobody has to: what is not flushed goes too."""
    partition.leader_flush(s)


@model.action
def time_pass(s: State) -> None:
    """Every record grows older by a tick."""
    partition.time_pass(s)


@model.action
def leader_delete_records(s: State, offset: EndOffset) -> None:
    """Records below an offset are deleted at an operator's request: the log starts there."""
    partition.leader_delete_records(s, offset)


@model.action
def broker_crash(s: State, end: EndOffset, torn: EndOffset) -> None:
    """The machine loses power, and with it what the disk has not written."""
    # WHEN
    require(s.failures < max_failures)  # Bound.
    # THEN
    s.failures += 1
    partition.broker_crash(s, end, torn)


# -- actions: what a broker owes -------------------------------------------------------------------


@model.action(fairness=Fairness.WEAK)
def broker_recover(s: State) -> None:
    """The broker starts again, and makes a log of the files that it finds."""
    partition.broker_recover(s)


@model.action(fairness=Fairness.WEAK)
def leader_raise_high_watermark(s: State) -> None:
    """One more record is committed: the followers have it."""
    partition.leader_raise_high_watermark(s)


@model.action(fairness=Fairness.WEAK)
def cleaner_delete_by_age(s: State) -> None:
    """Retention deletes the first segment because all of it is old."""
    partition.cleaner_delete_by_age(s)


@model.action(fairness=Fairness.WEAK)
def cleaner_delete_by_size(s: State) -> None:
    """Retention deletes the first segment because the log is large."""
    partition.cleaner_delete_by_size(s)


@model.action(fairness=Fairness.WEAK)
def cleaner_delete_below_log_start(s: State) -> None:
    """Retention deletes the first segment because nothing in it may be read any more."""
    partition.cleaner_delete_below_log_start(s)
