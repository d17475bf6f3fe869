"""kcat, the command line of librdkafka: as a person at a terminal uses a broker."""

import json
import shutil
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from impl.clients.conftest import NewTopicOf
from impl_support.clients_records import CODECS

SECONDS = 30
KCAT = shutil.which("kcat") or shutil.which("kafkacat")

pytestmark = [
    pytest.mark.interop,
    pytest.mark.skipif(KCAT is None, reason="kcat is not installed (Debian: apt install kcat)"),
]


@pytest.fixture
def kcat(bootstrap: str) -> Callable[..., str]:
    """Runs kcat against the broker; what it printed."""

    def run(*arguments: str, typed: str = "") -> str:
        command = [str(KCAT), "-b", bootstrap, *arguments]
        done = subprocess.run(
            command, input=typed, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize("codec", CODECS)
def test_lines_typed_in_come_out_again(
    kcat: Callable[..., str], new_topic: NewTopicOf, codec: str
) -> None:
    topic = new_topic()
    lines = "".join(f"key-{n}:{'order ' * 30}{n}\n" for n in range(20))

    kcat("-P", "-t", topic, "-K", ":", "-z", codec, typed=lines)

    assert kcat("-C", "-t", topic, "-K", ":", "-e", "-q", "-o", "beginning") == lines


@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_each_acknowledgement_delivers(
    kcat: Callable[..., str], new_topic: NewTopicOf, acks: str
) -> None:
    topic = new_topic()
    kcat("-P", "-t", topic, "-X", f"acks={acks}", typed="one\ntwo\n")
    assert kcat("-C", "-t", topic, "-e", "-q", "-o", "beginning") == "one\ntwo\n"


def test_metadata_shows_brokers_topics_and_partitions(
    kcat: Callable[..., str], new_topic: NewTopicOf, bootstrap: str
) -> None:
    topic = new_topic(partitions=3)

    found: dict[str, Any] = json.loads(kcat("-L", "-J", "-t", topic))

    assert [broker["name"] for broker in found["brokers"]] == [bootstrap]
    (described,) = found["topics"]
    assert described["topic"] == topic
    assert [partition["partition"] for partition in described["partitions"]] == [0, 1, 2]


def test_headers_and_times_are_shown(kcat: Callable[..., str], new_topic: NewTopicOf) -> None:
    topic = new_topic()
    kcat("-P", "-t", topic, "-H", "trace=17", "-H", "plain", typed="value\n")

    (line,) = kcat("-C", "-t", topic, "-e", "-q", "-J", "-o", "beginning").splitlines()

    shown = json.loads(line)
    assert shown["payload"] == "value"
    assert shown["headers"] == ["trace", "17", "plain", None]
    assert shown["tstype"] == "create"
    assert shown["ts"] > 1_600_000_000_000


def test_the_offset_of_a_time_is_queried(kcat: Callable[..., str], new_topic: NewTopicOf) -> None:
    topic = new_topic()
    kcat("-P", "-t", topic, typed="one\ntwo\nthree\n")
    assert kcat("-Q", "-t", f"{topic}:0:0").strip() == f"{topic} [0] offset 0"
    assert kcat("-Q", "-t", f"{topic}:0:-1").strip() == f"{topic} [0] offset 3"


def test_the_last_records_are_read_by_a_negative_offset(
    kcat: Callable[..., str], new_topic: NewTopicOf
) -> None:
    topic = new_topic()
    kcat("-P", "-t", topic, typed="one\ntwo\nthree\n")
    assert kcat("-C", "-t", topic, "-o", "-2", "-e", "-q") == "two\nthree\n"


def test_a_group_reads_all_and_then_nothing_more(
    kcat: Callable[..., str], new_topic: NewTopicOf
) -> None:
    topic = new_topic(partitions=2)
    kcat("-P", "-t", topic, typed="".join(f"{n}\n" for n in range(10)))
    group = ("-G", f"{topic}-group", "-q", "-e", "-X", "auto.offset.reset=earliest", topic)

    first = kcat(*group)
    again = kcat(*group)

    assert sorted(first.split(), key=int) == [str(n) for n in range(10)]
    assert again == ""
