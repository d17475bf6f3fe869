"""Produce requests for tests, and what came back."""

from kproof_impl.messages.produce import (
    PartitionProduceData,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
)

NO_TIMESTAMP = -1


def request_of(
    *parts: tuple[str, int, bytes | None], acks: int = -1, transactional_id: str | None = None
) -> ProduceRequest:
    topics = [
        TopicProduceData(partition_data=[PartitionProduceData(index, data)], name=name)
        for name, index, data in parts
    ]
    return ProduceRequest(transactional_id, acks, 30_000, topics)


def codes(response: ProduceResponse) -> list[int]:
    return [one.error_code for topic in response.responses for one in topic.partition_responses]
