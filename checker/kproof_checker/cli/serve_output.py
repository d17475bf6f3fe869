"""What `kproof serve` prints: for a person, or one JSON object a line."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from kproof_impl import Broker
    from kproof_impl.shell.notices import Notice
    from kproof_impl.shell.server import Server

    from ..conformance.trial import Report

EXAMPLE_TOPIC = "orders"

EXAMPLE = """\
from confluent_kafka import Producer
producer = Producer({{"bootstrap.servers": "{address}"}})
producer.produce("{topic}", b"hello"); producer.flush()"""


@dataclass(frozen=True, slots=True)
class Counters:
    """What a broker has done until a moment.  Sizes in bytes."""

    connections: int
    requests: int
    bytes_in: int
    bytes_out: int
    topics: int
    partitions: int
    groups: int
    steps_verified: int | None = None
    """How many steps the specification has allowed; None: it is not asked."""


def counters(server: Server, steps_verified: int | None = None) -> Counters:
    """The counters of a running broker."""
    broker = server.broker
    return Counters(
        connections=len(server.connections),
        requests=broker.requests_count,
        bytes_in=server.bytes_in,
        bytes_out=server.bytes_out,
        topics=len(broker.topics.by_name),
        partitions=broker.topics.partitions_count,
        groups=broker.groups_count,
        steps_verified=steps_verified,
    )


class ServeOutput:
    """Standard output for what is asked for, standard error for what goes on.

    With JSON all lines are on standard output.  A reader that has gone is no reason to stop
    serving.
    """

    def __init__(
        self,
        *,
        is_json: bool = False,
        is_quiet: bool = False,
        out: TextIO | None = None,
        error: TextIO | None = None,
    ) -> None:
        self._is_json = is_json
        self._is_quiet = is_quiet
        self._out = out or sys.stdout
        self._error = error or sys.stderr
        is_terminal = self._error.isatty() and os.environ.get("TERM") != "dumb"
        self.is_renewing = is_terminal and not is_json and not is_quiet
        """Whether the counters stay on one line, which renews itself."""
        self._is_line_shown = False
        self._before: Counters | None = None
        self._before_seconds = 0.0

    # -- what happens --------------------------------------------------------------------------

    def listening(self, broker: Broker) -> None:
        """The broker can be connected to."""
        self._before, self._before_seconds = counters(broker.server), time.monotonic()
        if self._is_json:
            self._print_json(
                "listening",
                host=broker.advertised_host,
                port=broker.port,
                bootstrap_servers=broker.bootstrap_servers,
                data_dir=None if broker.data_dir is None else str(broker.data_dir),
                is_temporary=broker.is_temporary,
            )
            return
        self._write(self._out, f"kproof: listening on {broker.bootstrap_servers}")
        if not self._is_quiet:
            self._write(self._out, _introduction(broker))

    def tell(self, notice: Notice) -> None:
        """A connection was refused or closed, or the broker has failed at something."""
        if self._is_json:
            self._print_json(notice.kind, client=notice.client, text=notice.text)
        elif not self._is_quiet or notice.kind in ("fault", "warning"):
            self._clear()
            self._write(self._error, f"kproof: {notice}")

    def warn(self, text: str) -> None:
        """Something is not as it was asked for."""
        if self._is_json:
            self._print_json("warning", client="", text=text)
        else:
            self._write(self._error, f"kproof: {text}")

    def count(self, server: Server, steps_verified: int | None = None) -> None:
        """Shows the counters, if any has changed."""
        now, seconds = counters(server, steps_verified), time.monotonic()
        before, elapsed = self._before or now, seconds - self._before_seconds
        self._before, self._before_seconds = now, seconds
        if now == before or self._is_quiet:
            return
        if self._is_json:
            fields = {name: each for name, each in asdict(now).items() if each is not None}
            self._print_json("counters", seconds=round(elapsed, 3), **fields)
            return
        text = counters_line(now, before, elapsed)
        if self.is_renewing:
            self._write(self._error, f"\r\x1b[K{text[: _columns(self._error) - 1]}", end="")
            self._is_line_shown = True
        else:
            self._write(self._error, text)

    def stopping(self) -> None:
        """It was asked to stop."""
        self._clear()
        if not self._is_json and not self._is_quiet:
            self._write(self._error, "kproof: stopping; once more to stop at once")

    def stopped(self, steps_verified: int | None = None) -> None:
        """It has stopped cleanly."""
        if self._is_json:
            fields = {} if steps_verified is None else {"steps_verified": steps_verified}
            self._print_json("stopped", **fields)
        elif not self._is_quiet:
            self._write(self._out, f"kproof: stopped{_verified(steps_verified)}")

    def diverged(self, report: Report) -> None:
        """It did what the specification does not allow, and was stopped."""
        self._clear()
        if self._is_json:
            self._print_json("diverged", **report.as_json())
        else:
            self._write(self._error, f"kproof: {report.text()}")

    def close(self) -> None:
        """Takes the line of counters away."""
        self._clear()

    # -- how it is written ---------------------------------------------------------------------

    def _print_json(self, event: str, **fields: Any) -> None:
        self._write(self._out, json.dumps({"event": event, **fields}))

    def _clear(self) -> None:
        if self._is_line_shown:
            self._write(self._error, "\r\x1b[K", end="")
            self._is_line_shown = False

    @staticmethod
    def _write(stream: TextIO, text: str, end: str = "\n") -> None:
        try:
            stream.write(text + end)
            stream.flush()
        except (OSError, ValueError):
            return


def counters_line(now: Counters, before: Counters, seconds: float) -> str:
    """`3 connections, 1,200 requests/s, 4.0 MB/s in, 0.1 MB/s out, 7 partitions, 1 group`."""
    elapsed = max(seconds, 1e-3)

    def rate(amount: int) -> float:
        return amount / elapsed

    return (
        f"{_counted(now.connections, 'connection')}, "
        f"{rate(now.requests - before.requests):,.0f} requests/s, "
        f"{rate(now.bytes_in - before.bytes_in) / 1e6:,.1f} MB/s in, "
        f"{rate(now.bytes_out - before.bytes_out) / 1e6:,.1f} MB/s out, "
        f"{_counted(now.partitions, 'partition')}, {_counted(now.groups, 'group')}"
        f"{_verified(now.steps_verified)}"
    )


def _verified(steps: int | None) -> str:
    return "" if steps is None else f", {_counted(steps, 'step')} verified"


def _introduction(broker: Broker) -> str:
    names = [name for name in broker.server.broker.topics.by_name if not name.startswith("__")]
    topic = names[0] if names else EXAMPLE_TOPIC
    address = broker.bootstrap_servers
    example = EXAMPLE.format(address=address, topic=topic).replace("\n", "\n          ")
    if broker.data_dir is None:
        data = "in memory; gone at the end"
    elif broker.is_temporary:
        data = f"{broker.data_dir}; temporary, deleted at the end"
    else:
        data = str(broker.data_dir)
    return (
        f"  data    {data}\n"
        f"  topics  {', '.join(names[:10]) + (' ...' if len(names) > 10 else '') or 'none yet'}\n"
        f"  try     echo hello | kcat -b {address} -t {topic} -P\n"
        f"          kcat -b {address} -t {topic} -C -e\n"
        f"  python  {example}\n"
        "  stop    Ctrl-C"
    )


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing if count == 1 else thing + 's'}"


def _columns(stream: TextIO) -> int:
    try:
        return os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return 80
