"""Worker pools through real clients on a broker: nothing is lost, and keys stay in order."""

import json
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest

from impl_support import pool_runs
from impl_support.clients_kafka_python import kafka
from impl_support.pool_runs import (
    CLIENTS,
    History,
    broker_of_orders,
    committed,
    config_of,
    ends_of,
    place_of,
    produce,
    text_of,
)
from kproof_impl.client import (
    ClientMissing,
    ConfigRefused,
    DeadLetterTopic,
    HandlerFailed,
    WorkerPoolConsumer,
    WrongThread,
)

pytestmark = pytest.mark.interop

each_client = pytest.mark.parametrize("client", CLIENTS)


@each_client
def test_slow_and_failing_handlers_lose_nothing_and_keep_keys_in_order(client: str) -> None:
    history, tried = History(), set()
    with broker_of_orders(dead=1) as broker:
        places = produce(broker.bootstrap_servers, 2000)
        producer: Any = (
            confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap_servers})
            if client == "confluent-kafka"
            else kafka.KafkaProducer(bootstrap_servers=broker.bootstrap_servers)
        )

        def handle(message: Any) -> None:
            key, number = text_of(message)
            if key == 7 and number % 10 == 0:
                raise ValueError("cannot be processed")
            if number % 20 == 3 and place_of(message) not in tried:
                tried.add(place_of(message))
                raise TimeoutError("try again")
            history.process(message, 0.05 if number == 5 else 0.0005)

        dead: list[Any] = []
        letters = DeadLetterTopic(producer, "dead")

        def set_aside(message: Any, error: Exception) -> None:
            letters(message, error)
            dead.append(message)
            history.process(message)

        with WorkerPoolConsumer(
            config_of(client, broker.bootstrap_servers),
            ["orders"],
            handle,
            workers=8,
            max_in_flight=50,
            retries=2,
            backoff_s=0.001,
            on_failure=set_aside,
            commit_interval_s=0.05,
            observe=history.observe,
        ) as pool:
            history.wait_for(len(places))
            assert pool.in_flight_count <= 50

        history.check(places)
        assert len(history.done) == len(places)
        assert committed(broker.bootstrap_servers) == ends_of(places)
        letters_found = read_all(broker.bootstrap_servers, "dead", len(dead))
        assert len(dead) == 5
        assert {dict(letter.headers())["dead-letter-error"] for letter in letters_found} == {
            b"ValueError('cannot be processed')"
        }
        if client == "kafka-python":
            producer.close()


def read_all(bootstrap: str, topic: str, count: int) -> list[Any]:
    """So many records of the topic's only partition."""
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "reader", "log_level": 0}
    )
    consumer.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
    found = consumer.consume(count, 10)
    consumer.close()
    return found


@each_client
@pytest.mark.parametrize("assignor", ["range", "cooperative-sticky"])
def test_a_second_member_in_the_middle_takes_over_in_order(client: str, assignor: str) -> None:
    first: list[Any] = []
    second: list[Any] = []
    both = History()

    def handler(mine: list[Any]) -> Any:
        def handle(message: Any) -> None:
            both.process(message, 0.001)
            mine.append(place_of(message))

        return handle

    with broker_of_orders() as broker:
        places = produce(broker.bootstrap_servers, 2000)
        config = config_of(client, broker.bootstrap_servers, assignor)
        settings: dict[str, Any] = {
            "max_in_flight": 40,
            "commit_interval_s": 0.05,
            "observe": both.observe,
        }
        with WorkerPoolConsumer(config, ["orders"], handler(first), workers=2, **settings):
            both.wait_for(200)
            with WorkerPoolConsumer(config, ["orders"], handler(second), workers=2, **settings):
                both.wait_for(len(places))

        both.check(places)
        assert first
        assert second
        assert committed(broker.bootstrap_servers) == ends_of(places)


