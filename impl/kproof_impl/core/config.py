"""The settings of a broker, under Kafka's names with underscores; its topics' are `LogConfig`."""

from dataclasses import dataclass, field
from uuid import UUID

from kproof_impl.core.log_config import LogConfig


@dataclass(slots=True)
class BrokerConfig:
    """Times in milliseconds, sizes in bytes.  The defaults are Kafka's, except where said."""

    node_id: int = 1
    cluster_id: str = "kproof"
    advertised_host: str = "127.0.0.1"
    advertised_port: int = 9092
    rack: str | None = None

    num_partitions: int = 1
    default_replication_factor: int = 1
    auto_create_topics_enable: bool = True
    delete_topic_enable: bool = True
    topic_partitions_max: int = 10_000
    """Partitions of one topic; Kafka has no limit, and a typing error makes a million files."""
    partitions_max: int = 50_000
    """Partitions of the broker, for the same reason."""
    log: LogConfig = field(default_factory=LogConfig)
    """What topics have that do not say otherwise."""
    log_retention_check_interval_ms: int = 300_000
    log_cleaner_enable: bool = True
    log_cleaner_backoff_ms: int = 15_000
    """How often compacted logs are looked at, when none was found that is worth a cleaning."""
    log_cleaner_dedupe_buffer_size: int = 128 << 20
    """Memory for the keys of one cleaning; a log with more of them takes several."""
    log_flush_scheduler_interval_ms: int = 1_000
    """Kafka checks only when it is told to; a look at `flush_ms` costs nothing here."""

    group_initial_rebalance_delay_ms: int = 0
    """Kafka waits 3,000 for more members, which makes tests slow."""
    group_min_session_timeout_ms: int = 6_000
    group_max_session_timeout_ms: int = 1_800_000
    group_max_size: int = 10_000
    """Members of one group; Kafka has no limit."""
    offsets_topic_num_partitions: int = 50
    offsets_topic_segment_bytes: int = 1 << 20
    """Kafka has 100 MB; the active segment is not compacted, and read whole at the start."""
    offset_metadata_max_bytes: int = 4_096
    offsets_retention_ms: int = 7 * 24 * 3600 * 1000
    offsets_retention_check_interval_ms: int = 600_000

    fetch_max_bytes: int = 55 << 20
    fetch_answer_bytes: int = 4 << 20
    """A fetch that may have more gets it in parts of this size: while one is answered, all others
    wait."""
    max_incremental_fetch_session_cache_slots: int = 1_000
    min_incremental_fetch_session_eviction_ms: int = 120_000
    producer_id_expiration_ms: int = 86_400_000
    backlog_max: int = 64
    """Requests of one connection that wait behind the one in progress before it is paused."""
    raises: bool = False
    """A fault of the broker's own code is raised, not reported: for tests."""

    internal_topic_ids: dict[str, UUID] = field(default_factory=dict)
