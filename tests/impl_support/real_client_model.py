"""What clients of a broker may see, kept in plain data: what was sent, given and committed.

The names are the specification's: a tenure is the time for which a consumer has a partition
(`kproof_spec.consumer`), a zombie is a member that has lost it and does not know
(`kproof_spec.group`).  Each method is told what happened and fails at once if it must not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

Place = tuple[str, int]
Content = tuple[bytes | None, bytes | None]
"""Key and value of a record."""

FENCED = ("ILLEGAL_GENERATION", "UNKNOWN_MEMBER_ID", "REBALANCE_IN_PROGRESS", "FENCED_INSTANCE_ID")
"""A commit that is answered so has changed nothing; after other errors nobody knows."""


@dataclass
class Sent:
    """A record that was handed to a producer."""

    producer: str
    topic: str
    key: bytes | None
    value: bytes
    sent_at: int
    """By the machine's own counter of what happened; so is `acknowledged_at`."""
    acknowledged_at: int = -1
    place: Place = ("", -1)
    offset: int = -1
    timestamp_ms: int = -1
    error: str = ""


class Records:
    """What was sent, and what is at which offset: nobody may be given anything else there."""

    def __init__(self) -> None:
        self.sent: dict[bytes, Sent] = {}
        self.at: dict[Place, dict[int, Content]] = {}
        self.interruptions = 0
        """How often the broker ended: a producer that is not idempotent may send twice then."""
        self._clock = 0

    def tick(self) -> int:
        self._clock += 1
        return self._clock

    def send(self, producer: str, topic: str, key: bytes | None) -> Sent:
        """The next record of a producer; its value is like no other."""
        value = f"{producer} {len(self.sent)}".encode()
        sent = self.sent[value] = Sent(producer, topic, key, value, self.tick())
        return sent

    def acknowledge(self, sent: Sent, place: Place, offset: int, timestamp_ms: int) -> None:
        assert sent.acknowledged_at < 0, f"{sent} was acknowledged twice"
        sent.acknowledged_at = self.tick()
        sent.place, sent.offset, sent.timestamp_ms = place, offset, timestamp_ms
        self.note(place, offset, (sent.key, sent.value))

    def note(self, place: Place, offset: int, content: Content) -> None:
        """A record was acknowledged, given or read back there."""
        before = self.at.setdefault(place, {}).setdefault(offset, content)
        assert before == content, f"{place} has {content} at {offset}, where {before} was"
        sent = self.sent.get(content[1] or b"")
        assert sent is not None, f"{place} has {content} at {offset}: nobody sent it"
        assert (sent.topic, sent.key) == (place[0], content[0]), f"{sent} came as {content}"

    def check_orders(self) -> None:
        """Sent once and in order, each key in one partition, and what was acknowledged is first."""
        places_of: dict[tuple[str, bytes], Place] = {}
        for place, contents in self.at.items():
            in_order = [
                (offset, self.sent[value or b""]) for offset, (_, value) in sorted(contents.items())
            ]
            last_of: dict[str, Sent] = {}
            known: set[bytes] = set()
            acknowledged_max = Sent("", "", None, b"", -1)
            for offset, sent in in_order:
                if sent.key is not None:
                    other = places_of.setdefault((sent.topic, sent.key), place)
                    assert other == place, f"key {sent.key!r} is in {other} and in {place}"
                if sent.value in known:
                    is_excused = self.interruptions and sent.producer != "idempotent"
                    assert is_excused, f"{sent} is twice in {place}, again at {offset}"
                    continue
                known.add(sent.value)
                last = last_of.setdefault(sent.producer, sent)
                assert last.sent_at <= sent.sent_at, f"{place}: {sent} comes behind {last}"
                last_of[sent.producer] = sent
            for offset, sent in reversed(in_order):
                if sent.offset != offset:
                    continue  # The second copy of a record, or one not acknowledged.
                if acknowledged_max.sent_at >= 0:
                    is_right = acknowledged_max.acknowledged_at > sent.sent_at
                    assert is_right, f"{sent} was sent after {acknowledged_max} was acknowledged"
                earliest = acknowledged_max.acknowledged_at
                if earliest < 0 or sent.acknowledged_at < earliest:
                    acknowledged_max = sent


@dataclass
class Attempt:
    """A commit of one partition, and what became of it."""

    member: int
    place: Place
    offset: int
    is_fenced: bool
    """Whether it must be refused: another has had the partition since."""
    result: str = "pending"
    """`pending`, `acknowledged`, `refused`, or `unknown`."""


