"""A story of consumer groups: all that can happen to one happens, in a row."""

from __future__ import annotations

from random import Random
from typing import Any

from impl_support.group_members import Consumer, commit_request
from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.events import Event
from kproof_impl.messages.delete_groups import DeleteGroupsRequest
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.offset_delete import (
    OffsetDeleteRequest,
    OffsetDeleteRequestPartition,
    OffsetDeleteRequestTopic,
)
from kproof_impl.storage.faulty_files import FaultyFiles

RETENTION_MS = 1_000_000


class Story:
    """All that can happen to a group, in a row."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.has_synced: dict[Consumer, int] = {}
        self.files = FaultyFiles(Random(1))
        config = BrokerConfig(
            offsets_topic_num_partitions=2,
            group_initial_rebalance_delay_ms=10,
            offsets_retention_ms=RETENTION_MS,
            offsets_retention_check_interval_ms=RETENTION_MS // 2,
        )
        self.broker = Stepper(config, files=self.files, observe=self.events.append)
        self.broker.topic("orders", 3)
        self.broker.topic("payments", 1)

    def consumer(self, group: str = "g", **other: Any) -> Consumer:
        return Consumer(self.broker, group, **other)

    def turn(self, *consumers: Consumer, times: int = 1, ms: int = 20) -> None:
        """Each consumer does what a consumer does next, and time passes; so many times."""
        for _ in range(times):
            for one in consumers:
                self._turn_of(one)
            self.broker.advance(ms)
        for one in consumers:
            one.late()

    def _turn_of(self, one: Consumer) -> None:
        one.late()
        if one.is_waiting:
            return
        if one.generation_id < 0:
            one.enter()
            return
        code = one.heartbeat()
        if code == ErrorCode.REBALANCE_IN_PROGRESS:
            one.join()
        elif code:
            one.member_id, one.generation_id = "", -1
        elif self.has_synced.get(one) != one.generation_id:
            self.has_synced[one] = one.generation_id
            shares = {member: member.encode() for member in one.members} if one.leads else {}
            one.sync(shares)

    def tell(self) -> list[Event]:
        self.members_come_and_go()
        self.static_members()
        self.time_passes()
        self.protocols_and_a_full_disk()
        self.offsets_are_removed()
        self.lives()
        return self.events

    def members_come_and_go(self) -> None:
        anna, bert, carl = (self.consumer() for _ in range(3))
        self.turn(anna, bert, times=4)
        anna.commit(3)
        bert.commit(5, partition=1)
        carl.enter()
        anna.commit(4)  # The generation is about to end, and still counts.
        self.turn(anna, bert, carl, times=4)
        bert.commit(2, partition=1)
        follower = bert if anna.leads else anna
        follower.join()  # Its answer was lost: it asks once more.
        follower.sync()
        assert anna.commit(9, generation_id=1) == ErrorCode.ILLEGAL_GENERATION
        anna.sync(generation_id=1)
        carl.leave()
        assert carl.commit(9) == ErrorCode.UNKNOWN_MEMBER_ID
        self.turn(anna, bert, times=4)
        (anna if anna.leads else bert).join()  # A leader may ask for a rebalance.
        self.turn(anna, bert, times=1)
        anna.commit(9)
        self.turn(anna, bert, times=4)
        anna.leave()
        self.turn(bert)
        bert.leave()

    def static_members(self) -> None:
        anna, bert = (self.consumer("static", instance_id=name) for name in "ab")
        carl = self.consumer("static")
        self.turn(anna, bert, carl, times=4)
        anna.commit(7)
        again = self.consumer("static", instance_id="a")
        self.turn(again, bert, carl)  # It takes the place of the one before, without a rebalance.
        assert anna.commit(8) == ErrorCode.FENCED_INSTANCE_ID
        assert again.commit(8) == ErrorCode.NONE
        dora = self.consumer("static")
        dora.enter()
        third = self.consumer("static", instance_id="b")
        third.enter()  # While the barrier is open, and once more.
        fourth = self.consumer("static", instance_id="b")
        fourth.enter()
        for _ in range(8):  # The first static member is alive, and does not come; carl is gone.
            again.heartbeat()
            self.turn(dora, fourth, ms=9_000)
        self.turn(again, dora, fourth, times=4)
        self.broker.advance(100_000)

    def time_passes(self) -> None:
        anna, bert, carl = (self.consumer("slow", rebalance_ms=15_000) for _ in range(3))
        self.turn(anna, bert, carl, times=4)
        self.turn(anna, bert, times=6, ms=4_000)  # And nothing of carl: his session ends.
        (anna if anna.leads else bert).join()
        for _ in range(5):  # Bert is alive, and does not join.
            (bert if anna.is_waiting else anna).heartbeat()
            self.broker.advance(4_000)
        self.turn(anna, bert, times=4)
        self.turn(anna, bert, times=2)
        anna.join() if anna.leads else bert.join()
        anna.join() if bert.is_waiting else bert.join()
        anna.late(), bert.late()
        leader, follower = (anna, bert) if anna.leads else (bert, anna)
        for _ in range(5):  # The leader does not deal, and is expelled.
            leader.heartbeat()
            self.turn(follower, ms=4_000)
        self.turn(follower, times=3)
        self.broker.advance(60_000)

    def protocols_and_a_full_disk(self) -> None:
        anna, bert = (self.consumer("other") for _ in range(2))
        self.turn(anna, bert, times=4)
        for _ in range(2):
            bert.protocols = [*bert.protocols, ("roundrobin", b"")]
            bert.join()  # Other protocols: a rebalance, of a stable group and of another.
            anna.join()
            anna.late(), bert.late()
        leader = anna if anna.leads else bert
        self.files.fail_after("append", 0)
        refused = leader.sync({anna.member_id: b"a", bert.member_id: b"b"}) or leader.late()
        assert refused.error_code == ErrorCode.NOT_COORDINATOR
        self.turn(anna, bert, times=4)
        anna.leave()
        self.files.fail_after("append", 0)
        bert.leave()  # That the group is empty is stored a little later.
        self.broker.advance(15_000)

    def offsets_are_removed(self) -> None:
        self.broker.send(commit_request("simple", {("orders", 0): 5, ("orders", 1): 6}))
        self.broker.send(commit_request("simple", {("payments", 0): 1, ("orders", 1): 8}))
        self.broker.send(commit_request("gone", {("orders", 2): 9}))
        gone = [OffsetDeleteRequestTopic("orders", [OffsetDeleteRequestPartition(1)])]
        self.broker.send(OffsetDeleteRequest("simple", gone))
        self.broker.send(DeleteGroupsRequest(["gone", "other"]))
        self.broker.broker.topics.delete([self.broker.broker.topics.by_name["payments"]])

    def lives(self) -> None:
        anna, bert = self.consumer("lasting", instance_id="a"), self.consumer("lasting")
        self.turn(anna, bert, times=4)
        anna.commit(1)
        self.broker.restart()
        bert.commit(2, partition=1)
        self.turn(anna, bert)
        carl = self.consumer("lasting")
        carl.enter()
        anna.join()
        self.broker.crash()  # In a rebalance: the generation before is the one.
        anna.is_waiting = carl.is_waiting = False
        self.turn(anna, bert, carl, times=8)
        self.consumer("unfinished").enter()
        self.broker.crash()
        self.broker.send(commit_request("simple", {("orders", 0): 6}))
        self.broker.advance(RETENTION_MS * 2)  # All is over.
