"""A client with a fetch session, as KIP-227 wants it."""

from typing import Any
from uuid import UUID

from impl_support.stepping import Stepper
from kproof_impl.messages.fetch import (
    FetchPartition,
    FetchRequest,
    FetchResponse,
    FetchTopic,
    ForgottenTopic,
    PartitionData,
)

NEW, SESSIONLESS = 0, -1
"""The epochs of a fetch that begins a session, and of one that wants none."""


class Client:
    """One session of one client, which asks as the protocol wants it."""

    def __init__(self, broker: Stepper, connection: int = 1, version: int = 12) -> None:
        self.broker = broker
        self.connection = connection
        self.version = version
        self.session_id = 0
        self.epoch = NEW

    def fetch(
        self,
        *partitions: tuple[str, int, int],
        forget: tuple[tuple[str, int], ...] = (),
        epoch: int | None = None,
        **rest: Any,
    ) -> FetchResponse | None:
        """Fetches partitions (topic, index, offset), which an incremental fetch has changed."""
        topics = [
            FetchTopic(
                self._topic_id(topic),
                [FetchPartition(index, fetch_offset=offset, partition_max_bytes=1 << 20)],
                topic if self.version < 13 else "",
            )
            for topic, index, offset in partitions
        ]
        forgotten = [
            ForgottenTopic(self._topic_id(topic), [index], topic if self.version < 13 else "")
            for topic, index in forget
        ]
        request = FetchRequest(
            session_id=self.session_id,
            session_epoch=self.epoch if epoch is None else epoch,
            topics=topics,
            forgotten_topics_data=forgotten,
            **rest,
        )
        response: FetchResponse | None = self.broker.send(request, self.version, self.connection)
        if response is not None and response.error_code == 0:
            if self.epoch == NEW:
                self.session_id = response.session_id
            if self.session_id:
                self.epoch += 1
        return response

    def _topic_id(self, topic: str) -> UUID:
        if self.version < 13:
            return UUID(int=0)
        known = self.broker.broker.topics.by_name.get(topic)
        return UUID(int=4711) if known is None else known.topic_id


def shown(response: FetchResponse | None) -> dict[int, PartitionData]:
    assert response is not None, "the fetch waits"
    assert response.error_code == 0
    return {one.partition_index: one for topic in response.responses for one in topic.partitions}


def full(*offsets: int) -> list[tuple[str, int, int]]:
    return [("orders", index, offset) for index, offset in enumerate(offsets)]
