"""Kafka's own tool decodes what is in `__consumer_offsets`."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from impl_support.group_members import Consumer, grouped, settle
from impl_support.maven import fetched_libraries
from kproof_impl.core.topics import CONSUMER_OFFSETS
from kproof_impl.messages.delete_groups import DeleteGroupsRequest
from kproof_impl.storage.log_store import FileLogStore
from kproof_impl.storage.names import directory_name
from kproof_impl.storage.real_files import RealFiles

POM = Path(__file__).resolve().parents[2] / "storage" / "java" / "pom.xml"
SECONDS = 60

pytestmark = [pytest.mark.interop, pytest.mark.heavy]


@pytest.fixture
def decode() -> Any:
    """A function from the paths of segments to the keys and payloads in them."""
    libraries = fetched_libraries(POM, "dump-log-segments", "kafka_2.13-*.jar")

    def run(files: list[Path]) -> list[tuple[Any, Any]]:
        tool = ["java", "-cp", f"{libraries}/*", "kafka.tools.DumpLogSegments"]
        done = subprocess.run(
            [*tool, "--offsets-decoder", "--files", ",".join(map(str, files))],
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        lines = re.findall(r" key: (\{.*?\}\}) payload: (.*)$", done.stdout, re.MULTILINE)
        return [
            (json.loads(key), None if payload == "<DELETE>" else json.loads(payload))
            for key, payload in lines
        ]

    return run


def test_kafkas_tool_decodes_groups_offsets_and_tombstones(decode: Any, tmp_path: Path) -> None:
    store = FileLogStore(RealFiles(), str(tmp_path))
    broker = grouped(store=store, offsets_topic_num_partitions=1)
    anna = Consumer(broker, instance_id="one", client_id="anna")
    settle(anna)
    anna.commit(5, partition=2)
    topic_id = broker.broker.topics.by_name[CONSUMER_OFFSETS].topic_id
    anna.leave()
    broker.send(DeleteGroupsRequest(["g"]))
    broker.broker.stop(broker.now_ms)

    records = decode(sorted((tmp_path / directory_name(topic_id, 0)).glob("*.log")))

    groups = [value for key, value in records if key["type"] == "2"]
    begun, stable, empty, deleted = groups
    assert (begun["version"], begun["data"]["members"]) == ("3", [])
    assert stable["data"]["protocol"] == "range"
    assert stable["data"]["generation"] == 1
    (member,) = stable["data"]["members"]
    assert (member["groupInstanceId"], member["clientId"]) == ("one", "anna")
    assert member["sessionTimeout"] == anna.session_ms
    assert (empty["data"]["generation"], empty["data"]["protocol"]) == (2, None)
    assert deleted is None
    (key, committed), (_, tombstone) = [one for one in records if one[0]["type"] == "1"]
    assert key["data"] == {"group": "g", "topic": "orders", "partition": 2}
    assert committed["data"]["offset"] == 5
    assert tombstone is None
