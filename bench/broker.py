"""The broker through librdkafka, against a stub that only answers and librdkafka's mock cluster.

The stub (`stub_server.py`) has the same loop, precomputed replies and no storage: what a client
reaches against it is the limit of everything but the broker.  The servers take turns, and the
median of the runs counts.  The mock cluster keeps 5 MB a partition, so nothing is read from it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from broker_clients import AT_ONCE, BULK, ONE_BY_ONE, Client, Figures, InPython, best_client
from broker_servers import COMPILED, Server, kproof, mock, stub

READ_LEFT = 12_000
"""Records at the end of a topic that are not waited for, so that no time-out is measured."""

FILE_ALONE = "a file alone, writes of 950 kB"

EMBEDDED = """
import time
before = time.perf_counter()
import asyncio
from kproof_impl import Broker
async def main():
    async with Broker() as broker:
        print(time.perf_counter() - before)
asyncio.run(main())
"""


@dataclass(frozen=True)
class Row:
    """One measurement that all servers get."""

    what: str
    mode: str
    size: int
    count: int
    settings: tuple[str, ...]
    figure: str
    """Which figure counts: of the load's own, or `rate` or `megabytes`."""
    unit: str
    aim: str = ">= 60 % of the stub"


def rows(scale: float) -> list[Row]:
    """What is measured; reading comes after writing, since it reads what was written."""
    found = []
    for size, most in ((100, 2_000_000), (1024, 400_000)):
        count = int(most * scale)
        for acks in ("1", "all"):
            what = f"produce {size} B, acks={acks}"
            bulk = (f"acks={acks}", *BULK)
            found.append(Row(what, "produce", size, count, bulk, "megabytes", "MB/s"))
        what = f"consume {size} B"
        fetch = ("fetch.message.max.bytes=1048576",)
        written = 2 * count - READ_LEFT
        found.append(Row(what, "consume", size, written, fetch, "megabytes", "MB/s"))
    one = int(100_000 * scale)
    for acks in ("1", "all"):
        what = f"one-message requests, 100 B, acks={acks}"
        single = (f"acks={acks}", *ONE_BY_ONE)
        found.append(Row(what, "produce", 100, one, single, "rate", "requests/s"))
    settings = ("acks=all", *AT_ONCE)
    few = int(5_000 * scale)
    what = "acknowledgement, one at a time"
    found.append(Row(f"{what}, p50", "ack", 100, few, settings, "p50_ms", "ms", ""))
    found.append(Row(f"{what}, p99", "ack", 100, few, settings, "p99_ms", "ms", "< 1 ms"))
    return found


def measured(client: Client, server: Server, row: Row) -> Figures:
    """One measurement of one server."""
    topic = f"bench-{row.size}"
    before = server.cpu_seconds
    figures = client.run(row.mode, server.address, topic, row.count, row.size, row.settings)
    figures["server_cpu_seconds"] = server.cpu_seconds - before
    figures["rate"] = figures["messages"] / figures["seconds"]
    figures["megabytes"] = figures["bytes"] / figures["seconds"] / 1e6
    return figures


def measure_all(
    client: Client, servers: dict[str, Callable[[], Server]], given: argparse.Namespace
) -> dict[tuple[str, str], list[Figures]]:
    """Every row of every server, `--runs` times; the servers take turns row by row."""
    found: dict[tuple[str, str], list[Figures]] = defaultdict(list)
    for _ in range(given.runs):
        running = {name: start() for name, start in servers.items()}
        try:
            for name, server in running.items():
                start = {"start_ms": 1000 * server.start_seconds}
                found["start", name].append(start)
                if name == "kproof":
                    found[FILE_ALONE, name].append({"mb": file_megabytes(given.folder)})
                found["resident at the start", name].append({"mb": server.resident_bytes / 1e6})
            last: dict[str, Figures] = {}
            for row in rows(given.scale):
                if given.only and given.only not in row.what:
                    continue
                for name, server in running.items():
                    if row.mode == "consume" and name == "mock":
                        continue
                    if row.figure != "p99_ms":  # p50 and p99 are of one measurement.
                        last[name] = measured(client, server, row)
                    found[row.what, name].append(last[name])
            for name, server in running.items():
                found["resident at the end", name].append({"mb": server.resident_bytes / 1e6})
        finally:
            for server in running.values():
                server.stop()
    return found


