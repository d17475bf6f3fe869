"""The small files of a log directory, in Kafka's formats.

| file | content |
|---|---|
| meta.properties | version, cluster id, node id, directory id |
| recovery-point-offset-checkpoint | of each partition, up to where its log is forced to the disk |
| log-start-offset-checkpoint | of each partition, where it starts, if that is inside a segment |
| cleaner-offset-checkpoint | of each partition, up to where its log has been cleaned |
| replication-offset-checkpoint | of each partition, its high watermark |
| .kafka_cleanshutdown | is there if the broker closed its logs |
| partition.metadata | in each partition's directory: the topic's id |

A checkpoint is text: a version line `0`, a line with the number of entries, and a line for each:
`topic partition offset`.  Where Kafka writes the name of the topic, we write its id, which is also
what the directory is named by.  A damaged checkpoint counts as none: the logs are then recovered
from their start.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from uuid import UUID

from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.files import Files
from kproof_impl.storage.names import id_text

RECOVERY_POINTS = "recovery-point-offset-checkpoint"
LOG_STARTS = "log-start-offset-checkpoint"
CLEANED_ENDS = "cleaner-offset-checkpoint"
HIGH_WATERMARKS = "replication-offset-checkpoint"
META_PROPERTIES = "meta.properties"
CLEAN_SHUTDOWN = ".kafka_cleanshutdown"
PARTITION_METADATA = "partition.metadata"

CLEAN_SHUTDOWN_TEXT = '{"version":0,"brokerEpoch":-1}'

PartitionName = tuple[str, int]
"""A topic as the directory names it, and the number of the partition."""


def checkpoint_text(rows: Iterable[tuple[object, ...]]) -> bytes:
    """Version 0, the count, the rows."""
    lines = [" ".join(map(str, row)) for row in rows]
    return "\n".join(("0", str(len(lines)), *lines, "")).encode()


def checkpoint_rows(data: bytes, columns: int) -> list[list[str]] | None:
    """The rows of a checkpoint; `None` if it is damaged."""
    try:
        version, count, *lines = data.decode("ascii").splitlines()
        rows = [line.split(" ") for line in lines]
        if int(version) != 0 or int(count) != len(rows):
            return None
    except ValueError:
        return None
    return rows if all(len(row) == columns for row in rows) else None


def write_offsets(files: Files, path: str, offsets: Mapping[PartitionName, int]) -> None:
    rows = ((topic, partition, offset) for (topic, partition), offset in sorted(offsets.items()))
    files.replace(path, checkpoint_text(rows))


def read_offsets(files: Files, path: str) -> dict[PartitionName, int]:
    """Nothing, if the file is not there or damaged."""
    if files.size(path) < 0:
        return {}
    rows = checkpoint_rows(files.read_all(path), 3)
    try:
        return {(topic, int(number)): int(offset) for topic, number, offset in rows or ()}
    except ValueError:
        return {}


def partition_metadata_text(topic_id: UUID, topic: str) -> bytes:
    """Kafka's two lines, and the name of the topic for people."""
    return f"version: 0\ntopic_id: {id_text(topic_id)}\ntopic: {topic!a}\n".encode()


def check_meta_properties(files: Files, directory: str, cluster_id: str, node_id: int) -> None:
    """Writes `meta.properties` if it is not there.

    Raises `LogFailed` if it belongs to another cluster or node.
    """
    path = f"{directory}/{META_PROPERTIES}"
    wanted = {"node.id": str(node_id), "cluster.id": cluster_id}
    if files.size(path) < 0:
        text = (
            f"#\nnode.id={node_id}\ndirectory.id={directory_id(cluster_id, node_id)}\n"
            f"version=1\ncluster.id={cluster_id}\n"
        )
        files.replace(path, text.encode())
        return
    found = read_properties(files.read_all(path))
    for key, value in wanted.items():
        if found.get(key) != value:
            raise LogFailed(
                f"{path} has {key}={found.get(key, '')} and this broker has {value}: "
                "give it a directory of its own, or start the broker that this one belongs to."
            )


def read_properties(data: bytes) -> dict[str, str]:
    """The keys and values of a Java properties file as plain as ours."""
    lines = data.decode("utf-8", "replace").splitlines()
    pairs = (line.partition("=") for line in lines if not line.startswith("#"))
    return {key.strip(): value.strip() for key, _, value in pairs}


def directory_id(cluster_id: str, node_id: int) -> str:
    """An id for the directory that depends on nothing but its owner."""
    digest = sha256(f"{cluster_id}/{node_id}".encode()).digest()
    return id_text(UUID(bytes=digest[:16], version=4))
