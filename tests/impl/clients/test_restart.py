"""A broker that is stopped and started again on the same folder: all is as clients left it."""

import os
import signal
from pathlib import Path

import confluent_kafka
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from impl_support.clients_broker import ServedBroker, served
from impl_support.clients_confluent import EARLIEST, ConfigResource
from impl_support.clients_records import CLIENTS, CODECS, Record

SECONDS = 20
GROUP = "stays"


def offsets(admin: AdminClient, group: str) -> dict[tuple[str, int], int]:
    (answer,) = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)]).values()
    return {(p.topic, p.partition): p.offset for p in answer.result(SECONDS).topic_partitions}


def stop(broker: ServedBroker, how: str) -> None:
    assert broker.process is not None
    if how == "kill -9":
        os.kill(broker.process.pid, signal.SIGKILL)
        broker.process.wait(SECONDS)
    else:
        broker.process.terminate()
        assert broker.process.wait(SECONDS) == 0


@pytest.mark.parametrize("how", ["SIGTERM", "kill -9"])
def test_records_topics_settings_and_commits_survive(own_data_dir: Path, how: str) -> None:
    sent = {codec: [Record(b"%d" % n * 50, partition=n % 2) for n in range(20)] for codec in CODECS}
    with served(own_data_dir) as broker:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        for codec in CODECS:
            made = admin.create_topics([NewTopic(codec, 2, 1, config={"retention.ms": "9999999"})])
            made[codec].result(SECONDS)
            CLIENTS[0].produce(broker.bootstrap, codec, sent[codec], codec=codec, idempotent=True)
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": broker.bootstrap, "group.id": GROUP,
        })  # fmt: skip
        consumer.commit(offsets=[TopicPartition("gzip", 0, 7)], asynchronous=False)
        consumer.close()
        (deleted,) = admin.delete_records([TopicPartition("zstd", 0, 3)]).values()
        deleted.result(SECONDS)
        stop(broker, how)

    with served(own_data_dir) as broker:
        admin = AdminClient({"bootstrap.servers": broker.bootstrap})
        assert offsets(admin, GROUP) == {("gzip", 0): 7}
        (config,) = admin.describe_configs([ConfigResource("topic", "gzip")]).values()
        assert config.result(SECONDS)["retention.ms"].value == "9999999"
        for codec in CODECS:
            gone = 3 if codec == "zstd" else 0
            found = CLIENTS[0].consume(broker.bootstrap, codec, 2, 20 - gone)
            for partition in (0, 1):
                here = [r for r in found if r.partition == partition]
                wanted = [r.value for r in sent[codec] if r.partition == partition]
                first = gone if partition == 0 else 0
                assert [r.value for r in here] == wanted[first:]
                assert [r.offset for r in here] == list(range(first, 10))
        places = CLIENTS[0].produce(broker.bootstrap, "gzip", [Record(b"next", partition=0)])
        assert places == [(0, 10)]
        (start,) = admin.list_offsets({TopicPartition("zstd", 0): EARLIEST}).values()
        assert start.result(SECONDS).offset == 3


def test_an_idempotent_producer_goes_on_through_a_restart(own_data_dir: Path) -> None:
    faults: list[object] = []
    offsets_told: list[int | None] = []

    def delivered(fault: object, message: confluent_kafka.Message) -> None:
        if fault is not None:
            faults.append(fault)
        else:
            offsets_told.append(message.offset())

    with served(own_data_dir) as broker:
        port = int(broker.bootstrap.rpartition(":")[2])
        producer = confluent_kafka.Producer({
            "bootstrap.servers": broker.bootstrap, "enable.idempotence": True,
            "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 200, "log_level": 0,
        })  # fmt: skip
        for n in range(10):
            producer.produce("orders", b"%d" % n, partition=0, on_delivery=delivered)
        assert producer.flush(SECONDS) == 0
        stop(broker, "kill -9")

    with served(own_data_dir, port) as broker:
        for n in range(10, 20):
            producer.produce("orders", b"%d" % n, partition=0, on_delivery=delivered)
        assert producer.flush(SECONDS) == 0
        found = CLIENTS[0].consume(broker.bootstrap, "orders", 1, 20)
        assert not faults
        assert offsets_told == list(range(20))
        assert [r.value for r in found] == [b"%d" % n for n in range(20)]


def test_consumers_of_a_group_find_the_broker_again(own_data_dir: Path) -> None:
    with served(own_data_dir) as broker:
        port = int(broker.bootstrap.rpartition(":")[2])
        CLIENTS[0].produce(broker.bootstrap, "orders", [Record(b"1", partition=0)])
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": broker.bootstrap, "group.id": GROUP, "log_level": 0,
            "auto.offset.reset": "earliest", "enable.auto.commit": False,
            "heartbeat.interval.ms": 200, "session.timeout.ms": 6000,
            "reconnect.backoff.ms": 50, "reconnect.backoff.max.ms": 200,
        })  # fmt: skip
        consumer.subscribe(["orders"])
        first = consumer.poll(SECONDS)
        assert first is not None
        assert first.value() == b"1"
        consumer.commit(message=first, asynchronous=False)
        stop(broker, "kill -9")

    with served(own_data_dir, port) as broker:
        CLIENTS[0].produce(broker.bootstrap, "orders", [Record(b"2", partition=0)])
        while (message := consumer.poll(SECONDS)) is not None and message.error() is not None:
            pass  # Connections refused while the broker was away.
        assert message is not None
        assert message.value() == b"2"
        consumer.close()
