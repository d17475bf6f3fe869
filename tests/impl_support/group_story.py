"""What the members of groups ask, request by request: for this broker and for Kafka.

The story is a function of whom it is told to, since a member's next request depends on the answer
to the last.  It returns what was answered, line by line, with member ids by their number.  The
broker has a topic `story-orders` of 2 partitions, groups begin with `story-`, and the initial
rebalance delay is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from kproof_impl.messages.delete_groups import DeleteGroupsRequest
from kproof_impl.messages.describe_groups import DescribeGroupsRequest
from kproof_impl.messages.heartbeat import HeartbeatRequest
from kproof_impl.messages.join_group import JoinGroupRequest, JoinGroupRequestProtocol
from kproof_impl.messages.leave_group import LeaveGroupRequest, MemberIdentity
from kproof_impl.messages.list_groups import ListGroupsRequest
from kproof_impl.messages.offset_commit import (
    OffsetCommitRequest,
    OffsetCommitRequestPartition,
    OffsetCommitRequestTopic,
)
from kproof_impl.messages.offset_delete import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from kproof_impl.messages.offset_fetch import (
    OffsetFetchRequest,
    OffsetFetchRequestGroup,
    OffsetFetchRequestTopics,
)
from kproof_impl.messages.sync_group import SyncGroupRequest, SyncGroupRequestAssignment

PREFIX = "story-"
TOPIC = "story-orders"
GROUPS = ("story-refused", "story-two", "story-static", "story-offsets")
READS_ORDERS = b"\0\1\0\0\0\1\0\x0cstory-orders\xff\xff\xff\xff\0\0\0\0"


class Listener(Protocol):
    """A broker, on any number of connections."""

    def ask(self, connection: str, request: object, version: int) -> Any:
        """The answer, or None if it waits."""

    def late(self, connection: str) -> Any:
        """The answer that was waited for; None if it still waits."""


class Teller:
    """Notes what was answered."""

    def __init__(self, listener: Listener) -> None:
        self.listener = listener
        self.lines: list[str] = []
        self.names: dict[str, str] = {"": ""}

    def name(self, member_id: str) -> str:
        return self.names.setdefault(member_id, f"m{len(self.names)}")

    def ask(self, what: str, who: str, request: object, version: int) -> Any:
        return self.note(what, self.listener.ask(who, request, version))

    def late(self, what: str, who: str) -> Any:
        return self.note(what, self.listener.late(who))

    def note(self, what: str, answer: Any) -> Any:
        self.lines.append(f"{what}: {'waits' if answer is None else self.shown(answer)}")
        return answer

    def shown(self, value: Any) -> str:
        if isinstance(value, (list, tuple)):
            # A broker may have groups that the story knows nothing of.
            value = [one for one in value if getattr(one, "group_id", PREFIX).startswith(PREFIX)]
            return "[" + ", ".join(sorted(self.shown(one) for one in value)) + "]"
        if not hasattr(value, "__dataclass_fields__"):
            is_number = isinstance(value, int) and not isinstance(value, bool)
            return repr(int(value) if is_number else value)
        fields = []
        for field in value.__dataclass_fields__:
            content = getattr(value, field)
            if field in ("member_id", "leader"):
                content = self.name(content)
            if field not in ("throttle_time_ms", "error_message", "client_host"):
                fields.append(f"{field}={self.shown(content)}")
        return f"({' '.join(fields)})"


def join(
    group: str, member: str = "", instance: str | None = None, *,
    protocols: Sequence[str] = ("range",), session_ms: int = 30_000,
    kind: str = "consumer", metadata: bytes = READS_ORDERS,
) -> JoinGroupRequest:  # fmt: skip
    return JoinGroupRequest(
        group, session_ms, 60_000, member, instance, kind,
        [JoinGroupRequestProtocol(name, metadata) for name in protocols],
    )  # fmt: skip


def sync(
    group: str, generation: int, member: str, shares: dict[str, bytes] | None = None, **other: Any
) -> SyncGroupRequest:
    assignments = [SyncGroupRequestAssignment(one, data) for one, data in (shares or {}).items()]
    other = {"protocol_type": "consumer", "protocol_name": "range"} | other
    return SyncGroupRequest(group, generation, member, assignments=assignments, **other)


def commit(
    group: str, generation: int, member: str, offset: int, *, topic: str = TOPIC, index: int = 0,
    metadata: str | None = None, instance: str | None = None,
) -> OffsetCommitRequest:  # fmt: skip
    one = OffsetCommitRequestPartition(index, offset, 3, metadata)
    topics = [OffsetCommitRequestTopic(topic, [one])]
    return OffsetCommitRequest(group, generation, member, instance, topics)


def fetch(group: str, *indexes: int) -> OffsetFetchRequest:
    topics = [OffsetFetchRequestTopics(TOPIC, indexes)] if indexes else None
    return OffsetFetchRequest([OffsetFetchRequestGroup(group, topics=topics)])


def story(listener: Listener) -> list[str]:
    """All chapters; the answers in their order."""
    teller = Teller(listener)
    for chapter in (refusals, two_members, static_members, offsets, administration):
        chapter(teller)
    return teller.lines


def refusals(t: Teller) -> None:
    g = "story-refused"
    t.ask("no group", "a", join(""), 9)
    t.ask("short session", "a", join(g, session_ms=1), 9)
    t.ask("long session", "a", join(g, session_ms=2_000_000), 9)
    t.ask("unknown member", "a", join(g, "zombie"), 9)
    t.ask("no protocol", "a", join(g, protocols=()), 9)
    t.ask("no type", "a", join(g, kind=""), 9)
    for version in (0, 3, 5):
        t.ask(f"sync nobody {version}", "a", sync(g, 1, "zombie"), version)
        t.ask(f"join nobody {version}", "a", join(g, "zombie"), version)
    t.ask("beat nobody", "a", HeartbeatRequest(g, 1, "zombie"), 4)
    t.ask("beat no group", "a", HeartbeatRequest("", 1, "zombie"), 4)
    t.ask("sync no group", "a", sync("", 1, "zombie"), 5)
    t.ask("leave nobody", "a", LeaveGroupRequest(g, [MemberIdentity("zombie")]), 5)
    t.ask("leave nobody 3", "a", LeaveGroupRequest(g, [MemberIdentity("zombie")]), 3)
    t.ask("leave no group", "a", LeaveGroupRequest("", [MemberIdentity("zombie")]), 5)
    t.ask("describe 5", "a", DescribeGroupsRequest(["story-nothing"]), 5)
    t.ask("describe 6", "a", DescribeGroupsRequest(["story-nothing"]), 6)
    t.ask("delete", "a", DeleteGroupsRequest(["story-nothing"]), 2)


def two_members(t: Teller) -> None:
    g = "story-two"
    a = t.ask("id of a", "a", join(g), 9).member_id
    t.ask("beat before join", "a", HeartbeatRequest(g, 0, a), 4)
    t.ask("a joins", "a", join(g, a, protocols=("range", "sticky")), 9)
    t.ask("a joins again", "a", join(g, a, protocols=("range", "sticky")), 9)
    t.ask("commit before sync", "a", commit(g, 1, a, 5), 8)
    t.ask("wrong protocol", "a", sync(g, 1, a, protocol_type="connect", protocol_name="range"), 5)
    t.ask("wrong name", "a", sync(g, 1, a, protocol_type="consumer", protocol_name="x"), 5)
    t.ask("no name", "a", sync(g, 1, a, protocol_name=None), 5)
    t.ask("no type", "a", sync("", 1, "zombie", protocol_type=None), 5)
    t.ask("wrong generation", "a", sync(g, 2, a), 5)
    t.ask("a syncs", "a", sync(g, 1, a, {a: b"all", "zombie": b"x"}), 5)
    t.ask("a syncs again", "a", sync(g, 1, a, {a: b"more"}), 5)
    t.ask("b has nothing in common", "b", join(g, protocols=("x",)), 9)
    t.ask("b is no consumer", "b", join(g, kind="connect"), 9)
    b = t.ask("id of b", "b", join(g), 9).member_id
    t.ask("b joins", "b", join(g, b, protocols=("range", "other")), 9)
    t.ask("a beats", "a", HeartbeatRequest(g, 1, a), 4)
    t.ask("a commits in the rebalance", "a", commit(g, 1, a, 5), 8)
    t.ask("a syncs in the rebalance", "a", sync(g, 1, a), 5)
    t.ask("described in the rebalance", "z", DescribeGroupsRequest([g]), 6)
    t.ask("a joins for 2", "a", join(g, a, protocols=("range", "sticky")), 9)
    t.late("b has joined", "b")
    t.ask("b syncs", "b", sync(g, 2, b), 5)
    t.ask("b beats while it waits", "c", HeartbeatRequest(g, 2, b), 4)
    t.ask("a deals", "a", sync(g, 2, a, {a: b"one", b: b"two"}), 5)
    t.late("b has its share", "b")
    t.ask("described", "z", DescribeGroupsRequest([g], include_authorized_operations=True), 6)
    t.ask("b joins unchanged", "b", join(g, b, protocols=("range", "other")), 9)
    t.ask("b syncs again", "b", sync(g, 2, b), 5)
    t.ask("old beat", "b", HeartbeatRequest(g, 1, b), 4)
    t.ask("old commit", "b", commit(g, 1, b, 9), 8)
    t.ask("commit of nobody", "b", commit(g, 2, "zombie", 9), 8)
    t.ask("commit without member", "b", commit(g, -1, "", 9), 8)
    t.ask("commit without generation", "b", commit(g, -1, b, 9), 8)
    t.ask("commit", "b", commit(g, 2, b, 9, index=1), 8)
    t.ask("delete with members", "z", DeleteGroupsRequest([g]), 2)
    t.ask("b joins changed", "b", join(g, b, protocols=("range",)), 9)
    leaving = [MemberIdentity(a), MemberIdentity("zombie"), MemberIdentity("", "none")]
    t.ask("a and others leave", "z", LeaveGroupRequest(g, leaving), 5)
    t.late("b is alone", "b")
    t.ask("b leaves", "b", LeaveGroupRequest(g, [MemberIdentity(b)]), 3)
    t.ask("described empty", "z", DescribeGroupsRequest([g]), 6)
    t.ask("b beats when it has left", "b", HeartbeatRequest(g, 3, b), 4)
    t.ask("anybody commits", "b", commit(g, -1, "", 4), 8)
    t.ask("a generation of an empty group", "b", commit(g, 4, b, 4), 8)
    t.ask("an old client", "b", join(g), 3)


def static_members(t: Teller) -> None:
    g = "story-static"
    one = t.ask("one joins", "a", join(g, "", "one"), 9).member_id
    t.ask("one deals", "a", sync(g, 1, one, {one: b"all"}, group_instance_id="one"), 5)
    again = t.ask("one again", "b", join(g, "", "one"), 9).member_id
    t.ask("the old one beats", "a", HeartbeatRequest(g, 1, one, "one"), 4)
    t.ask("the old one beats without instance", "a", HeartbeatRequest(g, 1, one), 4)
    t.ask("the old one commits", "a", commit(g, 1, one, 5, instance="one"), 8)
    t.ask("the old one joins", "a", join(g, one, "one"), 9)
    t.ask("the old one syncs", "a", sync(g, 1, one, group_instance_id="one"), 5)
    t.ask("the old one leaves", "a", LeaveGroupRequest(g, [MemberIdentity(one, "one")]), 5)
    t.ask("an unknown instance", "a", HeartbeatRequest(g, 1, again, "two"), 4)
    t.ask("one again syncs", "b", sync(g, 1, again, group_instance_id="one"), 5)
    third = t.ask("one again, old", "c", join(g, "", "one"), 8).member_id
    t.ask("described", "z", DescribeGroupsRequest([g]), 6)
    t.ask("two joins", "d", join(g, "", "two"), 9)
    t.ask("two again while it waits", "e", join(g, "", "two"), 9)
    t.late("two is fenced", "d")
    t.ask("one joins for 2", "c", join(g, third, "one"), 9)
    t.late("two has joined", "e")
    t.ask("removed by instance", "z", LeaveGroupRequest(g, [MemberIdentity("", "two")]), 5)
    t.ask("one beats", "c", HeartbeatRequest(g, 2, third, "one"), 4)


def offsets(t: Teller) -> None:
    g = "story-offsets"
    t.ask("none", "a", fetch(g, 0, 7), 8)
    t.ask("none of all", "a", fetch(g), 8)
    t.ask("generation of no group 8", "a", commit(g, 1, "zombie", 5), 8)
    t.ask("generation of no group 9", "a", commit(g, 1, "zombie", 5), 9)
    t.ask("simple", "a", commit(g, -1, "", 5, metadata="note"), 8)
    t.ask("simple of a member", "a", commit(g, -1, "zombie", 6, index=1), 8)
    t.ask("negative", "a", commit(g, -1, "", -5, index=1), 8)
    t.ask("no partition", "a", commit(g, -1, "", 5, index=7), 8)
    t.ask("no topic", "a", commit(g, -1, "", 5, topic="story-none"), 8)
    t.ask("long note", "a", commit(g, -1, "", 5, metadata="x" * 4_097), 8)
    t.ask("no topics", "a", OffsetCommitRequest(g, 9, "zombie"), 8)
    t.ask("no group id", "a", commit("", -1, "", 5), 8)
    t.ask("fetched", "a", fetch(g, 0, 1, 7), 8)
    t.ask("all fetched", "a", fetch(g), 9)
    t.ask("all fetched, 8", "a", fetch(g), 8)
    t.ask("described", "z", DescribeGroupsRequest([g]), 6)

    def delete(group: str, topic: str, *indexes: int) -> OffsetDeleteRequest:
        parts = [OffsetDeleteRequestPartition(index) for index in indexes]
        return OffsetDeleteRequest(group, [OffsetDeleteRequestTopic(topic, parts)])

    t.ask("deleted", "a", delete(g, TOPIC, 0, 7), 0)
    t.ask("deleted of no topic", "a", delete(g, "story-none", 0), 0)
    t.ask("deleted of no group", "a", delete("story-nothing", TOPIC, 0), 0)
    t.ask("deleted of none", "a", delete("", TOPIC, 0), 0)
    t.ask("deleted of a reader", "a", delete("story-static", TOPIC, 0), 0)
    t.ask("fetched then", "a", fetch(g), 9)


def administration(t: Teller) -> None:
    # Kafka makes a group of a JoinGroup that it refuses; this broker does not keep what is nothing.
    t.listener.ask("z", DeleteGroupsRequest(["story-refused"]), 2)
    t.ask("listed", "z", ListGroupsRequest(["stable", "Empty"], ["CLASSIC"]), 5)
    t.ask("listed of another type", "z", ListGroupsRequest([], ["consumer"]), 5)
    t.ask("listed of another state", "z", ListGroupsRequest(["Assigning"]), 5)
    t.ask("deleted", "z", DeleteGroupsRequest(["story-offsets", "story-static", "story-x"]), 2)
    t.ask("fetched", "z", fetch("story-offsets"), 9)
