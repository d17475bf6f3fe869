"""The cleaner: which log is cleaned when, and that others are served meanwhile."""

from __future__ import annotations

import pytest

from impl_support.stepping import DATA_DIRECTORY, Stepper
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.log_cleaner import PAUSE_MS
from kproof_impl.records.batch import HEADER_BYTES, header_at
from kproof_impl.records.build import build_batch
from kproof_impl.storage.names import directory_name

CONFIGS = {
    "cleanup.policy": "compact",
    "internal.segment.bytes": "300",
    "min.cleanable.dirty.ratio": "0.01",
}
BACKOFF_MS = 15_000


def write(broker: Stepper, topic: str, count: int = 40) -> None:
    for number in range(count):
        batch = build_batch([(broker.now_ms, b"k%d" % (number % 3), b"v%d" % number)])
        broker.partition(topic).append(header_at(batch), batch, broker.now_ms)


def size_of(broker: Stepper, topic: str) -> int:
    return broker.partition(topic).log.size_bytes


def test_compacted_topics_are_cleaned_after_a_while_and_others_never() -> None:
    broker = Stepper()
    broker.topic("one", configs=CONFIGS)
    broker.topic("two", configs=CONFIGS)
    broker.topic("kept", configs={**CONFIGS, "cleanup.policy": "delete", "retention.ms": "-1"})
    for topic in ("one", "two", "kept"):
        write(broker, topic)
    before = size_of(broker, "one")

    broker.advance(BACKOFF_MS + 2000)

    assert size_of(broker, "one") < before / 2
    assert size_of(broker, "two") < before / 2
    assert size_of(broker, "kept") == before


def test_nothing_is_cleaned_by_a_broker_that_is_told_not_to() -> None:
    broker = Stepper(BrokerConfig(log_cleaner_enable=False))
    broker.topic("one", configs=CONFIGS)
    write(broker, "one")
    before = size_of(broker, "one")
    broker.advance(10 * BACKOFF_MS)
    assert size_of(broker, "one") == before


def test_the_log_that_is_dirtier_goes_first_and_clients_have_their_turn_in_between(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("kproof_impl.storage.cleaning.SLICE_BYTES", 1)
    broker = Stepper()
    for topic in ("cleaner", "dirtier"):
        broker.topic(topic, configs=CONFIGS)
    write(broker, "cleaner", 100)
    broker.advance(5 * BACKOFF_MS)
    write(broker, "cleaner", 10)
    write(broker, "dirtier")
    broker.advance(1_000)  # So that what is closed is known to be on the disk.
    before = {topic: size_of(broker, topic) for topic in ("cleaner", "dirtier")}
    while size_of(broker, "dirtier") == before["dirtier"]:
        assert size_of(broker, "cleaner") == before["cleaner"]
        due_ms = broker.broker.next_deadline_ms()
        assert due_ms is not None
        broker.advance(max(0, due_ms - broker.now_ms))
        broker.fetched("dirtier")
    assert PAUSE_MS > 0


def test_a_topic_deleted_while_it_is_cleaned_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kproof_impl.storage.cleaning.SLICE_BYTES", 1)
    broker = Stepper()
    topic = broker.topic("one", configs=CONFIGS)
    write(broker, "one")
    broker.advance(BACKOFF_MS + 3 * PAUSE_MS)
    broker.broker.topics.delete([topic])
    broker.topic("two", configs=CONFIGS)
    write(broker, "two")
    before = size_of(broker, "two")
    broker.advance(3 * BACKOFF_MS)
    assert size_of(broker, "two") < before


def test_a_damaged_log_is_told_once_and_its_clients_are_served() -> None:
    broker = Stepper()
    topic = broker.topic("one", configs=CONFIGS)
    write(broker, "one")
    path = f"{DATA_DIRECTORY}/{directory_name(topic.topic_id, 0)}/{0:020d}.log"
    data = bytearray(broker.files.read_all(path))
    broker.store.close()
    data[HEADER_BYTES + 4] ^= 1
    broker.files.write(path, bytes(data))
    broker.broker = broker._started()

    broker.advance(3 * BACKOFF_MS)

    (told,) = broker.reports
    assert told.startswith("partition one-0 is not compacted: ")
    assert "is damaged at byte 0" in told
    write(broker, "one", 1)
    assert broker.partition("one").log_end_offset == 41
