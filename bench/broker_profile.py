"""Where the broker's CPU time goes under load, by sampling: each millisecond of it, which line?

The time of a call into C (reading a socket, writing a file, a checksum) is its line's, since Python
notices a signal only when the call is back.

    python bench/broker_profile.py --only "one-message requests, 100 B, acks=1"
"""

from __future__ import annotations

import argparse
import asyncio
import json
import linecache
import signal
import sys
import tempfile
from collections import Counter
from pathlib import Path
from types import FrameType

from broker import READ_LEFT, Row, rows
from broker_clients import best_client
from broker_servers import Server

SAMPLE_SECONDS = 0.001
PACKAGE = "kproof_impl"


class Sampler:
    """Counts samples of this process' CPU time by place."""

    def __init__(self) -> None:
        self.lines: Counter[tuple[str, int]] = Counter()
        self.rooms: Counter[str] = Counter()

    def begin(self) -> None:
        """From now on."""
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, SAMPLE_SECONDS, SAMPLE_SECONDS)

    def _sample(self, number: int, frame: FrameType | None) -> None:
        if frame is None:
            return
        self.lines[frame.f_code.co_filename, frame.f_lineno] += 1
        inner: FrameType | None = frame
        while inner is not None and PACKAGE not in inner.f_code.co_filename:
            inner = inner.f_back
        if inner is None:
            room = "the event loop" if "asyncio" in frame.f_code.co_filename else "elsewhere"
        else:
            room = inner.f_code.co_filename.partition(f"{PACKAGE}/")[2]
        self.rooms[room] += 1

    def save(self, path: Path) -> None:
        """As JSON."""
        lines = [[*place, count] for place, count in self.lines.most_common(60)]
        path.write_text(json.dumps({"rooms": self.rooms.most_common(), "lines": lines}))


async def serve(folder: Path) -> None:
    """The broker with a sampler, until SIGTERM; SIGUSR1 forgets what was sampled so far."""
    from kproof_impl import Broker  # noqa: PLC0415 - Only the process that serves needs it.

    sampler, stop = Sampler(), asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    async with Broker(data_dir=folder / "data") as broker:
        print(broker.bootstrap_servers, flush=True)
        sampler.begin()

        def forget() -> None:
            sampler.lines.clear()
            sampler.rooms.clear()

        loop.add_signal_handler(signal.SIGUSR1, forget)
        await stop.wait()
        signal.setitimer(signal.ITIMER_PROF, 0)
    sampler.save(folder / "samples.json")


def main() -> None:
    """Makes the load of one row, and prints where the time went."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--only", default="one-message requests, 100 B, acks=1", help="which row")
    parser.add_argument("--scale", type=float, default=1.0, help="times as many messages")
    parser.add_argument("--lines", type=int, default=25, help="how many lines are shown")
    parser.add_argument("--serve", type=Path, default=None, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve is not None:
        asyncio.run(serve(given.serve))
        return
    row = next(row for row in rows(given.scale) if given.only in row.what)
    with tempfile.TemporaryDirectory(prefix="kproof-bench-") as name:
        folder = Path(name)
        server = Server("kproof", [sys.executable, __file__, "--serve", str(folder)])
        seconds, messages = load(server, row)
        server.stop()
        samples = json.loads((folder / "samples.json").read_text())
    show(row, seconds, messages, samples, given.lines)


def load(server: Server, row: Row) -> tuple[float, float]:
    """CPU seconds of the broker, and how many messages it got or gave meanwhile."""
    client = best_client()
    topic = f"bench-{row.size}"
    if row.mode == "consume":
        more = ("acks=1", "linger.ms=5")
        client.run("produce", server.address, topic, row.count + READ_LEFT, row.size, more)
    before = server.cpu_seconds
    server.process.send_signal(signal.SIGUSR1)
    figures = client.run(row.mode, server.address, topic, row.count, row.size, row.settings)
    return server.cpu_seconds - before, figures["messages"]


def show(
    row: Row, seconds: float, messages: float, samples: dict[str, list[list[object]]], most: int
) -> None:
    """The table."""
    total = sum(int(str(count)) for _, count in samples["rooms"])
    each = 1e6 * seconds / messages
    print(f"{row.what}: {each:.2f} us of the broker's CPU time a message")
    for room, count in samples["rooms"]:
        share = int(str(count)) / total
        if share >= 0.005:
            print(f"  {share:>6.1%} {share * each:>8.2f} us  {room}")
    print("the hottest lines")
    for name, line, count in samples["lines"][:most]:
        share = int(str(count)) / total
        text = linecache.getline(str(name), int(str(line))).strip()[:70]
        place = "/".join(Path(str(name)).parts[-2:])
        print(f"  {share:>6.1%} {share * each:>8.2f} us  {place}:{line}  {text}")


if __name__ == "__main__":
    main()