@each_client
def test_a_killed_process_repeats_only_what_it_had_not_committed(client: str) -> None:
    history = History()
    with broker_of_orders() as broker:
        places = produce(broker.bootstrap_servers, 2000)
        script = str(Path(pool_runs.__file__).resolve())
        with subprocess.Popen(
            [sys.executable, "-W", "ignore", script, client, broker.bootstrap_servers],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(Path(script).parents[1])},
        ) as process:
            assert process.stdout is not None
            told = []
            for line in process.stdout:
                told.append(line)
                if len(told) == 1000:
                    process.kill()
        for line in told:
            if line.endswith("\n"):
                partition, offset, key, number = json.loads(line)
                history.done.append(((partition, offset), key, number))
        before = {place for place, _, _ in history.done}
        kept = committed(broker.bootstrap_servers)
        for partition, end in kept.items():
            assert {(partition, offset) for offset in range(end)} <= before
        assert sum(kept.values()) > 100

        with WorkerPoolConsumer(
            config_of(client, broker.bootstrap_servers, session_ms=1000),
            ["orders"],
            history.process,
            observe=history.observe,
        ):
            history.wait_for(len(places))

        history.check(places)
        assert len(history.done) - len(places) <= len(before) - sum(kept.values())
        assert committed(broker.bootstrap_servers) == ends_of(places)


@each_client
def test_a_handler_slower_than_the_poll_interval_keeps_its_membership(client: str) -> None:
    history, actions = History(), []

    def handle(message: Any) -> None:
        # Not among the first: a client may join twice in its first moments.
        history.process(message, 1.6 if len(history.done) == 30 else 0.02)

    with broker_of_orders() as broker:
        places = produce(broker.bootstrap_servers, 40)
        config = config_of(
            client, broker.bootstrap_servers, session_ms=1000, max_poll_interval_ms=1000
        )
        with WorkerPoolConsumer(
            config,
            ["orders"],
            handle,
            workers=1,
            max_in_flight=2,
            observe=lambda event: actions.append(event.action),
        ):
            history.wait_for(len(places))

    history.check(places)
    assert len(history.done) == len(places)
    assert "poll_thread_notice_loss" not in actions
    assert "poll_thread_abandon" not in actions


@each_client
def test_partitions_that_were_paused_when_they_went_go_on_when_they_come_back(
    client: str,
) -> None:
    history = History()

    def handle(message: Any) -> None:
        history.process(message, 0.12)

    with broker_of_orders() as broker:
        places = produce(broker.bootstrap_servers, 16)
        config = config_of(client, broker.bootstrap_servers)
        settings: dict[str, Any] = {"workers": 1, "max_in_flight": 2}
        with WorkerPoolConsumer(config, ["orders"], handle, **settings):
            history.wait_for(2)
            with WorkerPoolConsumer(config, ["orders"], handle, **settings):
                history.wait_for(7)
            history.wait_for(len(places))

    history.check(places)


@each_client
def test_a_record_that_cannot_be_processed_stops_the_pool_and_is_not_committed(
    client: str,
) -> None:
    history = History()

    def handle(message: Any) -> None:
        if place_of(message) == (1, 3):
            raise ValueError("no")
        history.process(message)

    with broker_of_orders() as broker:
        produce(broker.bootstrap_servers, 400)
        config = config_of(client, broker.bootstrap_servers)
        pool = WorkerPoolConsumer(config, ["orders"], handle, observe=history.observe)

        with pytest.raises(HandlerFailed, match=r"orders-1 offset 3: its handler raised Value"):
            pool.run()

        assert committed(broker.bootstrap_servers)[1] == 3
        assert history.faults == []


