"""Kafka's own tool reads a log that our cleaner has written: gaps, empty batches, horizons."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from impl_support.compacted import COMPACTED, clean, put, records
from impl_support.dump_tool import dump, fetched_tool
from impl_support.logs import TOPIC
from kproof_impl.storage.log_store import FileLogStore
from kproof_impl.storage.names import directory_name
from kproof_impl.storage.real_files import RealFiles

pytestmark = [pytest.mark.interop, pytest.mark.heavy]


def test_the_tool_of_kafka_reads_a_compacted_log_as_we_do(tmp_path: Path) -> None:
    libraries = fetched_tool()
    store = FileLogStore(RealFiles(), str(tmp_path))
    log = store.open(TOPIC, "states", 0, COMPACTED)
    for number in range(60):
        pairs = [(f"k{(number + i) % 7}", f"v{number}" if i else None) for i in range(3)]
        put(log, *pairs, codec=number % 5, producer=(number % 2, 3 * (number // 2)))
    log.flush()
    clean(log)
    left = records(log)
    store.close()
    folder = tmp_path / directory_name(TOPIC, 0)

    text = dump(libraries, sorted(folder.glob("*.log")), "--deep-iteration", "--print-data-log")
    found = re.findall(r"^\| offset: (\d+) CreateTime: (\d+) .*key: (\S+)", text, re.MULTILINE)
    assert found == [
        (str(record.offset), str(record.timestamp_ms), (record.key or b"").decode())
        for record in left
    ]
    assert "isvalid: false" not in text
    assert "deleteHorizonMs: OptionalLong[" in text

    text = dump(libraries, sorted(folder.glob("*index")), "--verify-index-only")
    assert "Mismatches" not in text
