"""Load for the broker's benchmarks: librdkafka, driven from C where that can be compiled.

Through confluent-kafka every message costs Python a microsecond or three, which is more than it
costs the broker; then the figures of all servers come near each other and say little.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import time
from importlib.metadata import files
from pathlib import Path
from typing import Any, Protocol

SOURCE = Path(__file__).with_name("broker_load.c")
BULK = ("linger.ms=5",)
ONE_BY_ONE = ("linger.ms=0", "batch.num.messages=1")
AT_ONCE = ("linger.ms=0",)

Figures = dict[str, float]


class Client(Protocol):
    """How load is made; each call returns messages, bytes, seconds and what else it knows."""

    name: str

    def run(
        self, mode: str, address: str, topic: str, count: int, size: int, settings: tuple[str, ...]
    ) -> Figures: ...


class InC:
    """`broker_load.c`."""

    name = "librdkafka from C"

    def __init__(self, program: Path) -> None:
        self.program = program

    def run(
        self, mode: str, address: str, topic: str, count: int, size: int, settings: tuple[str, ...]
    ) -> Figures:
        """One process of it.  Raises `RuntimeError` with its words if it fails."""
        command = [str(self.program), mode, address, topic, str(count), str(size), *settings]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
        figures: Figures = json.loads(done.stdout)
        return figures


class InPython:
    """confluent-kafka, for machines without a C compiler."""

    name = "librdkafka from Python (the client is the limit: compare ratios with care)"

    def run(
        self, mode: str, address: str, topic: str, count: int, size: int, settings: tuple[str, ...]
    ) -> Figures:
        """The same from Python."""
        config = dict(setting.split("=", 1) for setting in settings)
        config["bootstrap.servers"] = address
        return getattr(self, mode)(config, topic, count, size)  # type: ignore[no-any-return]

    def produce(self, config: dict[str, Any], topic: str, count: int, size: int) -> Figures:
        """Produces and waits for the last acknowledgement."""
        from confluent_kafka import Producer  # noqa: PLC0415 - Only where it is the client.

        producer = Producer({**config, "queue.buffering.max.messages": 500_000})
        value = bytes(size)
        producer.produce(topic, value, partition=0)
        producer.flush()
        started = time.perf_counter()
        for _ in range(count):
            while True:
                try:
                    producer.produce(topic, value, partition=0)
                    break
                except BufferError:
                    producer.poll(0.01)
        _all_sent(producer.flush(120))
        return _figures(count, size, time.perf_counter() - started)

    def consume(self, config: dict[str, Any], topic: str, count: int, size: int) -> Figures:
        """Reads from the start."""
        from confluent_kafka import Consumer, TopicPartition  # noqa: PLC0415 - As above.

        consumer = Consumer({**config, "group.id": "bench", "enable.auto.commit": False})
        consumer.assign([TopicPartition(topic, 0, 0)])
        first = len(consumer.consume(1, 30))
        started = time.perf_counter()
        received = 0
        while received < count - first:
            messages = consumer.consume(10_000, 10)
            if not messages:
                raise RuntimeError(f"after {received} of {count} records nothing came in 10 s")
            received += len(messages)
        seconds = time.perf_counter() - started
        consumer.close()
        return _figures(received, size, seconds)

    def ack(self, config: dict[str, Any], topic: str, count: int, size: int) -> Figures:
        """Sends each message when the last is acknowledged."""
        from confluent_kafka import Producer  # noqa: PLC0415 - As above.

        producer = Producer(config)
        value = bytes(size)
        took = []
        for _ in range(count + 200):
            started = time.perf_counter()
            producer.produce(topic, value, partition=0)
            _all_sent(producer.flush(30))
            took.append(time.perf_counter() - started)
        took = sorted(took[200:])
        figures = _figures(count, size, sum(took))
        places = {"p50_ms": 0.5, "p99_ms": 0.99, "p999_ms": 0.999, "max_ms": 1}
        for name, place in places.items():
            figures[name] = 1000 * took[min(int(count * place), count - 1)]
        return figures


def _figures(count: int, size: int, seconds: float) -> Figures:
    return {"messages": count, "bytes": count * size, "seconds": seconds}


def _all_sent(left: int) -> None:
    if left:
        raise RuntimeError(f"{left} messages are not acknowledged in time")


def best_client() -> Client:
    """C if there is a compiler and the library it needs."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    library = _bundled_library()
    if compiler is None or library is None:
        return InPython()
    program = Path(tempfile.mkdtemp(prefix="kproof-bench-")) / "broker_load"
    command = [compiler, "-O2", "-o", str(program), str(SOURCE), str(library)]
    command += [f"-Wl,-rpath,{library.parent}", "-Wl,--allow-shlib-undefined"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"broker_load.c does not compile here, so Python makes the load:\n{done.stderr}")
        return InPython()
    return InC(program)


def _bundled_library() -> Path | None:
    """The librdkafka in the wheel of confluent-kafka."""
    for file in files("confluent-kafka") or ():
        if file.name.startswith("librdkafka") and ".so" in file.name:
            return Path(str(file.locate())).resolve()
    return None