@each_client
def test_a_consumer_of_the_users_own_serves_and_stop_ends_it_from_a_handler(client: str) -> None:
    history = History()
    with broker_of_orders() as broker:
        places = produce(broker.bootstrap_servers, 200)
        config = config_of(client, broker.bootstrap_servers)
        consumer: Any = (
            confluent_kafka.Consumer({**config, "enable.auto.commit": False})
            if client == "confluent-kafka"
            else kafka.KafkaConsumer(**config, enable_auto_commit=False)
        )

        def handle(message: Any) -> None:
            history.process(message)
            if len(history.done) == len(places):
                pool.stop()

        pool = WorkerPoolConsumer(consumer, ["orders"], handle, order="partition")
        pool.run()

        history.check(places)
        assert committed(broker.bootstrap_servers) == ends_of(places)


class Missing:
    """A finder that finds no module of some name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def find_spec(self, name: str, *_: object) -> None:
        if name.split(".", maxsplit=1)[0] == self.name:
            raise ModuleNotFoundError(name)


@pytest.mark.parametrize(
    ("module", "setting", "package"),
    [
        ("confluent_kafka", "bootstrap.servers", "confluent-kafka"),
        ("kafka", "bootstrap_servers", "kafka-python"),
    ],
)
def test_a_client_that_is_not_installed_is_named(
    module: str, setting: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [Missing(module), *sys.meta_path])

    with pytest.raises(ClientMissing, match=f"not installed: pip install {package}"):
        WorkerPoolConsumer({setting: "127.0.0.1:9"}, ["orders"], print)


def test_what_a_pool_cannot_work_with_is_refused() -> None:
    config = {"bootstrap.servers": "127.0.0.1:9", "group.id": "pool"}
    for settings, text in [
        ({"workers": 0}, "expected at least 1"),
        ({"order": "size"}, "expected 'key', 'partition' or 'none'"),
        ({"retries": -1}, "no negative number"),
        ({"on_failure": "ignore"}, "expected 'stop', 'skip', or a function"),
    ]:
        with pytest.raises(ConfigRefused, match=text):
            WorkerPoolConsumer(config, ["orders"], print, **settings)  # type: ignore[arg-type]
    with pytest.raises(ConfigRefused, match="a list of names"):
        WorkerPoolConsumer(config, "orders", print)
    with pytest.raises(ConfigRefused, match="names no server"):
        WorkerPoolConsumer({}, ["orders"], print)
    with pytest.raises(ConfigRefused, match=r"enable\.auto\.commit is on"):
        WorkerPoolConsumer({**config, "enable.auto.commit": True}, ["orders"], print)
    with pytest.raises(ConfigRefused, match=r"a builtins\.int cannot be used"):
        WorkerPoolConsumer(1, ["orders"], print)


def test_a_second_thread_is_refused_and_told_who_owns_the_pool() -> None:
    refused: list[BaseException] = []
    with broker_of_orders() as broker:
        produce(broker.bootstrap_servers, 1)

        def handle(_: Any) -> None:
            for use in (pool.run, pool.join, pool.start):
                try:
                    use()
                except WrongThread as error:
                    refused.append(error)
            pool.stop()

        pool = WorkerPoolConsumer(
            config_of("confluent-kafka", broker.bootstrap_servers), ["orders"], handle
        )
        pool.start().join()

    assert len(refused) == 3
    assert "thread 'kproof-poll' owns this pool" in str(refused[0])


def test_a_consumer_that_commits_by_itself_is_refused() -> None:
    with broker_of_orders() as broker:
        consumer = kafka.KafkaConsumer(
            bootstrap_servers=broker.bootstrap_servers, group_id="pool", enable_auto_commit=True
        )
        with pytest.raises(ConfigRefused, match="enable_auto_commit is on"):
            WorkerPoolConsumer(consumer, ["orders"], print)
        consumer.close()


def test_the_threads_of_a_pool_end_with_it() -> None:
    with broker_of_orders() as broker:
        before = threading.active_count()
        with WorkerPoolConsumer(
            config_of("confluent-kafka", broker.bootstrap_servers), ["orders"], print
        ):
            time.sleep(0.2)
        assert threading.active_count() == before
