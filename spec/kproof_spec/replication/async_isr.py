"""How the ISR changes when leader and controller only exchange messages: KIP-497.

Since AlterPartition, a leader that wants another ISR asks the controller and goes on working while
it waits.  Meanwhile it does not know which ISR is in force: the old one, or the one it asked for.
The controller may change the ISR on its own too, when a broker fails, and its news takes time.

**The rule.**  The leader's high watermark waits for the *maximal ISR*: everyone in the ISR that it
knows, and everyone in any that it has asked for.  Asking for a smaller ISR wins nothing until the
answer is there; asking for a larger one costs at once.  Leave out the second half, and the
controller may elect a replica that the leader did not wait for: the mutant below.

**What is modelled.**  One fixed leader.  The version that the controller gives each ISR (the
partition epoch), and which a request has to name to be granted.  Requests and answers, which stay
on the wire for ever and may be handled late, again, or never.  Of a log only its length counts:
with one leader all logs agree as far as they go.

The leader is in every ISR that anyone can ask for or put in force: nobody ever removes it.  So sets
here hold followers only, and nothing is lost by that.  Of what is pending, "nothing" and "the
leader alone" would look the same, but the pending version tells them apart: it is -1 for nothing.

**What is left out.**  Elections and leader epochs, which are `kip_320`'s matter.

The bounds are guards of the actions that would pass them.  (In the TLA+ original they are a
constraint: TLC counts the steps that lead out, and follows them no further.  The states are the
same, and the steps are the more by those.)
"""

from kproof_spec.lang import (
    Id,
    Model,
    SetOf,
    Struct,
    Table,
    bound,
    each,
    integer,
    min_over,
    nested,
    pure,
    require,
    subset,
    table,
)

replicas = bound(
    "replicas", default=3, low=2, doc="Brokers that hold the partition: the leader too."
)
max_offset = bound("max_offset", default=2, low=1, doc="Records that the leader writes.")
max_version = bound("max_version", default=2, doc="Changes of the ISR by the controller.")


class FollowerId(Id, size=replicas - 1, symmetric=True, prefix="f"):
    """A broker that holds a replica of the partition and does not lead."""


class VersionedIsr(Struct):
    """An ISR and the version it has, or to which it is an answer.  Also a message."""

    in_sync_followers: SetOf[FollowerId] = subset(FollowerId)
    """The ISR without the leader, which is always in it."""
    version: int = integer(0, max_version)
    """Counts the changes that the controller has made.  In a request: what the leader knew."""


class Pending(Struct):
    """What the leader has asked for since it last heard from the controller."""

    in_sync_followers: SetOf[FollowerId] = subset(FollowerId)
    """Everyone who is in an ISR that it asked for."""
    version: int = integer(-1, max_version)
    """The version that its requests named; -1 if it has asked for nothing."""


class State(Struct):
    """One partition with one leader."""

    controller: VersionedIsr = nested(VersionedIsr)
    """The ISR in force: anyone in it may be elected."""
    leader: VersionedIsr = nested(VersionedIsr)
    """The ISR as the leader last heard of it."""
    pending: Pending = nested(Pending)
    leader_end: int = integer(0, max_offset)
    """The leader's log end offset."""
    follower_end: Table[FollowerId, int] = table(FollowerId, integer(0, max_offset))
    """The followers' log end offsets, as the leader sees them in their fetches."""
    requests: SetOf[VersionedIsr] = subset(VersionedIsr)
    """Every request of the leader, ever."""
    updates: SetOf[VersionedIsr] = subset(VersionedIsr)
    """Every change by the controller, ever: answers and news alike."""


model = Model(
    "async_isr",
    State,
    constants=[replicas, max_offset, max_version],
    title="Changes of the ISR by request and answer (KIP-497)",
)


@model.init
def everyone_is_in_sync(s: State) -> None:
    """The whole ISR, version 0, known to both; nothing is written or asked for."""
    for follower in each(FollowerId):
        s.controller.in_sync_followers.add(follower)
        s.leader.in_sync_followers.add(follower)


@pure
def high_watermark(s: State) -> int:
    """How far everyone has come who is, or may be by now, in the ISR."""
    return min_over(
        s.leader.in_sync_followers | s.pending.in_sync_followers,
        lambda follower: s.follower_end[follower],
        start=s.leader_end,
    )


def announce(s: State, in_sync_followers: SetOf[FollowerId]) -> None:
    """The controller puts an ISR in force, under a new version, and tells the leader."""
    s.controller.in_sync_followers = in_sync_followers
    s.controller.version += 1
    s.updates.add(s.controller)


def ask(s: State, in_sync_followers: SetOf[FollowerId]) -> None:
    """The leader asks for an ISR, naming the version that it knows, and remembers that it did."""
    s.requests.add(VersionedIsr(in_sync_followers=in_sync_followers, version=s.leader.version))
    s.pending.in_sync_followers = s.pending.in_sync_followers | in_sync_followers
    s.pending.version = s.leader.version


