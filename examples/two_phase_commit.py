"""Two-phase commit: a transaction manager and its resource managers agree to commit or abort.

After Gray and Lamport, "Consensus on Transaction Commit" (2006), section 3.  Messages are only ever
added, so a set of them is the whole network.  Try it, then change it:

    kproof check examples/two_phase_commit.py --set resource_managers=3 --no-symmetry
"""

from enum import Enum

from kproof_spec.lang import (
    Id,
    Model,
    SetOf,
    Struct,
    Table,
    bound,
    choice,
    each,
    flag,
    forall,
    require,
    subset,
    table,
)

resource_managers = bound("resource_managers", default=3, low=1, doc="How many have to agree.")


class ResourceManager(Id, size=resource_managers, symmetric=True, prefix="rm"):
    """A database that takes part in the transaction."""


class Vote(Enum):
    """What a resource manager has done so far."""

    WORKING = 0
    PREPARED = 1
    COMMITTED = 2
    ABORTED = 3


class State(Struct):
    """The resource managers, the transaction manager, and every message ever sent."""

    vote: Table[ResourceManager, Vote] = table(ResourceManager, choice(Vote))
    is_decided: bool = flag()
    prepared: SetOf[ResourceManager] = subset(ResourceManager)
    """Whose "prepared" message the transaction manager has received."""
    prepared_sent: SetOf[ResourceManager] = subset(ResourceManager)
    commit_sent: bool = flag()
    abort_sent: bool = flag()


model = Model("two_phase_commit", State, constants=[resource_managers])


@model.action
def manager_receive_prepared(s: State, rm: ResourceManager) -> None:
    """The transaction manager learns that one resource manager is prepared."""
    require(not s.is_decided)
    require(rm in s.prepared_sent)
    s.prepared.add(rm)


@model.action
def manager_commit(s: State) -> None:
    """Everyone is prepared: commit."""
    require(not s.is_decided)
    require(forall(ResourceManager, lambda rm: rm in s.prepared))
    s.is_decided = True
    s.commit_sent = True


@model.action
def manager_abort(s: State) -> None:
    """The transaction manager may give up at any time before it has decided."""
    require(not s.is_decided)
    s.is_decided = True
    s.abort_sent = True


@model.action
def prepare(s: State, rm: ResourceManager) -> None:
    """A resource manager promises to commit if it is told to."""
    require(s.vote[rm] == Vote.WORKING)
    s.vote[rm] = Vote.PREPARED
    s.prepared_sent.add(rm)


@model.action
def choose_to_abort(s: State, rm: ResourceManager) -> None:
    """A resource manager that has promised nothing may abort on its own."""
    require(s.vote[rm] == Vote.WORKING)
    s.vote[rm] = Vote.ABORTED


@model.action
def receive_commit(s: State, rm: ResourceManager) -> None:
    """A resource manager is told to commit."""
    require(s.commit_sent)
    s.vote[rm] = Vote.COMMITTED


@model.action
def receive_abort(s: State, rm: ResourceManager) -> None:
    """A resource manager is told to abort."""
    require(s.abort_sent)
    s.vote[rm] = Vote.ABORTED


@model.invariant
def outcomes_agree(s: State, a: ResourceManager, b: ResourceManager) -> bool:
    """No two resource managers end differently."""
    return not (s.vote[a] == Vote.COMMITTED and s.vote[b] == Vote.ABORTED)


@model.sometimes
def everyone_commits(s: State) -> bool:
    """The transaction can succeed."""
    return all(s.vote[rm] == Vote.COMMITTED for rm in each(ResourceManager))


@model.mutant(replaces=receive_abort, breaks=outcomes_agree)
def receive_abort_unasked(s: State, rm: ResourceManager) -> None:
    """A resource manager that lost patience aborts although it had promised to commit."""
    require(s.vote[rm] == Vote.PREPARED)
    s.vote[rm] = Vote.ABORTED
