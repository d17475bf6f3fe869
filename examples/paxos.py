"""Paxos: acceptors agree on one value, although proposers compete and messages get lost.

After Lamport, "The Part-Time Parliament" (1998), in the form of his TLA+ module `Paxos`: acceptors
keep three numbers each, messages are only ever added to a set, and a message is lost by never being
received.  A proposer is not modelled: whoever runs a ballot, it goes as below.

    kproof check examples/paxos.py
    kproof check examples/paxos.py --mutant propose_any_reported_value

Three acceptors, two values and ballots 0..2 have 185,369 states without symmetry, as TLC finds for
Lamport's module.  Acceptors and values are interchangeable, so far fewer need to be looked at.
"""

from itertools import combinations

from kproof_spec.lang import (
    Bounded,
    Id,
    Model,
    SetOf,
    Struct,
    Table,
    bound,
    each,
    exists,
    forall,
    integer,
    maybe,
    member,
    pure,
    require,
    subset,
    table,
)

acceptors = bound("acceptors", default=3, low=1, doc="Who votes.")
values = bound("values", default=2, low=1, doc="What may be chosen.")
max_ballot = bound("max_ballot", default=2, doc="The last ballot; they begin at 0.")


class Acceptor(Id, size=acceptors, symmetric=True, prefix="a"):
    """One who votes, and remembers what it promised."""


class Value(Id, size=values, symmetric=True, prefix="v"):
    """Something that may be chosen."""


class Ballot(Bounded, low=0, high=max_ballot):
    """A round of voting; at most one value is put to the vote in each."""


class Promise(Struct):
    """An acceptor's answer to the start of a ballot: no vote of mine in any earlier one ("1b")."""

    acceptor: Acceptor = member(Acceptor)
    ballot: int = integer(0, max_ballot)
    voted_ballot: int = integer(-1, max_ballot)
    """The last ballot in which it voted; -1 if in none."""
    voted_value: Value = maybe(Value)


class Proposal(Struct):
    """The value that a ballot is about ("2a")."""

    ballot: int = integer(0, max_ballot)
    value: Value = member(Value)


class Vote(Struct):
    """An acceptor votes for the value of a ballot ("2b")."""

    acceptor: Acceptor = member(Acceptor)
    ballot: int = integer(0, max_ballot)
    value: Value = member(Value)


class State(Struct):
    """What every acceptor remembers, and every message ever sent."""

    promised_ballot: Table[Acceptor, int] = table(Acceptor, integer(-1, max_ballot))
    """No vote in an earlier ballot than this."""
    voted_ballot: Table[Acceptor, int] = table(Acceptor, integer(-1, max_ballot))
    voted_value: Table[Acceptor, Value] = table(Acceptor, maybe(Value))
    started: SetOf[int] = subset(Ballot)
    """The ballots that were started ("1a")."""
    promises: SetOf[Promise] = subset(Promise)
    proposals: SetOf[Proposal] = subset(Proposal)
    votes: SetOf[Vote] = subset(Vote)


model = Model("paxos", State, constants=[acceptors, values, max_ballot], title="Single-value Paxos")


