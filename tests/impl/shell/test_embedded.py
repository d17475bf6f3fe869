"""A broker inside a program."""

import asyncio
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from impl_support.raw_client import RawClient, api_versions, fetch, fetched, made_topic, produced
from kproof_impl import Broker
from kproof_impl.records.errors import LogFailed
from kproof_impl.shell.listener import PortRefused
from kproof_impl.shell.local_requests import TopicRefused
from kproof_impl.shell.notices import Notice
from kproof_impl.shell.settings import SettingRefused


def is_served(port: int) -> bool:
    """Whether a broker answers there."""
    try:
        with RawClient(port) as client:
            return bool(client.ask(api_versions(1)))
    except ConnectionRefusedError:
        return False


def test_with_gives_a_broker_on_a_free_port_until_the_end_of_the_block() -> None:
    with Broker() as broker, Broker() as other:
        assert broker.port != other.port
        assert broker.bootstrap_servers == f"127.0.0.1:{broker.port}"
        assert is_served(broker.port)
        assert is_served(other.port)

    assert not is_served(broker.port)


def test_async_with_serves_on_the_running_loop() -> None:
    async def work() -> int:
        async with Broker(in_memory=True) as broker:
            reader, writer = await asyncio.open_connection("127.0.0.1", broker.port)
            writer.write(api_versions(77))
            head = await reader.readexactly(8)
            writer.close()
            await writer.wait_closed()
        assert int.from_bytes(head[4:], "big") == 77
        return broker.port

    assert not is_served(asyncio.run(work()))


def test_a_thread_of_a_broker_ends_with_it() -> None:
    before = threading.active_count()
    with Broker(in_memory=True):
        assert threading.active_count() == before + 1

    assert threading.active_count() == before


def test_a_temporary_directory_is_there_while_the_broker_is_and_gone_afterwards() -> None:
    with Broker() as broker:
        place = broker.data_dir
        assert place is not None
        assert (place / "meta.properties").exists()

    assert not place.exists()
    assert broker.data_dir is None


def test_a_broker_in_memory_has_no_directory(tmp_path: Path) -> None:
    with Broker(in_memory=True) as broker:
        assert broker.data_dir is None
        with RawClient(broker.port) as client:
            topic = made_topic(broker.port, "orders")
            produced(client, topic, b"one")
            assert fetched(client, topic, 0) == [b"one"]


def test_what_was_written_to_a_directory_is_there_in_the_next_life(tmp_path: Path) -> None:
    with Broker(data_dir=tmp_path) as broker, RawClient(broker.port) as client:
        topic = made_topic(broker.port, "orders")
        produced(client, topic, b"one", b"two")

    with Broker(data_dir=str(tmp_path)) as broker, RawClient(broker.port) as client:
        assert fetched(client, topic, 0) == [b"one", b"two"]


def test_topics_are_there_at_the_start_and_may_be_there_already(tmp_path: Path) -> None:
    def partitions(broker: Broker) -> dict[str, int]:
        topics = broker.server.broker.topics.by_name
        return {name: len(topic.partitions) for name, topic in topics.items()}

    configs = {"num.partitions": "2"}
    with Broker(data_dir=tmp_path, topics=["a", "b"], configs=configs) as broker:
        assert partitions(broker) == {"a": 2, "b": 2}
    with Broker(data_dir=tmp_path, topics={"a": 5, "c": 3}) as broker:
        assert partitions(broker) == {"a": 2, "b": 2, "c": 3}


def test_a_topic_that_cannot_be_is_refused_and_nothing_is_left_running() -> None:
    before = threading.active_count()
    with pytest.raises(TopicRefused, match=r"topic a/b: INVALID_TOPIC_EXCEPTION"):
        Broker(topics=["a/b"]).__enter__()

    assert threading.active_count() == before


def test_a_setting_that_there_is_not_is_refused_before_anything_is_started() -> None:
    with pytest.raises(SettingRefused, match=r"num\.partitions"):
        Broker(configs={"num.partition": "3"})


def test_a_directory_serves_one_broker_at_a_time(tmp_path: Path) -> None:
    with Broker(data_dir=tmp_path) as broker:
        with pytest.raises(LogFailed, match="nother broker uses"):
            Broker(data_dir=tmp_path).__enter__()
        assert is_served(broker.port)

    with Broker(data_dir=tmp_path) as broker:
        assert is_served(broker.port)


def test_a_port_in_use_is_refused_and_leaves_no_temporary_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Broker(in_memory=True) as broker:
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        with pytest.raises(PortRefused, match="in use"):
            Broker(port=broker.port).__enter__()

    assert list(tmp_path.iterdir()) == []


def test_a_broker_that_runs_is_not_started_again_and_one_that_does_not_is_not_there() -> None:
    broker = Broker(in_memory=True)
    with pytest.raises(RuntimeError, match="does not run"):
        _ = broker.server
    with broker, pytest.raises(RuntimeError, match="runs already"):
        asyncio.run(broker.start())


def test_a_directory_to_keep_and_no_files_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give one"):
        Broker(data_dir=tmp_path, in_memory=True)


def test_the_end_does_not_wait_for_a_client_that_does_not_read() -> None:
    with Broker(in_memory=True) as broker:
        client = RawClient(broker.port)
        topic = made_topic(broker.port, "large")
        for _ in range(4):
            produced(client, topic, bytes(900_000))
        for number in range(10):
            client.send(fetch(number, topic, 0))
    client.socket.close()


def test_what_clients_do_wrong_is_told_to_whoever_wants_it() -> None:
    told: list[Notice] = []
    with Broker(in_memory=True, tell=told.append) as broker, RawClient(broker.port) as client:
        client.send(b"GET / HTTP/1.1\r\n\r\n")
        assert client.is_closed_within(1.0)

    assert [notice.kind for notice in told] == ["refused"]
    assert told[0].client.startswith("127.0.0.1:")


def test_a_fault_of_ours_outside_of_requests_is_told_without_a_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fails() -> None:
        raise ValueError("this is a test")

    told: list[Notice] = []
    with Broker(in_memory=True, tell=told.append) as broker:
        broker.server.soon(fails)
        with RawClient(broker.port) as client:
            client.ask(api_versions(1))

    assert [notice.kind for notice in told] == ["fault"]
    assert "this is a test" in told[0].text
    assert capfd.readouterr() == ("", "")


def test_a_program_that_ends_within_the_block_ends() -> None:
    script = (
        "from kproof_impl import Broker\n"
        "broker = Broker(in_memory=True).__enter__()\n"
        "raise SystemExit(7)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=False, timeout=30)

    assert done.returncode == 7
