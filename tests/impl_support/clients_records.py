"""Three unmodified clients behind one small interface: send these records, read these partitions.

Each call opens a client of its own and closes it, as a program of a user would.
"""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiokafka  # type: ignore[import-untyped]
import confluent_kafka

from impl_support.clients_kafka_python import has_lz4, has_snappy, has_zstd, kafka

READ_SECONDS = 20.0

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
ACKS = (0, 1, -1)

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What is sent. No partition means that the client's partitioner chooses."""

    value: bytes | None
    key: bytes | None = None
    headers: Headers = ()
    timestamp_ms: int | None = None
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What was read, and where it lay."""

    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    timestamp_ms: int
    timestamp_type: int
    """0 if the producer set the time (CreateTime), 1 if the broker did (LogAppendTime)."""


Place = tuple[int, int]
"""Partition and offset as the producer was told; the offset is -1 when nobody answered."""


class Client(Protocol):
    """One client library."""

    name: str

    def codecs(self) -> tuple[str, ...]:
        """Those that it can use here: some need a library beside the client."""
        ...

    def produce(
        self,
        bootstrap: str,
        topic: str,
        records: Sequence[Record],
        *,
        codec: str = "none",
        acks: int = -1,
        idempotent: bool = False,
    ) -> list[Place]:
        """Send all of them in order, wait for the answers; an error is raised."""
        ...

    def consume(self, bootstrap: str, topic: str, partitions: int, count: int) -> list[Received]:
        """Read partitions 0 to `partitions - 1` from their starts until `count` records came."""
        ...


class Confluent:
    """confluent-kafka, which is librdkafka."""

    name = "confluent-kafka"

    def codecs(self) -> tuple[str, ...]:
        return CODECS

    def produce(
        self,
        bootstrap: str,
        topic: str,
        records: Sequence[Record],
        *,
        codec: str = "none",
        acks: int = -1,
        idempotent: bool = False,
    ) -> list[Place]:
        places: list[Place] = [(-1, -1)] * len(records)
        faults: list[object] = []
        producer = confluent_kafka.Producer({
            "bootstrap.servers": bootstrap,
            "compression.type": codec,
            "acks": acks,
            "enable.idempotence": idempotent,
            "linger.ms": 20,
        })  # fmt: skip
        for index, record in enumerate(records):

            def delivered(fault: Any, message: Any, index: int = index) -> None:
                if fault is not None:
                    faults.append(fault)
                    return
                offset = message.offset()
                places[index] = (message.partition(), -1 if offset is None else offset)

            chosen: dict[str, Any] = {}
            if record.partition is not None:
                chosen["partition"] = record.partition
            if record.timestamp_ms is not None:
                chosen["timestamp"] = record.timestamp_ms
            producer.produce(
                topic,
                value=record.value,
                key=record.key,
                headers=list(record.headers),
                on_delivery=delivered,
                **chosen,
            )
        left = producer.flush(READ_SECONDS)
        assert left == 0, f"{left} of {len(records)} records had no answer"
        assert not faults, faults
        return places

    def consume(self, bootstrap: str, topic: str, partitions: int, count: int) -> list[Received]:
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": bootstrap,
            "group.id": "reads-by-assignment",
            "auto.offset.reset": "earliest",  # Where the log no longer begins at 0.
            "enable.auto.commit": False,
            "fetch.wait.max.ms": 50,
            "check.crcs": True,
        })  # fmt: skip
        consumer.assign([confluent_kafka.TopicPartition(topic, p, 0) for p in range(partitions)])
        found: list[Received] = []
        deadline = time.monotonic() + READ_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            for message in consumer.consume(count, 0.1):
                assert message.error() is None, message.error()
                found.append(_from_confluent(message))
        consumer.close()
        return found


def _from_confluent(message: Any) -> Received:
    kind, timestamp_ms = message.timestamp()
    return Received(
        message.partition(),
        message.offset(),
        message.key(),
        message.value(),
        tuple(message.headers() or ()),
        timestamp_ms,
        0 if kind == confluent_kafka.TIMESTAMP_CREATE_TIME else 1,
    )


class KafkaPython:
    """kafka-python, which is Python alone."""

    name = "kafka-python"

    def codecs(self) -> tuple[str, ...]:
        there = {"none": True, "gzip": True}
        there |= {"snappy": has_snappy(), "lz4": has_lz4(), "zstd": has_zstd()}
        return tuple(codec for codec in CODECS if there[codec])

    def produce(
        self,
        bootstrap: str,
        topic: str,
        records: Sequence[Record],
        *,
        codec: str = "none",
        acks: int = -1,
        idempotent: bool = False,
    ) -> list[Place]:
        producer = kafka.KafkaProducer(
            bootstrap_servers=bootstrap,
            compression_type=None if codec == "none" else codec,
            acks=acks,
            enable_idempotence=idempotent,
            linger_ms=20,
        )
        sent = [
            producer.send(
                topic,
                value=record.value,
                key=record.key,
                headers=list(record.headers),
                partition=record.partition,
                timestamp_ms=record.timestamp_ms,
            )
            for record in records
        ]
        answers = [future.get(READ_SECONDS) for future in sent]
        producer.close()
        return [(answer.partition, answer.offset) for answer in answers]

    def consume(self, bootstrap: str, topic: str, partitions: int, count: int) -> list[Received]:
        consumer = kafka.KafkaConsumer(
            bootstrap_servers=bootstrap,
            enable_auto_commit=False,
            fetch_max_wait_ms=50,
            check_crcs=True,
        )
        consumer.assign([kafka.TopicPartition(topic, p) for p in range(partitions)])
        consumer.seek_to_beginning()
        found: list[Received] = []
        deadline = time.monotonic() + READ_SECONDS
        while len(found) < count and time.monotonic() < deadline:
            for batch in consumer.poll(timeout_ms=100).values():
                found += [_from_python(record) for record in batch]
        consumer.close()
        return found


def _from_python(record: Any) -> Received:
    return Received(
        record.partition,
        record.offset,
        record.key,
        record.value,
        tuple(record.headers),
        record.timestamp,
        record.timestamp_type,
    )


class Aiokafka:
    """aiokafka, the asyncio client, with the oldest protocol versions of the three."""

    name = "aiokafka"

    def codecs(self) -> tuple[str, ...]:
        return CODECS

    def produce(
        self,
        bootstrap: str,
        topic: str,
        records: Sequence[Record],
        *,
        codec: str = "none",
        acks: int = -1,
        idempotent: bool = False,
    ) -> list[Place]:
        async def send() -> list[Place]:
            producer = aiokafka.AIOKafkaProducer(
                bootstrap_servers=bootstrap,
                compression_type=None if codec == "none" else codec,
                acks="all" if acks == -1 else acks,
                enable_idempotence=idempotent,
                linger_ms=20,
            )
            async with producer:
                sent = [
                    await producer.send(
                        topic,
                        value=record.value,
                        key=record.key,
                        headers=list(record.headers),
                        partition=record.partition,
                        timestamp_ms=record.timestamp_ms,
                    )
                    for record in records
                ]
                answers = await asyncio.wait_for(asyncio.gather(*sent), READ_SECONDS)
            # Without acknowledgements aiokafka's futures hold nothing.
            return [
                (-1, -1) if answer is None else (answer.partition, answer.offset)
                for answer in answers
            ]

        return asyncio.run(send())

    def consume(self, bootstrap: str, topic: str, partitions: int, count: int) -> list[Received]:
        async def read() -> list[Received]:
            consumer = aiokafka.AIOKafkaConsumer(
                bootstrap_servers=bootstrap,
                enable_auto_commit=False,
                auto_offset_reset="earliest",
                fetch_max_wait_ms=50,
            )
            await consumer.start()
            try:
                there = [aiokafka.TopicPartition(topic, p) for p in range(partitions)]
                consumer.assign(there)
                await consumer.seek_to_beginning(*there)
                found: list[Received] = []
                deadline = time.monotonic() + READ_SECONDS
                while len(found) < count and time.monotonic() < deadline:
                    for batch in (await consumer.getmany(timeout_ms=100)).values():
                        found += [_from_python(record) for record in batch]
                return found
            finally:
                await consumer.stop()

        return asyncio.run(read())


CLIENTS: tuple[Client, ...] = (Confluent(), KafkaPython(), Aiokafka())


def named(client: Client) -> str:
    """What pytest prints for a client."""
    return client.name
