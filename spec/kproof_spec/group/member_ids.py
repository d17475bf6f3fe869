"""Where member ids come from: JoinGroup twice, so that a retry makes no second member (KIP-394).

A consumer that is new has no member id, so a coordinator cannot tell its retry from another
consumer.  Before KIP-394 it made each such JoinGroup a member, whose id it told when the join
barrier was passed, minutes later perhaps; a consumer that lost patience and asked again left behind
a *phantom*: a member that nobody is, which the barrier waits for.  Since then the first JoinGroup
is answered at once, MEMBER_ID_REQUIRED, with an id that is only *pending*; the second carries it.

**What is modelled.**  Consumers, the ids they are given, and the answer on its way to each.  The
client may stop waiting for an answer at any time and ask anew.  Of the rebalance there is only
whether one is under way: `group` has the rest.  Consumers do not fail here; one that does leaves a
member behind until its session ends, as is right.
"""

from kproof_spec.lang import (
    NONE,
    Id,
    Model,
    SetOf,
    Struct,
    Table,
    bound,
    exists,
    flag,
    maybe,
    require,
    subset,
    table,
)

consumers = bound("consumers", default=2, low=1, doc="Processes that want to be members.")
member_ids = bound("member_ids", default=3, low=1, doc="Member ids that the coordinator makes.")


class ConsumerId(Id, size=consumers, symmetric=True, prefix="c"):
    """A process.  It does not know this name, nor does the coordinator."""


class MemberId(Id, size=member_ids, symmetric=True, prefix="m"):
    """A member_id: unique, never used again."""


class Consumer(Struct):
    """What a process knows of itself."""

    member_id: MemberId = maybe(MemberId)
    """The id it was told; NONE before."""
    answer: MemberId = maybe(MemberId)
    """The id in an answer on its way to it."""
    is_fenced: bool = flag()
    """Whether it was told FENCED_INSTANCE_ID, and has stopped.  Used by `static` only."""


class State(Struct):
    """A group's members by their ids, and the processes behind them."""

    used: SetOf[MemberId] = subset(MemberId)
    """Ids that were ever made."""
    pending: SetOf[MemberId] = subset(MemberId)
    """Ids that were handed out and have not joined: no members yet."""
    members: SetOf[MemberId] = subset(MemberId)
    static_member: MemberId = maybe(MemberId)
    """The member id that goes with the one group.instance.id there is.  Used by `static` only."""
    is_rebalancing: bool = flag()
    consumer: Table[ConsumerId, Consumer] = table(ConsumerId, Consumer)


model = Model(
    "group_member_ids",
    State,
    constants=[consumers, member_ids],
    title="Member ids: a retried JoinGroup makes no second member (KIP-394)",
    variant="dynamic",
)

# -- actions -------------------------------------------------------------------------------------


@model.action
def consumer_ask_for_id(s: State, consumer: ConsumerId, fresh: MemberId) -> None:
    """A consumer sends JoinGroup without a member id.

    WHO   a consumer that has none and waits for no answer.
    WHEN  at any time; `fresh` is the id that the coordinator makes.
    THEN  the id is pending, and MEMBER_ID_REQUIRED is on its way.
    REF   KIP-394, "Proposed Changes".
    """
    me = s.consumer[consumer]
    # WHEN
    require(me.member_id == NONE)
    require(me.answer == NONE)
    require(fresh not in s.used)
    # THEN
    s.used.add(fresh)
    s.pending.add(fresh)
    me.answer = fresh


@model.action
def consumer_receive_id(s: State, consumer: ConsumerId) -> None:
    """A consumer learns its member id.

    WHO   the consumer.
    WHEN  the answer has come.
    THEN  it has an id for its next JoinGroup.
    REF   KIP-394.
    """
    me = s.consumer[consumer]
    # WHEN
    require(me.answer != NONE)
    # THEN
    me.member_id = me.answer
    me.answer = NONE


@model.action
def consumer_lose_patience(s: State, consumer: ConsumerId) -> None:
    """A consumer stops waiting: its connection is gone, or request.timeout.ms is over.

    WHO   the consumer.
    WHEN  an answer is on its way.
    THEN  it will never see it.
    REF   KIP-394, "Motivation".
    """
    me = s.consumer[consumer]
    # WHEN
    require(me.answer != NONE)
    # THEN
    me.answer = NONE


@model.action
def consumer_join(s: State, consumer: ConsumerId) -> None:
    """A consumer sends JoinGroup with its member id, perhaps again.

    WHO   the consumer.
    WHEN  it has an id that the coordinator knows.
    THEN  it is a member, once, and a rebalance begins if it was not.
    REF   KIP-394.
    """
    me = s.consumer[consumer]
    # WHEN
    require(me.member_id != NONE)
    require(me.member_id in s.pending or me.member_id in s.members)
    # THEN
    if me.member_id in s.pending:
        s.is_rebalancing = True
    s.pending.remove(me.member_id)
    s.members.add(me.member_id)