@model.action
def controller_shrink_isr(s: State, follower: FollowerId) -> None:
    """The controller takes a follower for dead.

    WHO   the controller.
    WHEN  the follower is in the ISR.
    THEN  it leaves the ISR, under a new version, and the leader is told.
    REF   KIP-497, "Proposed Changes".
    """
    isr = s.controller.in_sync_followers
    # WHEN
    require(follower in isr)
    require(s.controller.version < max_version)  # Bound.
    # THEN
    announce(s, isr.excluding(follower))


@model.action
def controller_handle_request(s: State, request: VersionedIsr) -> None:
    """The controller grants a request.

    WHO   the controller.
    WHEN  the request names the version in force: the leader knew what it wanted to change.
    THEN  the ISR is what was asked for, under a new version, and the leader is told.
    REF   KIP-497, "Proposed Changes": a request with another version is refused.
    """
    # WHEN
    require(request in s.requests)
    require(request.version == s.controller.version)
    require(s.controller.version < max_version)  # Bound.
    # THEN
    announce(s, request.in_sync_followers)


@model.action
def leader_request_shrink_isr(s: State, follower: FollowerId) -> None:
    """The leader asks to drop a follower.

    WHO   the leader.
    WHEN  the follower is in the ISR.  (That it lags is a timer's matter.)
    THEN  a request is sent.  The high watermark still waits for the follower.
    REF   KIP-497, "Proposed Changes".
    """
    isr = s.leader.in_sync_followers
    # WHEN
    require(follower in isr)
    # THEN
    ask(s, isr.excluding(follower))


@model.action
def leader_request_expand_isr(s: State, follower: FollowerId) -> None:
    """The leader asks to take a follower in.

    WHO   the leader.
    WHEN  the follower is not in the ISR and has come up to the high watermark.
    THEN  a request is sent.  The high watermark waits for the follower from now on.
    REF   KIP-497, "Proposed Changes".
    """
    isr = s.leader.in_sync_followers
    # WHEN
    require(follower not in isr)
    require(s.follower_end[follower] >= high_watermark(s))
    # THEN
    ask(s, isr.including(follower))


@model.action
def leader_write(s: State) -> None:
    """A client writes a record.

    WHO   the leader.
    WHEN  always.
    THEN  its log is longer by one.
    REF   KIP-497, "Motivation".
    """
    # WHEN
    require(s.leader_end < max_offset)  # Bound.
    # THEN
    s.leader_end += 1


@model.action
def leader_handle_update(s: State, update: VersionedIsr) -> None:
    """The leader learns of an ISR that is in force, or was.

    WHO   the leader.
    WHEN  the update is newer than what it knows.
    THEN  it knows this ISR, and nothing is pending: no older request can be granted any more.
    REF   KIP-497, "Proposed Changes".
    """
    # WHEN
    require(update in s.updates)
    require(update.version > s.leader.version)
    # THEN
    s.leader = update
    s.pending.in_sync_followers = SetOf()
    s.pending.version = -1


@model.action
def follower_replicate(s: State, follower: FollowerId) -> None:
    """A follower copies a record.

    WHO   the follower.
    WHEN  the leader has more.
    THEN  the follower has one more.
    REF   KIP-497, "Motivation".
    """
    # WHEN
    require(s.follower_end[follower] < s.leader_end)
    # THEN
    s.follower_end[follower] += 1


@model.invariant
def valid_high_watermark(s: State, follower: FollowerId) -> bool:
    """Everyone in the ISR that is in force has all that the leader shows as committed.

    Else the controller may elect a replica that lacks a record which a consumer has read.
    """
    return follower not in s.controller.in_sync_followers or s.follower_end[
        follower
    ] >= high_watermark(s)


@model.sometimes
def a_record_is_committed_without_a_follower(s: State, follower: FollowerId) -> bool:
    """The high watermark has moved past a follower that is out of the ISR."""
    return s.follower_end[follower] < high_watermark(s)


@model.sometimes
def an_expansion_is_in_force_unknown_to_the_leader(s: State, follower: FollowerId) -> bool:
    """The controller has taken a follower in, and the answer is still on its way."""
    return (
        follower in s.controller.in_sync_followers
        and follower not in s.leader.in_sync_followers
        and follower in s.pending.in_sync_followers
    )


@model.sometimes
def a_request_is_overtaken(s: State, request: VersionedIsr) -> bool:
    """A request names a version that is not in force any more: it can never be granted."""
    return request in s.requests and request.version < s.controller.version


@model.mutant(
    replaces=high_watermark,
    breaks=valid_high_watermark,
    scope={"replicas": 2, "max_offset": 1, "max_version": 2},
)
def high_watermark_over_the_known_isr(s: State) -> int:
    """The high watermark waits for the ISR that the leader knows, not for what it asked for.

    The leader, alone in its ISR, asks to take a follower in.  The controller agrees, and the answer
    is slow.  The leader appends a record and, alone as far as it knows, commits it at once.  The
    controller may now elect the follower, which does not have it.  REF: KIP-497, the maximal ISR.
    """
    return min_over(
        s.leader.in_sync_followers,
        lambda follower: s.follower_end[follower],
        start=s.leader_end,
    )
