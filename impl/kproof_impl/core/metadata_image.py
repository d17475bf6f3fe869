"""What the metadata log says: the fold of its records, and nothing else.

The broker's live state is compared with this in tests after any sequence of changes: they are
always equal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from kproof_impl.core.metadata_log import MetadataRecord
from kproof_impl.records.errors import LogFailed

TOPIC_RESOURCE = 2
BROKER_RESOURCE = 4
"""Kafka's numbers for what a ConfigRecord is about (`ConfigResource.Type`)."""


@dataclass(slots=True)
class TopicImage:
    """A topic: its id, the leader epoch of each partition by index, its own settings."""

    name: str
    topic_id: UUID
    leader_epochs: list[int] = field(default_factory=list)
    configs: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class MetadataImage:
    """Topics by name, in the order of their creation; settings of brokers by node id.

    The settings of all brokers have the name "", as in requests; `next_producer_id` is the first
    that no producer has been given.
    """

    topics: dict[str, TopicImage] = field(default_factory=dict)
    broker_configs: dict[str, dict[str, str]] = field(default_factory=dict)
    next_producer_id: int = 0
    removed: set[UUID] = field(default_factory=set, repr=False, compare=False)
    """The ids of topics that were there once, as far as the log tells."""
    _names: dict[UUID, str] = field(default_factory=dict, repr=False, compare=False)

    @property
    def records_count(self) -> int:
        """About how many records say the same."""
        count = 1 + sum(len(configs) for configs in self.broker_configs.values())
        for topic in self.topics.values():
            count += 1 + len(topic.leader_epochs) + len(topic.configs)
        return count

    def apply(self, record: MetadataRecord) -> None:
        """One record.  Raises `LogFailed` for one that does not fit what was before it."""
        try:
            self._apply(record)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise LogFailed(
                f"the metadata log has a record that does not fit those before it: {record} "
                f"({type(error).__name__}: {error})"
            ) from error

    def _apply(self, record: MetadataRecord) -> None:
        match record["type"]:
            case "TopicRecord":
                topic_id = UUID(record["topicId"])
                name = record["name"]
                if name in self.topics:
                    raise ValueError(f"topic {name} is there already")
                self.topics[name] = TopicImage(name, topic_id)
                self._names[topic_id] = name
            case "PartitionRecord":
                leader_epochs = self._topic(record).leader_epochs
                if record["partitionId"] != len(leader_epochs):
                    raise ValueError(f"partition {len(leader_epochs)} should come next")
                leader_epochs.append(record["leaderEpoch"])
            case "RemoveTopicRecord":
                topic_id = UUID(record["topicId"])
                del self.topics[self._names.pop(topic_id)]
                self.removed.add(topic_id)
            case "ConfigRecord":
                self._apply_config(record)
            case "RegisterBrokerRecord":
                # A new life of the only broker: it is elected leader of all its partitions anew.
                for topic in self.topics.values():
                    topic.leader_epochs = [epoch + 1 for epoch in topic.leader_epochs]
            case "ProducerIdsRecord":
                self.next_producer_id = record["nextProducerId"]
            case "SnapshotHeaderRecord":
                self.topics.clear()
                self.broker_configs.clear()
                self._names.clear()
                self.next_producer_id = 0
            case _:
                raise ValueError("no such type")

    def _topic(self, record: MetadataRecord) -> TopicImage:
        return self.topics[self._names[UUID(record["topicId"])]]

    def _apply_config(self, record: MetadataRecord) -> None:
        resource = record["resourceName"]
        if record["resourceType"] == TOPIC_RESOURCE:
            configs = self.topics[resource].configs
        elif record["resourceType"] == BROKER_RESOURCE:
            configs = self.broker_configs.setdefault(resource, {})
        else:
            raise ValueError("no such type of resource")
        if record["value"] is None:
            configs.pop(record["name"], None)
        else:
            configs[record["name"]] = record["value"]
        if record["resourceType"] == BROKER_RESOURCE and not configs:
            del self.broker_configs[resource]


def fold(records: Iterable[MetadataRecord]) -> MetadataImage:
    """What the records say, together.  Raises `LogFailed` where they contradict each other."""
    image = MetadataImage()
    for record in records:
        image.apply(record)
    return image


# -- the records -----------------------------------------------------------------------------------


def topic_records(topic: TopicImage, node_id: int) -> Iterator[MetadataRecord]:
    """A topic in the order that Kafka writes it: itself, its settings, its partitions."""
    yield {"type": "TopicRecord", "name": topic.name, "topicId": str(topic.topic_id)}
    for name, value in topic.configs.items():
        yield config_record(TOPIC_RESOURCE, topic.name, name, value)
    for partition, leader_epoch in enumerate(topic.leader_epochs):
        yield partition_record(topic.topic_id, partition, node_id, leader_epoch)


def partition_record(
    topic_id: UUID, partition: int, node_id: int, leader_epoch: int = 0
) -> MetadataRecord:
    return {
        "type": "PartitionRecord",
        "partitionId": partition,
        "topicId": str(topic_id),
        "replicas": [node_id],
        "isr": [node_id],
        "leader": node_id,
        "leaderEpoch": leader_epoch,
    }


def remove_topic_record(topic_id: UUID) -> MetadataRecord:
    return {"type": "RemoveTopicRecord", "topicId": str(topic_id)}


def config_record(
    resource_type: int, resource: str, name: str, value: str | None
) -> MetadataRecord:
    """A setting; its value None: the setting is taken back."""
    return {
        "type": "ConfigRecord",
        "resourceType": resource_type,
        "resourceName": resource,
        "name": name,
        "value": value,
    }


def register_broker_record(node_id: int) -> MetadataRecord:
    """A life of the broker begins; each partition's leader epoch rises by one.

    Kafka writes a record for each partition; with one broker all follow from this one.
    """
    return {"type": "RegisterBrokerRecord", "brokerId": node_id}


def producer_ids_record(node_id: int, next_producer_id: int) -> MetadataRecord:
    return {
        "type": "ProducerIdsRecord",
        "brokerId": node_id,
        "brokerEpoch": 0,
        "nextProducerId": next_producer_id,
    }


def records_of(image: MetadataImage, node_id: int) -> Iterator[MetadataRecord]:
    """The shortest log that says the same, for a log that begins with it or goes on with it."""
    yield {"type": "SnapshotHeaderRecord"}
    for topic in image.topics.values():
        yield from topic_records(topic, node_id)
    for resource, configs in image.broker_configs.items():
        for name, value in configs.items():
            yield config_record(BROKER_RESOURCE, resource, name, value)
    yield producer_ids_record(node_id, image.next_producer_id)
