"""What an administrator asks, request by request: for this broker and for Kafka.

Most of it is wrong in some way, each in one way.  The broker should be new, or have no topics whose
names begin with `story-`; `num.partitions` is 4.
"""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from impl_support.config_requests import APPEND, BROKER, DELETE, LOGGER, SET, SUBTRACT, TOPIC
from kproof_impl.messages import alter_configs as replacing
from kproof_impl.messages import incremental_alter_configs as changing
from kproof_impl.messages.api_versions import ApiVersionsRequest
from kproof_impl.messages.create_partitions import (
    CreatePartitionsAssignment,
    CreatePartitionsRequest,
    CreatePartitionsTopic,
)
from kproof_impl.messages.create_topics import (
    CreatableReplicaAssignment,
    CreatableTopic,
    CreatableTopicConfig,
    CreateTopicsRequest,
)
from kproof_impl.messages.delete_topics import DeleteTopicsRequest, DeleteTopicState
from kproof_impl.messages.describe_cluster import DescribeClusterRequest
from kproof_impl.messages.describe_configs import DescribeConfigsRequest, DescribeConfigsResource
from kproof_impl.messages.describe_log_dirs import DescribableLogDirTopic, DescribeLogDirsRequest
from kproof_impl.messages.describe_topic_partitions import (
    Cursor,
    DescribeTopicPartitionsRequest,
    TopicRequest,
)
from kproof_impl.messages.metadata import MetadataRequest, MetadataRequestTopic

TIMEOUT_MS = 30_000
NO_TOPIC = UUID(int=99)
PREFIX = "story-"

Step = tuple[str, int, object]
"""What is tried, the request's version, and the request."""


def _new(
    name: str,
    partitions: int = 1,
    replicas: int = 1,
    assigned: Sequence[tuple[int, Sequence[int]]] = (),
    **configs: str | None,
) -> CreatableTopic:
    return CreatableTopic(
        PREFIX + name,
        partitions,
        replicas,
        [CreatableReplicaAssignment(index, nodes) for index, nodes in assigned],
        [CreatableTopicConfig(key.replace("_", "."), value) for key, value in configs.items()],
    )


def _creations() -> list[Step]:
    bad_settings: list[dict[str, str | None]] = [
        {"no_such": "1"},
        {"retention_ms": "-2"},
        {"retention_ms": None},
        {"cleanup_policy": "keep"},
        {"segment_bytes": "1000"},
        {"segment_bytes": str(1 << 31)},
        {"remote_storage_enable": "true"},
        {"min_compaction_lag_ms": "9", "max_compaction_lag_ms": "8"},
        {"flush_ms": ""},
        {"preallocate": "yes"},
        {"min_cleanable_dirty_ratio": "1.5"},
        {"leader_replication_throttled_replicas": "x"},
        {"message_timestamp_difference_max_ms": "5"},
        {"message_downconversion_enable": "true"},
        {"compression_type": "brotli"},
        {"compression_gzip_level": "0"},
        {"compression_zstd_level": "23"},
        {"segment_ms": "0"},
    ]
    good_settings = [
        {"cleanup_policy": ""},
        {"cleanup_policy": "delete,delete"},
        {"min_insync_replicas": "2"},
        {"retention_bytes": "-5"},
        {"compression_gzip_level": "-1"},
        {"preallocate": " TRUE "},
    ]
    shapes = [
        _new("default.name", -1, -1),
        _new("zero", 0),
        _new("negative", -2),
        _new("two-replicas", 1, 2),
        _new("no-replicas", 1, 0),
        _new("by-hand", -1, -1, [(0, [1]), (1, [1])]),
        _new("unknown-node", -1, -1, [(0, [2])]),
        _new("gap", -1, -1, [(1, [1])]),
        _new("both", 1, -1, [(0, [1])]),
        _new("nobody", -1, -1, [(0, [])]),
        _new("twice-the-node", -1, -1, [(0, [1, 1])]),
        _new("twice-the-index", -1, -1, [(0, [1]), (0, [1])]),
        _new("has a blank"),
    ]
    names = [CreatableTopic(name, 1, 1) for name in ("", "..", "x" * 250, "__cluster_metadata")]
    settings = [
        _new(f"setting-{number}", **configs)  # type: ignore[arg-type] # Only settings are named.
        for number, configs in enumerate([*bad_settings, *good_settings])
    ]
    again = [_new("a"), _new("default_name"), _new("dup"), _new("dup"), _new("x.y"), _new("x_y")]
    return [
        ("a topic", 7, CreateTopicsRequest([_new("a", 3, retention_ms="77")], TIMEOUT_MS)),
        ("shapes", 7, CreateTopicsRequest(shapes, TIMEOUT_MS)),
        ("names", 7, CreateTopicsRequest(names, TIMEOUT_MS)),
        ("settings", 7, CreateTopicsRequest(settings, TIMEOUT_MS)),
        ("once more", 7, CreateTopicsRequest(again, TIMEOUT_MS)),
        ("validation", 7, CreateTopicsRequest([_new("v", 3), _new("a")], TIMEOUT_MS, True)),
    ]


