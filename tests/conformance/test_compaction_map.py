"""A compacting broker in court: what it does is allowed, and each fault of a cleaning is seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impl_support.stepping import Stepper
from kproof_checker.conformance.compacted_twin import CompactedTwin
from kproof_checker.conformance.lockstep import Divergence
from kproof_impl.records import compaction
from kproof_impl.records.batch import header_at
from kproof_impl.records.build import build_batch
from kproof_impl.storage import cleaning
from kproof_spec.compaction.mutants import model

CONFIGS = {
    "cleanup.policy": "compact",
    "internal.segment.bytes": "300",
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": "60000",
}


def keyed(broker: Stepper, key: str, value: str | None, **producer: int) -> None:
    batch = build_batch(
        [(broker.now_ms, key.encode(), None if value is None else value.encode())],
        producer_id=producer.get("producer_id", -1),
        producer_epoch=producer.get("producer_epoch", -1),
        base_sequence=producer.get("base_sequence", -1),
    )
    broker.partition("states").append(header_at(batch), batch, broker.now_ms)


def work(broker: Stepper, rounds: int = 3) -> None:
    """Writes, cleans, and lets the time of tombstones pass."""
    for number in range(rounds * 12):
        keyed(broker, f"k{number % 3}", f"v{number}" if number % 5 else None)
        if number % 12 == 11:
            broker.advance(40_000)


def test_a_sound_broker_compacts_in_court_and_is_followed_over_restarts() -> None:
    broker = Stepper()
    broker.topic("states", configs=CONFIGS)
    for _ in range(3):
        work(broker)
        broker.restart()
    log = broker.partition("states").log
    assert len(log.segment_facts()) < 8
    assert log.log_end_offset == 108


def test_idempotent_producers_and_both_policies_are_followed() -> None:
    broker = Stepper()
    broker.topic("states", configs={**CONFIGS, "cleanup.policy": "compact,delete"})
    for sequence in range(40):
        keyed(broker, "k", f"{sequence}", producer_id=7, producer_epoch=0, base_sequence=sequence)
    broker.advance(40_000)
    work(broker)
    partition = broker.partition("states")
    partition.delete_records(45)
    broker.advance(40_000)
    partition.apply_retention(broker.now_ms + (8 << 30))
    broker.crash()
    keyed(broker, "k", "40", producer_id=7, producer_epoch=0, base_sequence=40)


def everything_survives(*_: object) -> bool:
    return True


def last_values_go(record: Any, _: Any, offset_map: compaction.OffsetMap, __: Any) -> bool:
    return bool(record.offset >= offset_map.end_offset)


def tombstones_go_at_once(
    record: Any, header: Any, offset_map: compaction.OffsetMap, rules: object
) -> bool:
    if record.offset >= offset_map.end_offset:
        return True
    is_gone: bool = record.value is None or offset_map.is_superseded(record.key, record.offset)
    return not is_gone


def renumbered(patch: pytest.MonkeyPatch) -> None:
    whole = compaction.cleaned_batch

    def moved(header: Any, data: Any, *rest: Any) -> Any:
        found = whole(header, data, *rest)
        if found is None or header.base_offset % 2:
            return found
        return (header.base_offset + 1).to_bytes(8, "big") + bytes(found)[8:]

    patch.setattr(cleaning, "cleaned_batch", moved)


FAULTS: dict[str, tuple[Callable[[pytest.MonkeyPatch], None], str]] = {
    "what is superseded stays": (
        lambda patch: patch.setattr(compaction, "survives", everything_survives),
        "is still there",
    ),
    "latest values go": (
        lambda patch: patch.setattr(compaction, "survives", last_values_go),
        "it is the last of its key",
    ),
    "tombstones go at once": (
        lambda patch: patch.setattr(compaction, "survives", tombstones_go_at_once),
        "may not go before",
    ),
    "the map is of first offsets": (
        lambda patch: patch.setattr(
            compaction.OffsetMap,
            "is_superseded",
            lambda self, key, offset: self._offsets.get(key, -1) < offset,
        ),
        "is still there|it is the last of its key",
    ),
    "producers are forgotten": (
        lambda patch: patch.setattr(compaction, "_is_needed", lambda *_: False),
        "no batch ends at",
    ),
    "records are renumbered": (renumbered, "no batch ends at|that were not there"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_cleaning_is_seen(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    install, says = FAULTS[name]
    broker = Stepper()
    broker.topic("states", configs=CONFIGS)
    keyed(broker, "k0", "first", producer_id=9, producer_epoch=0, base_sequence=0)
    install(monkeypatch)
    with pytest.raises(Divergence, match=says):
        work(broker)


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans()), max_size=12), st.data())
def test_the_twin_says_what_the_model_says(
    records: list[tuple[int, bool]], data: st.DataObject
) -> None:
    machine = model.open(delete_retention_ms=1)
    s = machine.initial_state()
    twin = CompactedTwin()
    now_ms = 0
    for key, is_tombstone in records:
        arguments = {"key": f"k{key}", "producer": "p", "is_tombstone": is_tombstone}
        assert machine.step(s, "leader_append", **arguments)
        assert machine.step(s, "leader_raise_high_watermark")
        twin.append(f"k{key}", is_tombstone, 1)
        if data.draw(st.booleans()):
            assert machine.step(s, "leader_roll")
            end = data.draw(st.integers(1, twin.log_end_offset))
            assert machine.step(s, "cleaner_begin", end=end)
            while machine.step(s, "cleaner_step"):
                pass
            latest = twin.latest(end)
            for offset in [offset for offset in twin.records if offset < end]:
                if twin.goes(offset, latest, now_ms):
                    del twin.records[offset]
                elif twin.records[offset].not_before_ms is None:
                    twin.records[offset].not_before_ms = now_ms + 1
            there = {o for o in range(twin.log_end_offset) if s.files[o].is_record}
            assert there == set(twin.records)
        if data.draw(st.booleans()):
            now_ms += 1
            machine.step(s, "time_pass")