@model.action
def coordinator_expire_pending(s: State, member: MemberId) -> None:
    """Nobody used an id within the session timeout.

    WHO   the coordinator.
    WHEN  the id is pending.
    THEN  it is forgotten; whoever comes with it is told UNKNOWN_MEMBER_ID.
    REF   KIP-394.
    """
    # WHEN
    require(member in s.pending)
    # THEN
    s.pending.remove(member)


@model.action
def consumer_is_unknown(s: State, consumer: ConsumerId) -> None:
    """A consumer comes with an id that was forgotten.

    WHO   the consumer.
    WHEN  the coordinator does not know its id.
    THEN  it has none, and asks for another.
    REF   Kafka protocol guide, UNKNOWN_MEMBER_ID.
    """
    me = s.consumer[consumer]
    # WHEN
    require(me.member_id != NONE)
    require(me.member_id not in s.pending)
    require(me.member_id not in s.members)
    # THEN
    me.member_id = NONE


@model.action
def consumer_leave(s: State, consumer: ConsumerId) -> None:
    """A consumer is closed.

    WHO   the consumer.
    WHEN  it is a member.
    THEN  it is none, and its id is never used again.
    REF   Kafka protocol guide, "LeaveGroup".
    """
    me = s.consumer[consumer]
    # WHEN
    require(me.member_id != NONE)
    require(me.member_id in s.members)
    # THEN
    s.members.remove(me.member_id)
    s.is_rebalancing = True
    me.member_id = NONE


@model.action
def coordinator_complete_join(s: State) -> None:
    """The join barrier is passed.

    WHO   the coordinator.
    WHEN  a rebalance is under way.
    THEN  it is over.
    REF   `group`.
    """
    # WHEN
    require(s.is_rebalancing)
    # THEN
    s.is_rebalancing = False


# -- properties ------------------------------------------------------------------------------------


@model.invariant
def no_phantom_members(s: State, member: MemberId) -> bool:
    """Behind each member there is a consumer that knows its id, or is about to.

    A phantom never joins again, so each join barrier waits for it in vain until its session ends,
    and partitions that it is assigned have no reader.

    REF   KIP-394, KAFKA-7610: bounded membership.
    """
    is_known = exists(
        ConsumerId,
        lambda c: s.consumer[c].member_id == member or s.consumer[c].answer == member,
    )
    return member not in s.members or is_known


@model.invariant
def one_member_for_a_consumer(s: State) -> bool:
    """There are no more members than consumers."""
    return s.members.size <= consumers


@model.sometimes
def an_id_is_wasted(s: State, member: MemberId) -> bool:
    """An id is pending and nobody will ever use it: a retry has had another."""
    return member in s.pending and not exists(
        ConsumerId,
        lambda c: s.consumer[c].member_id == member or s.consumer[c].answer == member,
    )


@model.sometimes
def everyone_is_a_member(s: State) -> bool:
    """All consumers are in the group."""
    return s.members.size == consumers and not s.is_rebalancing


# -- mutants ---------------------------------------------------------------------------------------


@model.mutant(replaces=consumer_ask_for_id, breaks=no_phantom_members)
def consumer_join_without_id(s: State, consumer: ConsumerId, fresh: MemberId) -> None:
    """Each JoinGroup without a member id makes a member at once.

    So it was before Kafka 2.2.  The consumer waits at the barrier, loses patience, asks again, and
    is a second member; the first has no consumer, and every rebalance takes as long as its session
    (five minutes for a new member).  REF: KIP-394, KAFKA-7610.
    """
    me = s.consumer[consumer]
    require(me.member_id == NONE)
    require(me.answer == NONE)
    require(fresh not in s.used)
    s.used.add(fresh)
    s.members.add(fresh)
    s.is_rebalancing = True
    me.answer = fresh


@model.mutant(
    replaces=consumer_is_unknown,
    breaks=one_member_for_a_consumer,
    scope={"consumers": 1, "member_ids": 2},
)
def consumer_come_back_without_leaving(s: State, consumer: ConsumerId) -> None:
    """A consumer forgets its id while it is a member: a restart that does not say LeaveGroup.

    It comes back under another id, and both count until the old session ends.  That is what
    static membership was made for.  REF: KIP-345, "Motivation".
    """
    me = s.consumer[consumer]
    require(me.member_id != NONE)
    require(me.member_id not in s.pending)
    me.member_id = NONE
