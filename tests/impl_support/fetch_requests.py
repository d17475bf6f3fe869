"""Fetch requests for tests, and what came back."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from impl_support.batches import batch
from impl_support.stepping import START_MS, Stepper
from kproof_impl.messages.fetch import (
    FetchPartition,
    FetchRequest,
    FetchResponse,
    FetchTopic,
    PartitionData,
)
from kproof_impl.messages.ids import NO_ID

NAMES_MAX = 12
"""The last version that names topics."""


def wanted(
    partition: int = 0, offset: int = 0, max_bytes: int = 1 << 20, **rest: Any
) -> FetchPartition:
    return FetchPartition(partition, fetch_offset=offset, partition_max_bytes=max_bytes, **rest)


def request_of(
    *partitions: FetchPartition, topic: str = "orders", topic_id: UUID = NO_ID, **rest: Any
) -> FetchRequest:
    return FetchRequest(topics=[FetchTopic(topic_id, partitions, topic)], **rest)


def found(response: FetchResponse | None) -> list[PartitionData]:
    assert response is not None, "the fetch waits"
    assert response.error_code == 0
    return [one for topic in response.responses for one in topic.partitions]


def one(response: FetchResponse | None) -> PartitionData:
    (only,) = found(response)
    return only


def filled(broker: Stepper, partitions: Sequence[int] = (0,), batches: int = 4) -> int:
    """Batches of one size in some partitions; returns the size."""
    for partition in partitions:
        for number in range(batches):
            broker.produce("orders", b"%090d" % number, partition=partition)
    return len(batch(b"%090d" % 0, timestamp_ms=START_MS))
