"""What the map of groups keeps beside the model: who the members are, and the offsets, as folds.

A fold is what the events so far come to.  After a restart the broker has to have exactly that.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from .lockstep import Follower


@dataclass(slots=True)
class Members:
    """Who is in a group, in the order in which they came, and what the model has no number for."""

    instances: dict[str, str | None] = field(default_factory=dict)
    """By member id, the group.instance.id."""
    leader: str | None = None
    assignments: dict[str, int] = field(default_factory=dict)
    """Checksums of what the leader has dealt."""

    def copied(self) -> Members:
        return Members(dict(self.instances), self.leader, dict(self.assignments))

    def add(self, member: str, instance: str | None) -> None:
        self.instances[member] = instance
        if self.leader is None:
            self.leader = member

    def remove(self, member: str) -> None:
        """If it led, the one that has been there longest leads."""
        del self.instances[member]
        self.assignments.pop(member, None)
        if self.leader == member:
            self.leader = next(iter(self.instances), None)

    def rename(self, old: str, new: str) -> None:
        self.instances = {new if m == old else m: i for m, i in self.instances.items()}
        self.assignments = {new if m == old else m: a for m, a in self.assignments.items()}
        if self.leader == old:
            self.leader = new

    def by_instance(self) -> dict[str, str]:
        return {i: member for member, i in self.instances.items() if i is not None}


class Offsets:
    """Committed offsets by `topic-partition`."""

    def __init__(self) -> None:
        self.committed: dict[str, int] = {}
        self._left_in_the_log: dict[str, int] = {}
        """Removed with their topic, while the disk refused to store that: the log still has them,
        and the next life will find them."""

    def commit(self, offsets: dict[str, int]) -> None:
        self.committed.update(offsets)

    def remove(self, follower: Follower, names: list[str], is_stored: bool) -> None:
        for name in names:
            follower.require(name in self.committed, f"an offset of {name} was removed: none is")
            offset = self.committed.pop(name)
            self._left_in_the_log.pop(name, None)
            if not is_stored:
                self._left_in_the_log[name] = offset

    @property
    def stored(self) -> dict[str, int]:
        """What the log folds to."""
        return {**self._left_in_the_log, **self.committed}

    def load(self) -> None:
        self.committed, self._left_in_the_log = self.stored, {}