def file_megabytes(folder: str | None) -> float:
    """MB/s of a file alone, written as the broker does: what no broker on this disk exceeds."""
    data = bytes(950_000)
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        started = time.perf_counter()
        for _ in range(400):
            os.writev(file.fileno(), (data[:16], memoryview(data)[16:]))
        return 400 * len(data) / (time.perf_counter() - started) / 1e6


def embedded_milliseconds(runs: int) -> float:
    """From the start of a Python program's imports until `async with Broker()` is entered."""
    times = []
    for _ in range(runs):
        done = subprocess.run(
            [sys.executable, "-c", EMBEDDED],
            capture_output=True,
            text=True,
            check=True,
            env=COMPILED,
        )
        times.append(1000 * float(done.stdout))
    return statistics.median(times)


def table(found: dict[tuple[str, str], list[Figures]], given: argparse.Namespace) -> list[Any]:
    """The medians, row by row."""
    kinds = [(row.what, row.figure, row.unit, row.aim, row.mode) for row in rows(given.scale)]
    kinds.append((FILE_ALONE, "mb", "MB/s", "", ""))
    kinds.append(("start", "start_ms", "ms", "< 300 ms", ""))
    kinds.append(("resident at the start", "mb", "MB", "", ""))
    kinds.append(("resident at the end", "mb", "MB", "", ""))
    lines = []
    for what, figure, unit, aim, mode in kinds:
        line: dict[str, Any] = {"what": what, "unit": unit, "aim": aim}
        for name in ("kproof", "stub", "mock"):
            runs = found.get((what, name), [])
            if runs:
                line[name] = statistics.median(run[figure] for run in runs)
        if name_of := line.get("kproof"):
            if line.get("stub") and mode in ("produce", "consume"):
                line["ratio"] = name_of / line["stub"]
            if mode in ("produce", "consume"):
                run = found[what, "kproof"]
                line["cpu_us"] = statistics.median(
                    1e6 * one["server_cpu_seconds"] / one["messages"] for one in run
                )
        if len(line) > 3:
            lines.append(line)
    return lines


def show(lines: list[Any], where: dict[str, Any]) -> None:
    """The table for people."""
    print("The broker through librdkafka, in one run with a stub and with librdkafka's mock")
    print(f"  {'':<38}{'kproof':>10}{'stub':>10}{'mock':>10}  {'':<11}of stub  CPU/message")
    for line in lines:
        parts = [f"  {line['what']:<38}"]
        values = (
            _number(line[name]) if name in line else "" for name in ("kproof", "stub", "mock")
        )
        parts.extend(f"{value:>10}" for value in values)
        parts.append(f"  {line['unit']:<11}")
        parts.append(f"{line['ratio']:>7.0%}" if "ratio" in line else f"{'':>7}")
        parts.append(f"{line['cpu_us']:>10.2f} us" if "cpu_us" in line else f"{'':>13}")
        parts.append(f"  (aim: {line['aim']})" if line["aim"] else "")
        print("".join(parts).rstrip())
    print(
        f"  {where['cores']} cores, load {where['load'][0]} before and {where['load_after'][0]} "
        f"after; Python {where['python']}; {where['client']}; median of {where['runs']}"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.3g}"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--runs", type=int, default=3, help="the median of so many runs counts")
    parser.add_argument("--scale", type=float, default=1.0, help="times as many messages")
    parser.add_argument("--only", default="", help="only rows with these words")
    parser.add_argument("--without", action="append", default=[], help="leave out a server")
    parser.add_argument("--python", action="store_true", help="make the load from Python")
    parser.add_argument("--folder", default=None, help="where the broker's data directory is made")
    given = parser.parse_args()
    client: Client = InPython() if given.python else best_client()
    servers = {"kproof": lambda: kproof(folder=given.folder), "stub": stub, "mock": mock}
    servers = {name: start for name, start in servers.items() if name not in given.without}
    where: dict[str, Any] = {
        "cores": os.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        "client": client.name,
        "runs": given.runs,
    }
    found = measure_all(client, servers, given)
    lines = table(found, given)
    if "kproof" in servers:
        embedded = embedded_milliseconds(given.runs)
        line = {"what": "async with Broker(), imports included", "kproof": embedded}
        lines.append({**line, "unit": "ms", "aim": "< 300 ms"})
    where["load_after"] = [round(load, 2) for load in os.getloadavg()]
    if given.json:
        runs = [{"what": key[0], "server": key[1], "runs": value} for key, value in found.items()]
        print(json.dumps({"where": where, "rows": lines, "runs": runs}, indent=2))
    else:
        show(lines, where)


if __name__ == "__main__":
    main()
