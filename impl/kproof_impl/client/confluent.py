"""confluent-kafka's Consumer, for a pool.

Its callbacks run in the thread that polls, within `poll` and `close`.  Poll is asked for one record
at a time: a rebalance then never comes between a record and its dispatch.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from kproof_impl.client.clients import Client, Listener, Polled, refuse_automatic_commits
from kproof_impl.client.errors import ClientMissing, CommitRefused
from kproof_impl.client.tenure import TopicPartition

LOG = logging.getLogger("kproof.client")

AUTOMATIC_COMMITS = "enable.auto.commit"


def confluent_from_config(config: Mapping[str, Any]) -> Client:
    """A client of a new consumer.  Raises `ClientMissing`, `ConfigRefused`."""
    library = _library()
    if str(config.get(AUTOMATIC_COMMITS, False)).lower() == "true":
        raise refuse_automatic_commits(AUTOMATIC_COMMITS)
    consumer = library.Consumer({**config, AUTOMATIC_COMMITS: False})
    return ConfluentClient(consumer, str(config.get("group.id", "")))


def _library() -> Any:
    try:
        import confluent_kafka
    except ImportError as missing:
        raise ClientMissing(
            "the config is one for confluent-kafka, which is not installed: "
            "pip install confluent-kafka"
        ) from missing
    return confluent_kafka


class ConfluentClient:
    """A `Client`; the consumer's own automatic commits must be off."""

    def __init__(self, consumer: Any, group: str = "") -> None:
        self.group = group
        self._library = _library()
        self._consumer = consumer
        codes = self._library.KafkaError
        self._final_codes = {
            codes.TOPIC_AUTHORIZATION_FAILED,
            codes.GROUP_AUTHORIZATION_FAILED,
            codes._AUTO_OFFSET_RESET,
        }
        """Errors of a partition or a group that no waiting cures."""

    def subscribe(self, topics: list[str], listener: Listener) -> None:
        def tell(step: Callable[[Collection[TopicPartition]], None]) -> Callable[..., None]:
            return lambda _, theirs: step([TopicPartition(t.topic, t.partition) for t in theirs])

        self._consumer.subscribe(
            topics,
            on_assign=tell(listener.assigned),
            on_revoke=tell(listener.revoked),
            on_lost=tell(listener.lost),
        )

    def poll(self, timeout_s: float, records_max: int) -> list[Polled]:
        message = self._consumer.poll(timeout_s)
        if message is None:
            return []
        if (error := message.error()) is not None:
            if error.fatal() or error.code() in self._final_codes:
                raise self._library.KafkaException(error)
            if error.code() != self._library.KafkaError._PARTITION_EOF:
                LOG.warning("the consumer goes on after: %s", error)
            return []
        partition = TopicPartition(message.topic(), message.partition())
        return [Polled(partition, message.offset(), message.key(), message)]

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self._consumer.pause([self._library.TopicPartition(*p) for p in partitions])

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self._consumer.resume([self._library.TopicPartition(*p) for p in partitions])

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        asked = [self._library.TopicPartition(*p, offset) for p, offset in offsets.items()]
        try:
            answered = self._consumer.commit(offsets=asked, asynchronous=False)
        except self._library.KafkaException as refused:
            raise CommitRefused(str(refused)) from refused
        refusals = [
            f"{each.topic}-{each.partition}: {each.error}" for each in answered if each.error
        ]
        if refusals:
            raise CommitRefused("; ".join(refusals))

    def close(self) -> None:
        self._consumer.close()