def quorums() -> list[tuple[Acceptor, ...]]:
    """The smallest majorities: any two have an acceptor in common."""
    everyone = each(Acceptor)
    return list(combinations(everyone, len(everyone) // 2 + 1))


@pure
def is_promised_by(s: State, quorum: tuple[Acceptor, ...], ballot: int) -> bool:
    """Whether everyone in the quorum has answered the start of the ballot."""
    return forall(
        quorum,
        lambda a: exists(s.promises, lambda p: p.acceptor == a and p.ballot == ballot),
    )


@pure
def may_propose(s: State, quorum: tuple[Acceptor, ...], ballot: int, value: Value) -> bool:
    """Whether the quorum's latest earlier vote was for the value, or there was none."""

    def reported(promise: Promise) -> bool:
        is_answer = promise.ballot == ballot and promise.voted_ballot >= 0
        return is_answer and promise.acceptor in quorum

    def is_latest(vote: Promise) -> bool:
        return forall(s.promises, lambda p: not reported(p) or p.voted_ballot <= vote.voted_ballot)

    nobody_voted = forall(s.promises, lambda p: not reported(p))
    return nobody_voted or exists(
        s.promises, lambda p: reported(p) and p.voted_value == value and is_latest(p)
    )


@model.action
def start(s: State, ballot: Ballot) -> None:
    """A ballot is started: "1a"."""
    s.started.add(ballot)


@model.action
def promise(s: State, acceptor: Acceptor, ballot: Ballot) -> None:
    """An acceptor hears of a later ballot than any before, and promises: "1b"."""
    require(ballot in s.started)
    require(ballot > s.promised_ballot[acceptor])
    s.promised_ballot[acceptor] = ballot
    s.promises.add(
        Promise(
            acceptor=acceptor,
            ballot=ballot,
            voted_ballot=s.voted_ballot[acceptor],
            voted_value=s.voted_value[acceptor],
        )
    )


@model.action
def propose(s: State, ballot: Ballot, value: Value) -> None:
    """A ballot that has a majority's promises asks for a vote: "2a"."""
    require(not exists(s.proposals, lambda p: p.ballot == ballot))
    require(
        exists(
            quorums(), lambda q: is_promised_by(s, q, ballot) and may_propose(s, q, ballot, value)
        )
    )
    s.proposals.add(Proposal(ballot=ballot, value=value))


@model.action
def vote(s: State, acceptor: Acceptor, ballot: Ballot, value: Value) -> None:
    """An acceptor votes, unless it has promised not to: "2b"."""
    require(Proposal(ballot=ballot, value=value) in s.proposals)
    require(ballot >= s.promised_ballot[acceptor])
    s.promised_ballot[acceptor] = s.voted_ballot[acceptor] = ballot
    s.voted_value[acceptor] = value
    s.votes.add(Vote(acceptor=acceptor, ballot=ballot, value=value))


@pure
def is_chosen(s: State, value: Value) -> bool:
    """Whether a majority has voted for the value in one ballot."""

    def voted(a: Acceptor, ballot: int) -> bool:
        return Vote(acceptor=a, ballot=ballot, value=value) in s.votes

    return exists(
        Ballot, lambda ballot: exists(quorums(), lambda q: forall(q, lambda a: voted(a, ballot)))
    )


@model.invariant
def at_most_one_value_is_chosen(s: State, one: Value, other: Value) -> bool:
    """Two values are never both chosen."""
    return one == other or not (is_chosen(s, one) and is_chosen(s, other))


@model.sometimes
def something_is_chosen(s: State, value: Value) -> bool:
    """Agreement can be reached."""
    return is_chosen(s, value)


@model.mutant(replaces=propose, breaks=at_most_one_value_is_chosen)
def propose_any_reported_value(s: State, ballot: Ballot, value: Value) -> None:
    """A ballot takes up any earlier vote that it hears of, not the latest one.

    One acceptor votes in ballot 0; the others choose another value in ballot 1; then ballot 2 hears
    of both and takes up the old one, which is chosen too.
    """
    require(not exists(s.proposals, lambda p: p.ballot == ballot))

    def reported(q: tuple[Acceptor, ...], p: Promise) -> bool:
        return p.ballot == ballot and p.voted_ballot >= 0 and p.acceptor in q

    def may(q: tuple[Acceptor, ...]) -> bool:
        nobody_voted = forall(s.promises, lambda p: not reported(q, p))
        heard_of = exists(s.promises, lambda p: reported(q, p) and p.voted_value == value)
        return is_promised_by(s, q, ballot) and (nobody_voted or heard_of)

    require(exists(quorums(), may))
    s.proposals.add(Proposal(ballot=ballot, value=value))