def _asked(*names: str) -> list[MetadataRequestTopic]:
    return [MetadataRequestTopic(name=name) for name in names]


def _lookups() -> list[Step]:
    def page(names: Sequence[str], cursor: Cursor | None = None) -> DescribeTopicPartitionsRequest:
        return DescribeTopicPartitionsRequest([TopicRequest(name) for name in names], 2, cursor)

    a, by_hand, none = PREFIX + "a", PREFIX + "by-hand", PREFIX + "none"
    no_id = MetadataRequest([MetadataRequestTopic(NO_TOPIC, None)])
    id_too_early = MetadataRequest([MetadataRequestTopic(NO_TOPIC, "x")])
    return [
        ("metadata", 13, MetadataRequest(_asked(a, none, "a b", ".."), False, True)),
        ("metadata of nothing", 8, MetadataRequest([], False, True, True)),
        ("metadata by id", 13, no_id),
        ("metadata by id too early", 11, id_too_early),
        ("the cluster", 2, DescribeClusterRequest(True)),
        ("the controllers", 2, DescribeClusterRequest(False, 2)),
        ("unknown endpoints", 1, DescribeClusterRequest(False, 9)),
        ("the first page", 0, page([a, by_hand, none, "a b"])),
        ("the next page", 0, page([a, by_hand], Cursor(a, 2))),
        ("a page of others", 0, page([a, by_hand], Cursor("zzz", 2))),
        ("a page before the first", 0, page([a, by_hand], Cursor(a, -1))),
        ("bad software", 4, ApiVersionsRequest("-a", "1")),
        (
            "directories",
            1,
            DescribeLogDirsRequest(
                [DescribableLogDirTopic(a, [0, 1, 9]), DescribableLogDirTopic(none, [0])]
            ),
        ),
    ]


def _growth() -> list[Step]:
    def grown(
        name: str, count: int, assigned: Sequence[Sequence[int]] | None = None
    ) -> CreatePartitionsTopic:
        nodes = None if assigned is None else [CreatePartitionsAssignment(one) for one in assigned]
        return CreatePartitionsTopic(PREFIX + name, count, nodes)

    first = [
        grown("a", 5),
        grown("by-hand", 2),
        grown("default.name", 1),
        grown("none", 3),
        grown("x.y", 3, [[1]]),
        grown("x_y", 3, [[1], [2]]),
        grown("setting-18", 3, [[1], [1, 1]]),
        grown("setting-19", 0),
        grown("setting-20", 3, [[1], [1]]),
    ]
    second = [grown("a", 6), grown("a", 7), grown("x.y", 3, [])]
    return [
        ("partitions", 3, CreatePartitionsRequest(first, TIMEOUT_MS)),
        ("partitions twice", 3, CreatePartitionsRequest(second, TIMEOUT_MS)),
        ("a validation", 3, CreatePartitionsRequest([grown("a", 6)], TIMEOUT_MS, True)),
    ]


