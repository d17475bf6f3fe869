"""What the storage costs: appends, reads, recovery, and opening many logs.

    python bench/storage.py

Prints microseconds for one call, best of several rounds, on memory and on a temporary directory.
"""

from __future__ import annotations

import tempfile
import timeit
from collections.abc import Callable
from time import perf_counter
from uuid import UUID

from kproof_impl.core.log_config import LogConfig
from kproof_impl.records.build import build_batch
from kproof_impl.records.validate import checked_batch
from kproof_impl.storage.files import Files
from kproof_impl.storage.log_store import FileLogStore
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.storage.real_files import RealFiles

TOPIC = UUID(int=1)
ROUNDS = 7
CALLS = 3000
LOGS = 1000


def microseconds(call: Callable[[], object], calls: int = CALLS) -> float:
    return min(timeit.repeat(call, number=calls, repeat=ROUNDS)) / calls * 1e6


def measure_hot_path(name: str, files: Files, directory: str) -> None:
    """One batch of one record of 100 bytes, and batches of a megabyte."""
    store = FileLogStore(files, directory)
    log = store.open(TOPIC, "bench", 0, LogConfig())
    batch = build_batch([(1000, b"key", bytes(100))])
    header = checked_batch(batch, 1 << 20)
    idempotent = iter(
        [
            build_batch(
                [(1000, b"key", bytes(100))], producer_id=1, producer_epoch=0, base_sequence=i
            )
            for i in range(CALLS * ROUNDS)
        ]
    )

    def check_and_append() -> None:
        data = next(idempotent)
        checked = checked_batch(data, 1 << 20)
        if log.duplicate_of(checked) is None:
            log.append(checked, data, 0, 1000)

    rows = [
        ("check", microseconds(lambda: checked_batch(batch, 1 << 20))),
        ("append", microseconds(lambda: log.append(header, batch, 0, 1000))),
        ("check, look for a repeat, append", microseconds(check_and_append)),
    ]
    end = log.log_end_offset
    rows += [
        ("read the last batch", microseconds(lambda: log.read(end - 1, 1 << 20, end, True))),
        ("read 64 KiB behind", microseconds(lambda: log.read(end // 2, 1 << 16, end, True), 500)),
    ]
    large = build_batch([(1000, b"key", bytes(1 << 20))])
    large_header = checked_batch(large, 2 << 20)
    rows.append(("check 1 MiB", microseconds(lambda: checked_batch(large, 2 << 20), 20)))
    rows.append(("append 1 MiB", microseconds(lambda: log.append(large_header, large, 0, 1), 20)))
    last = log.log_end_offset - 1
    rows.append(("read 1 MiB", microseconds(lambda: log.read(last, 2 << 20, last + 1, True), 20)))
    store.close()
    for what, cost in rows:
        print(f"{name:8} {what:34} {cost:9.1f} us")


def measure_opening(directory: str) -> None:
    """Closing and opening a thousand logs, and recovering one of a hundred megabytes."""
    batch = build_batch([(1000, b"key", bytes(1000))])
    header = checked_batch(batch, 1 << 20)
    store = FileLogStore(RealFiles(is_forcing=False), directory)
    logs = [store.open(TOPIC, "bench", number, LogConfig()) for number in range(LOGS)]
    for log in logs:
        for _ in range(10):
            log.append(header, batch, 0, 1000)
    started = perf_counter()
    store.close()
    print(f"close {LOGS} logs {perf_counter() - started:24.2f} s")
    for is_clean in (True, False):
        started = perf_counter()
        store = FileLogStore(RealFiles(is_forcing=False), directory)
        logs = [store.open(TOPIC, "bench", number, LogConfig()) for number in range(LOGS)]
        kind = "clean" if store.was_clean else "unclean"
        print(f"open {LOGS} logs, {kind:8} {perf_counter() - started:15.2f} s")
        if is_clean:
            for _ in range(100_000):
                logs[0].append(header, batch, 0, 1000)
        store.close(is_clean=False)


def main() -> None:
    for name, files in (("memory", MemoryFiles()), ("files", RealFiles())):
        with tempfile.TemporaryDirectory() as directory:
            measure_hot_path(name, files, directory)
    with tempfile.TemporaryDirectory() as directory:
        measure_opening(directory)


if __name__ == "__main__":
    main()
