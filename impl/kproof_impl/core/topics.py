"""The topics of the broker, as its metadata log tells them.

Each change is checked by who asks for it (`create_topics`, `delete_topics`, ...), written to the
metadata log as one batch, durable, and only then seen; what is seen is always the fold of that log.
A crash on the way leaves one of two things, which `load` puts right: a topic in the log without all
its directories, which are made; and directories of a topic that is not in the log, because its
creation or its deletion was cut off, which are deleted.  A creation that was cut off has left no
records: directories with records whose topic the log has never removed are the sign of a metadata
log that has been lost, and the broker does not start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import UUID

from kproof_impl.core import metadata_image as image_of
from kproof_impl.core.config_definitions import parse_log_config, parse_log_defaults
from kproof_impl.core.config_types import ConfigInvalid
from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.metadata_image import MetadataImage, TopicImage
from kproof_impl.core.metadata_log import (
    CLUSTER_METADATA,
    CLUSTER_METADATA_ID,
    MetadataLog,
    MetadataRecord,
)
from kproof_impl.core.observed_log import ObservedLog
from kproof_impl.core.partition import Partition
from kproof_impl.core.ports import PartitionLog
from kproof_impl.core.topic_names import (
    CONSUMER_OFFSETS,
    INTERNAL_TOPICS,
    has_collision_characters,
    unified,
)
from kproof_impl.messages.ids import NO_ID
from kproof_impl.records.errors import LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

__all__ = ["CONSUMER_OFFSETS", "Topic", "Topics"]

SNAPSHOT_RECORDS_MIN = 10_000
"""Below so many records a metadata log is not worth making shorter."""


class Topic:
    """A topic: its partitions by index, the settings it was given, and those in force."""

    __slots__ = ("configs", "is_internal", "log_config", "name", "partitions", "topic_id")

    def __init__(self, name: str, topic_id: UUID, configs: dict[str, str], log_config: LogConfig):
        self.name = name
        self.is_internal = name in INTERNAL_TOPICS
        self.topic_id = topic_id
        self.configs = configs
        self.log_config = log_config
        self.partitions: list[Partition] = []


class Topics:
    """All topics, by name and by id, in the order of their creation."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.by_name: dict[str, Topic] = {}
        self.by_id: dict[UUID, Topic] = {}
        self.partitions_count = 0
        self.broker_configs: dict[str, dict[str, str]] = {}
        """Settings given by requests, by node id as text; "" is all brokers."""
        self.log_defaults = broker.config.log
        """What topics have that do not say otherwise, now."""
        self._next_producer_id = 0
        self._names_with_collisions: dict[str, str] = {}
        self._metadata_log: MetadataLog | None = None

    # -- what there is -------------------------------------------------------------------------

    def partition(self, topic: str, index: int) -> Partition | None:
        """A partition, or None where there is no such one."""
        found = self.by_name.get(topic)
        if found is None or not 0 <= index < len(found.partitions):
            return None
        return found.partitions[index]

    def partition_by_id(self, topic_id: UUID, index: int) -> Partition | None:
        found = self.by_id.get(topic_id)
        if found is None or not 0 <= index < len(found.partitions):
            return None
        return found.partitions[index]

    def all_partitions(self) -> Iterator[Partition]:
        for topic in self.by_name.values():
            yield from topic.partitions

    def has(self, partition: Partition) -> bool:
        """Whether a partition has not been deleted."""
        return self.partition_by_id(partition.topic_id, partition.index) is partition

    def has_committed_offsets(self) -> bool:
        return CONSUMER_OFFSETS in self.by_name

    def name_in_collision(self, name: str) -> str | None:
        """A topic whose name is the same but for dots and underscores, if there is one."""
        if not has_collision_characters(name):
            return None
        return self._names_with_collisions.get(unified(name))

    def image(self) -> MetadataImage:
        """The live state in the form of the fold of the metadata log, to which it is equal."""
        topics = {
            topic.name: TopicImage(
                topic.name,
                topic.topic_id,
                [partition.leader_epoch for partition in topic.partitions],
                dict(topic.configs),
            )
            for topic in self.by_name.values()
        }
        broker_configs = {name: dict(configs) for name, configs in self.broker_configs.items()}
        return MetadataImage(topics, broker_configs, self._next_producer_id)

    def metadata_records(self) -> Iterator[MetadataRecord]:
        """The records of the metadata log: `metadata_image.fold` of them is `image`."""
        return iter(()) if self._metadata_log is None else self._metadata_log.records()

    # -- life ----------------------------------------------------------------------------------

    def load(self) -> None:
        """Reads the metadata log and opens the log of each partition, in a new leader epoch.

        Raises `LogFailed` if the metadata log cannot be read or a log cannot be opened.
        """
        store = self._broker.store
        log = self._metadata_log = MetadataLog(store)
        image = image_of.fold(log.records())
        if image.topics:
            self._commit([image_of.register_broker_record(self._broker.config.node_id)], image)
        self._next_producer_id = image.next_producer_id
        self._delete_strays(image)
        if log.records_count > max(SNAPSHOT_RECORDS_MIN, 2 * image.records_count):
            node_id = self._broker.config.node_id
            log.start_anew(list(image_of.records_of(image, node_id)), self._broker.now_ms)
        try:
            self.broker_configs = image.broker_configs
            self._apply_broker_configs()
            topics = [self._topic(topic) for topic in image.topics.values()]
        except ConfigInvalid as invalid:
            raise LogFailed(
                f"the metadata log has a setting that cannot be, perhaps from a newer version: "
                f"{invalid}"
            ) from invalid
        for topic in topics:
            self._open(topic, image.topics[topic.name].leader_epochs)
            self._add(topic)

    def _delete_strays(self, image: MetadataImage) -> None:
        """Deletes what deletions and creations that were cut off have left."""
        store = self._broker.store
        known = {topic.topic_id: len(topic.leader_epochs) for topic in image.topics.values()}
        orphans: dict[UUID, list[int]] = {}
        for topic_id, partition in list(store.existing()):
            if topic_id == CLUSTER_METADATA_ID or partition < known.get(topic_id, 0):
                continue
            if topic_id not in image.removed:
                log = store.open(topic_id, "", partition, self._broker.config.log)
                if log.log_end_offset > 0:
                    raise LogFailed(
                        f"partition {partition} of topic id {topic_id} in {store.log_dir} ends at "
                        f"offset {log.log_end_offset}, and the metadata log has no such partition: "
                        f"the directory of {CLUSTER_METADATA} is damaged or another's. Bring the "
                        f"right one back, or move the partition's directory away."
                    )
            orphans.setdefault(topic_id, []).append(partition)
        for topic_id, partitions in orphans.items():
            store.delete(topic_id, partitions)

    def _apply_broker_configs(self) -> None:
        node_id = str(self._broker.config.node_id)
        configs = {**self.broker_configs.get("", {}), **self.broker_configs.get(node_id, {})}
        self.log_defaults = parse_log_defaults(configs, self._broker.config.log)

    # -- changes: each in the metadata log before it is seen -----------------------------------

    def create(self, name: str, partitions: int, configs: dict[str, str]) -> Topic:
        """Makes a topic whose name, number and settings have been checked; durable on return.

        Raises `LogFailed` if the disk refuses; then there is no such topic.
        """
        return self.create_all([(name, partitions, configs)])[0]

    def create_all(self, wanted: Sequence[tuple[str, int, Mapping[str, str]]]) -> list[Topic]:
        """Makes several topics, each given by name, partitions and settings: all or none.

        Raises `ConfigInvalid` for settings that were not checked, `LogFailed` for a refusing disk.
        """
        images = [
            TopicImage(name, self._new_topic_id(name), [0] * partitions, dict(configs))
            for name, partitions, configs in wanted
        ]
        node_id = self._broker.config.node_id
        records: list[MetadataRecord] = []
        for image in images:
            records += image_of.topic_records(image, node_id)
        # The logs come first, so that a disk that refuses leaves nothing to be taken back but them.
        topics = [self._topic(image) for image in images]
        try:
            for topic, image in zip(topics, images, strict=True):
                self._open(topic, image.leader_epochs)
            self._commit(records)
        except LogFailed:
            for image in images:
                self._delete_logs(image.topic_id)
            raise
        for topic in topics:
            self._add(topic)
        return topics

    def ensure_internal(self, name: str, partitions: int, configs: dict[str, str]) -> Topic:
        """An internal topic, made if it is not there."""
        return self.by_name.get(name) or self.create(name, partitions, configs)

    def delete(self, topics: Sequence[Topic]) -> None:
        """Deletes topics, all or none; their logs go, and whoever waits for them is answered.

        Raises `LogFailed` if the metadata log refuses; then they are all still there.
        """
        if not topics:
            return
        has_committed_offsets = self.has_committed_offsets()
        self._commit([image_of.remove_topic_record(topic.topic_id) for topic in topics])
        for topic in topics:
            del self.by_name[topic.name]
            del self.by_id[topic.topic_id]
            self.partitions_count -= len(topic.partitions)
            if self._names_with_collisions.get(unified(topic.name)) == topic.name:
                del self._names_with_collisions[unified(topic.name)]
        for topic in topics:
            # What cannot be deleted now is deleted at the next start: it has no record.
            with suppress(LogFailed):
                self._broker.store.delete(topic.topic_id, range(len(topic.partitions)))
            for partition in topic.partitions:
                if isinstance(partition.log, ObservedLog):
                    partition.log.tell_deleted()
                self._broker.waiting_fetches.deleted(partition)
            if has_committed_offsets:
                self._broker.groups.topic_deleted(topic.name)

    def add_partitions(self, wanted: Sequence[tuple[Topic, int]]) -> None:
        """Brings topics to more partitions than they have, all or none.  Raises `LogFailed`."""
        node_id = self._broker.config.node_id
        counts = [len(topic.partitions) for topic, _ in wanted]
        records = [
            image_of.partition_record(topic.topic_id, index, node_id)
            for (topic, count), old in zip(wanted, counts, strict=True)
            for index in range(old, count)
        ]
        try:
            added = [
                [self._partition(topic, index, 0) for index in range(old, count)]
                for (topic, count), old in zip(wanted, counts, strict=True)
            ]
            self._commit(records)
        except LogFailed:
            for (topic, _), old in zip(wanted, counts, strict=True):
                self._delete_logs(topic.topic_id, old)
            raise
        for (topic, _), partitions in zip(wanted, added, strict=True):
            topic.partitions += partitions
            self.partitions_count += len(partitions)

    def set_configs(self, topic: Topic, changes: Mapping[str, str | None]) -> None:
        """Gives a topic settings, or takes them back where None; they hold from now on.

        They have been checked: raises `LogFailed` only.
        """
        if not changes:
            return
        self._commit(
            [
                image_of.config_record(image_of.TOPIC_RESOURCE, topic.name, name, value)
                for name, value in changes.items()
            ]
        )
        topic.configs = _changed(topic.configs, changes)
        self._configure(topic)

    def set_broker_configs(self, resource: str, changes: Mapping[str, str | None]) -> None:
        """Gives a broker, or all for "", settings; they have been checked.  Raises `LogFailed`."""
        if not changes:
            return
        self._commit(
            [
                image_of.config_record(image_of.BROKER_RESOURCE, resource, name, value)
                for name, value in changes.items()
            ]
        )
        configs = _changed(self.broker_configs.get(resource, {}), changes)
        if configs:
            self.broker_configs[resource] = configs
        else:
            self.broker_configs.pop(resource, None)
        self._apply_broker_configs()
        for topic in self.by_name.values():
            self._configure(topic)

    def reserve_producer_ids(self, count: int) -> int:
        """The first of `count` ids that no producer has had or will have.  Raises `LogFailed`."""
        first = self._next_producer_id
        node_id = self._broker.config.node_id
        self._commit([image_of.producer_ids_record(node_id, first + count)])
        self._next_producer_id = first + count
        return first

    def tick(self, now_ms: int) -> None:
        """What each log does as time goes by, the metadata log's own too."""
        if self._metadata_log is not None:
            self._metadata_log.tick(now_ms)
        for partition in self.all_partitions():
            partition.log.tick(now_ms)

    # -- parts ---------------------------------------------------------------------------------

    def _commit(self, records: list[MetadataRecord], image: MetadataImage | None = None) -> None:
        if self._metadata_log is None:
            raise RuntimeError("The topics were changed before they were loaded.")
        self._metadata_log.append(records, self._broker.now_ms)
        if image is not None:
            for record in records:
                image.apply(record)

    def _new_topic_id(self, name: str) -> UUID:
        given = self._broker.config.internal_topic_ids.get(name)
        if given is not None:
            return given
        while True:
            topic_id = self._broker.identifiers.topic_id()
            if topic_id not in (NO_ID, CLUSTER_METADATA_ID) and topic_id not in self.by_id:
                return topic_id

    def _topic(self, image: TopicImage) -> Topic:
        """The topic of an image, still without partitions."""
        log_config = parse_log_config(image.configs, self.log_defaults, is_range_checked=False)
        return Topic(image.name, image.topic_id, dict(image.configs), log_config)

    def _open(self, topic: Topic, leader_epochs: Sequence[int]) -> None:
        for index, leader_epoch in enumerate(leader_epochs):
            topic.partitions.append(self._partition(topic, index, leader_epoch))

    def _partition(self, topic: Topic, index: int, leader_epoch: int) -> Partition:
        store = self._broker.store
        log: PartitionLog = store.open(topic.topic_id, topic.name, index, topic.log_config)
        if self._broker.observe is not None:
            subject = f"{topic.topic_id}-{index}"
            is_of_groups = topic.name == CONSUMER_OFFSETS
            tell = self._broker.tell
            log = ObservedLog(log, topic.log_config, subject, tell, is_of_groups=is_of_groups)
        log.begin_epoch(leader_epoch)
        return Partition(topic.name, topic.topic_id, index, log, leader_epoch)

    def _add(self, topic: Topic) -> None:
        self.by_name[topic.name] = topic
        self.by_id[topic.topic_id] = topic
        self.partitions_count += len(topic.partitions)
        if has_collision_characters(topic.name):
            self._names_with_collisions[unified(topic.name)] = topic.name

    def _configure(self, topic: Topic) -> None:
        topic.log_config = parse_log_config(
            topic.configs, self.log_defaults, is_range_checked=False
        )
        for partition in topic.partitions:
            partition.log.configure(topic.log_config)

    def _delete_logs(self, topic_id: UUID, first: int = 0) -> None:
        """Takes back logs that were opened for a change which then failed."""
        store = self._broker.store
        opened = [index for existing, index in store.existing() if existing == topic_id]
        with suppress(LogFailed):
            store.delete(topic_id, [index for index in opened if index >= first])


def _changed(configs: Mapping[str, str], changes: Mapping[str, str | None]) -> dict[str, str]:
    changed = dict(configs)
    for name, value in changes.items():
        if value is None:
            changed.pop(name, None)
        else:
            changed[name] = value
    return changed