@dataclass
class Tenure:
    """A member has a partition."""

    starts: set[int]
    """Where it may begin to read; 0 is the start of the log, wherever that is."""
    next_offset: int = -1
    """Behind what it was given last; -1 before the first."""


@dataclass
class Group:
    """What the members of a group believe, and the offsets that they have committed."""

    name: str
    records: Records
    log_start: Callable[[Place], int]
    """Asks the broker."""
    owners: dict[Place, int] = field(default_factory=dict)
    tenures: dict[tuple[int, Place], Tenure] = field(default_factory=dict)
    zombies: set[tuple[int, Place]] = field(default_factory=set)
    committed: dict[Place, int] = field(default_factory=dict)
    """The highest that is known to be committed."""
    attempts: list[Attempt] = field(default_factory=list)

    def candidates(self, place: Place) -> set[int]:
        """What may be committed now; -1 if nothing may."""
        known = self.committed.get(place, -1)
        return {known} | {
            each.offset
            for each in self.attempts
            if each.place == place
            and each.result in ("pending", "unknown")
            and not each.is_fenced
            and each.offset > known
        }

    # -- what members are told -------------------------------------------------------------------

    def assign(self, member: int, places: Iterable[Place], *, is_late: bool = False) -> None:
        """A member is given partitions.  Who still believes to have them is a zombie from now.

        One that is told too late is itself the zombie: it is no member any more.
        """
        for place in places:
            if is_late:
                self.zombies.add((member, place))
                self.tenures[member, place] = Tenure(
                    {max(offset, 0) for offset in self.candidates(place)}
                )
                continue
            owner = self.owners.get(place)
            assert owner != member, f"{self.name}: member {member} got {place} twice"
            if owner is not None:
                self.zombies.add((owner, place))
            self.owners[place] = member
            self.zombies.discard((member, place))
            starts = {max(offset, 0) for offset in self.candidates(place)}
            self.tenures[member, place] = Tenure(starts)

    def give_up(self, member: int, places: Iterable[Place]) -> None:
        """A member has been told that partitions are no longer its own."""
        for place in places:
            self.tenures.pop((member, place), None)
            self.zombies.discard((member, place))
            if self.owners.get(place) == member:
                del self.owners[place]

    def end(self, member: int) -> None:
        """A member has died or left."""
        self.give_up(member, [place for owner, place in list(self.tenures) if owner == member])

    def give(self, member: int, place: Place, offset: int, content: Content) -> None:
        """A member is given a record: the next one, or the first that was not deleted."""
        self.records.note(place, offset, content)
        tenure = self.tenures.get((member, place))
        who = f"{self.name}: member {member}"
        assert tenure is not None, f"{who} was given {place} {offset}, which is not its own"
        expected = tenure.starts if tenure.next_offset < 0 else {tenure.next_offset}
        if offset not in expected:
            assert offset > min(expected), f"{who} got {place} {offset} again, not {expected}"
            start = self.log_start(place)
            assert offset <= start, f"{who} got {place} {offset}, not {expected}; start is {start}"
        tenure.next_offset = offset + 1

    # -- commits ---------------------------------------------------------------------------------

    def commit(self, member: int, offsets: dict[Place, int]) -> None:
        """A member asks for it."""
        for place, offset in offsets.items():
            is_fenced = (member, place) in self.zombies
            self.attempts.append(Attempt(member, place, offset, is_fenced))

    def answer_commit(self, member: int, offsets: dict[Place, int], error: str) -> None:
        """A member is told what came of it."""
        for place, offset in offsets.items():
            attempt = next(
                each
                for each in self.attempts
                if (each.member, each.place, each.offset, each.result)
                == (member, place, offset, "pending")
            )
            if error:
                attempt.result = "refused" if error in FENCED else "unknown"
                continue
            assert not attempt.is_fenced, f"{self.name}: {attempt} of a zombie was acknowledged"
            attempt.result = "acknowledged"
            self.committed[place] = max(self.committed.get(place, -1), offset)

    def check_committed(self, offsets: dict[Place, int]) -> None:
        """The broker has the last acknowledged one, or one that was asked for after it."""
        for place, offset in offsets.items():
            candidates = self.candidates(place)
            text = f"{self.name}: {offset} is committed of {place}, expected of {candidates}"
            assert offset in candidates, text
            self.committed[place] = offset