def _changes() -> list[Step]:
    def change(name: str, *each: tuple[str, int, str | None], kind: int = TOPIC) -> object:
        alterations = [changing.AlterableConfig(*one) for one in each]
        return changing.AlterConfigsResource(kind, name, alterations)

    def incremental(*resources: object, validate_only: bool = False) -> object:
        return changing.IncrementalAlterConfigsRequest(resources, validate_only)  # type: ignore[arg-type] # As made above.

    def replace(name: str, kind: int = TOPIC, **configs: str | None) -> object:
        new = [replacing.AlterableConfig(key.replace("_", "."), v) for key, v in configs.items()]
        return replacing.AlterConfigsResource(kind, name, new)

    def shown(*names: str, keys: Sequence[str] | None = None, kind: int = TOPIC) -> object:
        resources = [DescribeConfigsResource(kind, name, keys) for name in names]
        return DescribeConfigsRequest(resources, True)

    a, by_hand, dotted, none = (PREFIX + name for name in ("a", "by-hand", "x.y", "none"))
    legacy = [
        replace(a, flush_ms="5"),
        replace(none, compression_type="lz4"),
        replace(by_hand, no_such="5"),
        replace(dotted, flush_ms=None),
        replace("1", LOGGER, x="5"),
        replace("1", BROKER, num_partitions="5"),
    ]
    some = ["retention.ms", "cleanup.policy", "flush.messages", "no.such"]
    return [
        ("settings of a topic", 4, shown(a)),
        ("some settings", 4, shown(a, none, "a b", "", keys=some)),
        ("settings of other brokers", 4, shown("7", "x", kind=BROKER)),
        (
            "changes",
            1,
            incremental(
                change(a, ("cleanup.policy", APPEND, "compact"), ("retention.ms", DELETE, None)),
                change(by_hand, ("retention.ms", APPEND, "1")),
                change(dotted, ("flush.ms", SET, None)),
                change(none, ("flush.ms", SET, "5")),
                change(PREFIX + "none-2", ("no.such", SET, "5")),
                change(PREFIX + "x_y", ("no.such", SET, "5")),
                change(PREFIX + "setting-18", ("flush.ms", SET, "5"), ("flush.ms", SET, "6")),
                change(PREFIX + "setting-19", ("no.such", DELETE, None)),
                change(PREFIX + "setting-20", ("cleanup.policy", SUBTRACT, "delete")),
                change("", ("flush.ms", SET, "5")),
                change("a b", ("flush.ms", SET, "5")),
            ),
        ),
        (
            "changes of brokers",
            1,
            incremental(
                change("7", ("log.retention.ms", SET, "5"), kind=BROKER),
                change("x", ("log.retention.ms", SET, "5"), kind=BROKER),
                change("1", ("log.retention.hours", SET, "5"), kind=BROKER),
                change("", ("num.partitions", SET, "5"), kind=BROKER),
                change("q", ("x", SET, "5"), kind=3),
                validate_only=True,
            ),
        ),
        (
            "a bad value for a broker",
            1,
            incremental(change("1", ("log.retention.ms", SET, "soon"), kind=BROKER)),
        ),
        ("a resource twice", 1, incremental(change(a, ("flush.ms", SET, "5")), change(a))),
        ("settings after changes", 4, shown(a, by_hand, keys=some)),
        ("replacements", 2, replacing.AlterConfigsRequest(legacy)),  # type: ignore[arg-type] # As made above.
        ("settings after replacements", 4, shown(a, keys=some)),
    ]


def _deletions() -> list[Step]:
    states = [
        DeleteTopicState(PREFIX + "a"),
        DeleteTopicState(PREFIX + "none"),
        DeleteTopicState(None, NO_TOPIC),
        DeleteTopicState(PREFIX + "by-hand", NO_TOPIC),
        DeleteTopicState(PREFIX + "x.y"),
        DeleteTopicState(PREFIX + "x.y"),
        DeleteTopicState(""),
    ]
    return [
        ("deletions", 6, DeleteTopicsRequest(states, TIMEOUT_MS)),
        ("nothing to delete", 6, DeleteTopicsRequest([DeleteTopicState(None)], TIMEOUT_MS)),
        ("what is left", 13, MetadataRequest(_asked(PREFIX + "a", PREFIX + "x.y"), False)),
    ]


def story() -> list[Step]:
    """The requests in their order."""
    return [*_creations(), *_lookups(), *_growth(), *_changes(), *_deletions()]
