"""Kafka's own tool reads our files: batches of every codec, indexes, producer snapshots."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from impl_support.dump_tool import dump, fetched_tool
from impl_support.logs import TOPIC, append, batch_of_size
from kproof_impl.core.log_config import LogConfig
from kproof_impl.storage.log_store import FileLogStore
from kproof_impl.storage.names import directory_name
from kproof_impl.storage.real_files import RealFiles

BATCHES = 40
RECORDS = 3

pytestmark = [pytest.mark.interop, pytest.mark.heavy]


@pytest.fixture(scope="module")
def libraries() -> Path:
    """The folder of the tool and what it needs."""
    return fetched_tool()


@pytest.fixture(scope="module")
def log_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed log of two segments, with a producer, four epochs and all codecs in turn."""
    place = tmp_path_factory.mktemp("data")
    store = FileLogStore(RealFiles(), str(place))
    config = LogConfig(segment_bytes=4000, index_interval_bytes=300)
    log = store.open(TOPIC, "orders", 0, config)
    for i in range(BATCHES):
        batch = batch_of_size(
            RECORDS,
            codec=i % 5,
            timestamp_ms=1000 + 10 * i,
            value=b"value" * 5,
            producer_id=7,
            producer_epoch=1,
            base_sequence=RECORDS * i,
        )
        append(log, batch, leader_epoch=i // 10)
    store.close()
    return place / directory_name(TOPIC, 0)


def test_every_record_of_every_codec_is_printed_as_it_was_sent(
    libraries: Path, log_directory: Path
) -> None:
    text = dump(
        libraries, sorted(log_directory.glob("*.log")), "--deep-iteration", "--print-data-log"
    )
    records = re.findall(
        r"^\| offset: (\d+) CreateTime: (\d+) .*sequence: (\d+) .*key: (\S+) payload: (\S+)$",
        text,
        re.MULTILINE,
    )
    assert records == [
        (
            str(RECORDS * i + j),
            str(1000 + 10 * i + j),
            str(RECORDS * i + j),
            f"k{j}",
            "value" * 5 + str(j),
        )
        for i in range(BATCHES)
        for j in range(RECORDS)
    ]
    batches = re.findall(r"partitionLeaderEpoch: (\d+) .*isvalid: (\w+)", text)
    assert batches == [(str(i // 10), "true") for i in range(BATCHES)]


def test_the_indexes_agree_with_the_log(libraries: Path, log_directory: Path) -> None:
    indexes = sorted(log_directory.glob("*index"))
    assert len(indexes) == 4

    text = dump(libraries, indexes, "--index-sanity-check")
    assert text.count("passed sanity check.") == 4

    text = dump(libraries, indexes, "--verify-index-only")
    assert "Mismatches" not in text
    assert "Found" not in text
    assert "not found" not in text


def test_the_tool_would_find_a_wrong_index(
    libraries: Path, log_directory: Path, tmp_path: Path
) -> None:
    for path in log_directory.glob(f"{0:020d}.*"):
        shutil.copy(path, tmp_path)
    index = tmp_path / f"{0:020d}.index"
    data = bytearray(index.read_bytes())
    data[3] += 1
    index.write_bytes(data)

    assert "Mismatches" in dump(libraries, [index], "--verify-index-only")


def test_the_snapshots_tell_the_producer_and_its_last_batch(
    libraries: Path, log_directory: Path
) -> None:
    snapshots = sorted(log_directory.glob("*.snapshot"))
    text = dump(libraries, snapshots)
    last = RECORDS * BATCHES - 1
    assert text.count("producerId: 7 producerEpoch: 1") == len(snapshots) == 2
    assert f"lastSequence: {last} lastOffset: {last} offsetDelta: {RECORDS - 1}" in text
