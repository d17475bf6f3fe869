"""A broker that can be killed and started again on the same port, and those who only ask it.

It records its steps; what it leaves behind is kept when an example fails, and the failure says
where.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from impl_support.clients_broker import eventually
from impl_support.real_client_model import Content, Place
from impl_support.real_members import Nursery
from impl_support.serving import Serving

ASK_SECONDS = 20.0
FAILURES_KEPT = 3
KPROOF = (str(Path(sys.executable).with_name("kproof")),)
QUICK: dict[str, str | int | float | bool] = {
    "reconnect.backoff.ms": 20,
    "reconnect.backoff.max.ms": 100,
    "retry.backoff.ms": 20,
    "log_level": 0,
}
"""For clients that are not to wait long for a broker that comes back."""


class RealCluster:
    """One broker, its folder, and the process that members are forked from."""

    kept: ClassVar[Path | None] = None
    """Where the last example that failed was kept."""

    def __init__(
        self,
        topics: Mapping[str, tuple[int, Mapping[str, str]]],
        *options: str,
        command: Sequence[str] = KPROOF,
    ) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="kproof-machine-"))
        self.places = [(name, part) for name, (count, _) in topics.items() for part in range(count)]
        self._topics = topics
        self._options = options
        self._command = command
        self._launches = 0
        self.port = 0
        self.program: list[str] = []
        """What was done so far, for who has to find out what went wrong."""
        self.started_ms = 0
        """When the present process was listening, by the wall clock."""

    def __enter__(self) -> Self:
        self.nursery = Nursery(self.folder).__enter__()
        self.launch()
        config = {**QUICK, "bootstrap.servers": self.address}
        self._reader = Consumer(
            {
                **config,
                "group.id": "nobody",
                "enable.auto.commit": False,
                "auto.offset.reset": "earliest",
                "fetch.wait.max.ms": 20,
            }
        )
        new = [
            NewTopic(name, count, 1, config=dict(of)) for name, (count, of) in self._topics.items()
        ]
        admin = self._new_admin()
        for future in admin.create_topics(new).values():
            future.result(ASK_SECONDS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._reader.close()
        self.serving.end()
        self._close_pipes()
        self.nursery.__exit__(kind, error, trace)
        if not isinstance(error, Exception):  # Hypothesis ends an example by what is none.
            shutil.rmtree(self.folder)
            return
        kept = _new_place_for_failures()
        said = ("program.txt", "\n".join(self.program)), ("failure.txt", _as_text(error))
        for name, text in (*said, ("said.txt", f"{self.serving.said}\n{self.serving.wrong}")):
            (self.folder / name).write_text(text + "\n", "utf-8")
        self.folder.rename(kept)
        RealCluster.kept = kept
        error.add_note(f"What was done, what the broker recorded and said, and its logs: {kept}")

    # -- the broker's process --------------------------------------------------------------------

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Starts the broker on what it left behind."""
        self._launches += 1
        recording = self.folder / f"recording-{self._launches}.kproof"
        where = ("--port", str(self.port), "--data-dir", str(self.folder / "data"))
        recorded = ("--record", str(recording))
        self.serving = Serving(
            subprocess.Popen(
                [*self._command, "serve", "--json", *where, *recorded, *self._options],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        self.serving.wait_until_listening()
        self.port = self.serving.port
        self.started_ms = now_ms()

    def kill(self) -> None:
        """As kill -9 does, if it still runs as it should."""
        self.check_runs()
        self.serving.kill()
        self._close_pipes()

    def stop(self) -> None:
        """As SIGTERM does; it has to end well."""
        self.check_runs()
        code = self.serving.end()
        assert code == 0, f"the broker ended with {code}: {self.serving.said[-3:]}"
        assert not self.serving.wrong, self.serving.wrong
        self._close_pipes()

    def _close_pipes(self) -> None:
        for pipe in (self.serving.process.stdout, self.serving.process.stderr):
            assert pipe is not None
            pipe.close()

    def check_runs(self) -> None:
        """It has not stopped over a step that the specification does not allow, or any fault."""
        assert self.serving.process.poll() is None, f"the broker stopped: {self.serving.said[-3:]}"

    def _new_admin(self) -> AdminClient:
        """One that has no connection from before a kill: requests on it just fail."""
        return AdminClient({**QUICK, "bootstrap.servers": self.address})

    # -- what it says ----------------------------------------------------------------------------

    def watermarks(self, place: Place) -> tuple[int, int]:
        """Where the log starts and where it ends, exclusive.  A new broker is asked again."""
        found: list[tuple[int, int]] = []

        def ask() -> bool:
            try:
                found.append(
                    self._reader.get_watermark_offsets(TopicPartition(*place), timeout=ASK_SECONDS)
                )
            except KafkaException:  # The connection of before; `eventually` gives up.
                self.check_runs()
            return bool(found)

        eventually(ask, f"the watermarks of {place}", ASK_SECONDS)
        return found[0]

    def committed(self, group: str) -> dict[Place, int]:
        """A group's committed offsets; -1 where there is none."""
        asker = Consumer({**QUICK, "bootstrap.servers": self.address, "group.id": group})
        try:
            asked = [TopicPartition(*place) for place in self.places]
            answers = asker.committed(asked, timeout=ASK_SECONDS)
            return {(each.topic, each.partition): max(each.offset, -1) for each in answers}
        finally:
            asker.close()

    def member_ids(self, group: str) -> set[str]:
        """The ids of a group's members, as the broker tells them."""
        admin = self._new_admin()
        (future,) = admin.describe_consumer_groups([group], request_timeout=ASK_SECONDS).values()
        return {each.member_id for each in future.result(ASK_SECONDS).members}

    def delete_records(self, place: Place, offset: int) -> int:
        """The new start of the log."""
        asked = [TopicPartition(*place, offset)]
        admin = self._new_admin()  # Held here: what it was asked ends with it.
        (future,) = admin.delete_records(asked, request_timeout=ASK_SECONDS).values()
        start = future.result(ASK_SECONDS).low_watermark
        assert isinstance(start, int)
        return start

    def read(self, place: Place, start: int, end: int) -> list[tuple[int, Content]]:
        """What a consumer that nobody has seen before reads there: offset, key and value."""
        found: list[tuple[int, Content]] = []
        if start >= end:
            return found
        self._reader.assign([TopicPartition(*place, start)])

        def take() -> bool:
            for message in self._reader.consume(end - start - len(found), 0.2):
                if message.error() is None:
                    offset = message.offset()
                    assert offset is not None
                    found.append((offset, (message.key(), message.value())))
            is_read = bool(found) and found[-1][0] >= end - 1
            return is_read or self.watermarks(place)[0] >= end  # Retention was there first.

        eventually(take, f"{place} can be read from {start} to {end}", ASK_SECONDS)
        self._reader.unassign()
        return found

    def new_consumer_config(self, group: str, **settings: Any) -> dict[str, Any]:
        """Of a member that commits when it is told to.

        It refreshes its metadata every second: librdkafka 2.16 waits for that, by default for five
        minutes, if a broker was killed before it had answered the Metadata request of a join.
        """
        return {
            **QUICK,
            "topic.metadata.refresh.interval.ms": 1_000,
            "bootstrap.servers": self.address,
            "group.id": group,
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
            "fetch.wait.max.ms": 20,
            "fetch.error.backoff.ms": 20,
            **settings,
        }


def now_ms() -> int:
    """By the wall clock, which the broker's and the clients' timestamps follow."""
    return time.time_ns() // 1_000_000


def _new_place_for_failures() -> Path:
    """The first failures of a process are kept, then always the last: the smallest program."""
    for number in range(1, FAILURES_KEPT + 1):
        kept = Path(tempfile.gettempdir()) / f"kproof-machine-failed-{os.getpid()}-{number}"
        if not kept.exists():
            return kept
    shutil.rmtree(kept)
    return kept


def _as_text(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))
