"""What it costs to be held to the specification: `python bench/conformance.py [RECORDS]`.

Recordings are made by the core, stepped by hand in memory, so that no socket is in the figures:

  - `kproof validate`: events and records a second, for batches of one and of a hundred records;
  - a Produce with and without `--verify`, with and without `--record`: microseconds a batch;
  - a worker pool's events, with few and with many records in flight: events a second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from impl_support.batches import batch  # noqa: E402
from impl_support.stepping import Stepper  # noqa: E402
from kproof_checker.conformance.recording import Recorder, read_recording  # noqa: E402
from kproof_checker.conformance.trial import Trial  # noqa: E402
from kproof_impl.client.ledger import Ledger  # noqa: E402
from kproof_impl.client.telling import events_of  # noqa: E402
from kproof_impl.client.tenure import Order, Ticket, TopicPartition  # noqa: E402
from kproof_impl.events import Event  # noqa: E402
from kproof_impl.storage.log_store import FileLogStore  # noqa: E402
from kproof_impl.storage.memory_files import MemoryFiles  # noqa: E402


def produce(records: int, a_batch: int, observe: Any) -> float:
    """Seconds that it takes to append so many records to one log, segments rolling on the way."""
    broker = Stepper(observe=observe)
    broker.topic("orders", configs={"segment.bytes": "1000000"})
    data = batch(*[b"x" * 20] * a_batch, timestamp_ms=broker.now_ms)
    begin = time.perf_counter()
    for _ in range(records // a_batch):
        broker.produce("orders", data=data)
        broker.effects.clear()
    return time.perf_counter() - begin


def nobody(_: object) -> None:
    """Observes, and does nothing."""


def validate(path: Path) -> tuple[int, float]:
    """How many events, and how many seconds it takes to follow them."""
    begin = time.perf_counter()
    trial = Trial()
    for event in read_recording(path):
        trial(event)
    return trial.steps_count, time.perf_counter() - begin


def follow_pool(records: int, in_flight: int) -> tuple[int, float]:
    """How many events a pool tells of so many records, and how many seconds they are followed."""
    events: list[Event] = []
    ledger = Ledger(in_flight, Order.KEY, events_of("bench", events.append))
    orders, running, offset = TopicPartition("orders", 0), deque[Ticket](), 0
    ledger.poll_thread_enter()
    ledger.consumer_assign(orders)
    ledger.poll_thread_return()
    while offset < records or running:
        while offset < records and ledger.may_dispatch(orders):
            ledger.poll_thread_enter()
            ledger.poll_thread_dispatch(orders, offset, offset % 100, None)
            offset += 1
        while (ticket := ledger.worker_start()) is not None:
            running.append(ticket)
        for _ in range(max(1, len(running) // 2)):
            ledger.worker_finish(running.popleft())
        ledger.poll_thread_resume()
        ledger.commit_taken(ledger.poll_thread_commit())
    begin = time.perf_counter()
    trial = Trial()
    for event in events:
        trial(event)
    return trial.steps_count, time.perf_counter() - begin


def main() -> None:
    records = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        for a_batch in (1, 100):
            batches = records // a_batch
            plain = produce_plain(records, a_batch)
            path = Path(folder) / str(a_batch)
            recorder = Recorder(path)
            recorded = produce(records, a_batch, recorder)
            recorder.close()
            verified = produce(records, a_batch, Trial())
            events, seconds = validate(path)
            print(f"{records:,} records in batches of {a_batch}")
            print(
                f"  validate    {events:,} events, {events / seconds:,.0f}/s, "
                f"{records / seconds:,.0f} records/s, {path.stat().st_size / 1e6:.1f} MB"
            )
            for name, each in (("nobody", plain), ("record", recorded), ("verify", verified)):
                print(
                    f"  {name}      {each / batches * 1e6:,.1f} us a produce, "
                    f"{each / plain:.2f} times"
                )
    print(f"{records // 10:,} records of a worker pool")
    for in_flight in (4, 32):
        events, seconds = follow_pool(records // 10, in_flight)
        print(f"  {in_flight} in flight  {events:,} events, {events / seconds:,.0f}/s")


def produce_plain(records: int, a_batch: int) -> float:
    """The same without an observer: a store of its own keeps the stepper from bringing one."""
    store = FileLogStore(
        MemoryFiles(), "/data", cluster_id="x" * 22, node_id=1, producer_expiration_ms=86_400_000
    )
    broker = Stepper(store=store)
    assert broker.observe is None
    broker.topic("orders", configs={"segment.bytes": "1000000"})
    data = batch(*[b"x" * 20] * a_batch, timestamp_ms=broker.now_ms)
    begin = time.perf_counter()
    for _ in range(records // a_batch):
        broker.produce("orders", data=data)
        broker.effects.clear()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main()
