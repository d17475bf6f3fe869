"""What a pool needs of a Kafka client, whichever it is; and which one a user means."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from kproof_impl.client.errors import ConfigRefused
from kproof_impl.client.tenure import TopicPartition


@dataclass(frozen=True, slots=True)
class Polled:
    """A record that poll has returned."""

    partition: TopicPartition
    offset: int
    key: Hashable
    message: Any
    """The client's own object, for the handler."""


def key_of_record(record: Polled, key_of: Callable[[Any], Hashable] | None) -> Hashable:
    """The key that a user says it has, or its own.  Raises `ConfigRefused` if it has no hash."""
    key = record.key if key_of is None else key_of(record.message)
    try:
        hash(key)
    except TypeError as unhashable:
        raise ConfigRefused(
            f"the key of {record.partition} offset {record.offset} is a {type(key).__name__}, "
            "which is not hashable: give key_of"
        ) from unhashable
    return key


class Listener(Protocol):
    """Told of rebalances, within poll or close."""

    def assigned(self, partitions: Collection[TopicPartition]) -> None:
        """These are owned from now on, beside those that were."""

    def revoked(self, partitions: Collection[TopicPartition]) -> None:
        """These are to be given back; they are when this returns.  It may call `commit`."""

    def lost(self, partitions: Collection[TopicPartition]) -> None:
        """These are somebody else's already."""


@runtime_checkable
class Client(Protocol):
    """One consumer, for use by one thread."""

    group: str
    """The group's id, if it is known."""

    def subscribe(self, topics: list[str], listener: Listener) -> None:
        """Joins the group."""

    def poll(self, timeout_s: float, records_max: int) -> list[Polled]:
        """Some records, or none when the time is over.  Raises the client's errors."""

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        """Poll returns no records of these."""

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        """Poll returns their records again."""

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Waits for the coordinator.  Raises `CommitRefused`."""

    def close(self) -> None:
        """Leaves the group."""


def client_of(consumer: Any) -> Client:
    """A client of a consumer, or of a config for one; a client is one already.

    Raises `ClientMissing` if its library is not installed, `ConfigRefused`.
    """
    if isinstance(consumer, Mapping):
        if "bootstrap.servers" in consumer:
            from kproof_impl.client.confluent import confluent_from_config

            return confluent_from_config(consumer)
        if "bootstrap_servers" in consumer:
            from kproof_impl.client.kafka_python import kafka_python_from_config

            return kafka_python_from_config(consumer)
        raise ConfigRefused(
            "the config names no server: give 'bootstrap.servers' for confluent-kafka, or "
            "'bootstrap_servers' for kafka-python"
        )
    module = type(consumer).__module__.split(".")[0]
    if module in ("confluent_kafka", "cimpl"):
        from kproof_impl.client.confluent import ConfluentClient

        return ConfluentClient(consumer)
    if module == "kafka":
        from kproof_impl.client.kafka_python import KafkaPythonClient

        return KafkaPythonClient(consumer)
    if isinstance(consumer, Client):
        return consumer
    raise ConfigRefused(
        f"a {type(consumer).__module__}.{type(consumer).__qualname__} cannot be used: give a "
        "confluent_kafka.Consumer, a kafka.KafkaConsumer, or the config of one"
    )


def refuse_automatic_commits(name: str) -> ConfigRefused:
    """What to say to a config that commits by itself."""
    return ConfigRefused(
        f"{name} is on: it commits what poll has returned, finished or not, so records would be "
        "lost with a crash; turn it off, the pool commits what is finished"
    )
