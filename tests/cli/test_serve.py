"""`kproof serve`: what it prints, what it refuses, and how it ends."""

import json
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from impl_support.raw_client import RawClient, api_versions, fetch, made_topic, produced
from impl_support.serving import serving

Kproof = Callable[..., CompletedProcess[str]]

KPROOF = str(Path(sys.executable).with_name("kproof"))
SECONDS = 30


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The command as a person has it, and its port; killed at the end if it still runs."""
    with subprocess.Popen(
        [KPROOF, "serve", "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            first = process.stdout.readline()
            found = re.fullmatch(r"kproof: listening on 127\.0\.0\.1:(\d+)\n", first)
            assert found is not None, first
            yield process, int(found[1])
        finally:
            process.kill()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The exit code, and what was printed since."""
    assert process.stdout is not None
    assert process.stderr is not None
    # Not `communicate`, which loses what `readline` has read ahead.  Neither fills its pipe.
    out, error = process.stdout.read(), process.stderr.read()
    return process.wait(SECONDS), out, error


# -- what is refused ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--config", "num.partition=3"), ["num.partition is no setting", "num.partitions?"]),
        (("--config", "num.partitions"), ["expected KEY=VALUE"]),
        (("--config", "num.partitions=x"), ["num.partitions", "Not a number"]),
        (("--config", "a=1", "--config", "a=2"), ["a was given twice: 1 and 2"]),
        (("--topic", "orders:0"), ["NAME:PARTITIONS", "orders:3"]),
        (("--topic", "orders:many"), ["NAME:PARTITIONS"]),
        (("--topic", ":3"), ["NAME:PARTITIONS"]),
        (("--topic", "a", "--topic", "a:2"), ["a was given twice"]),
        (("--topic", "no/topic"), ["no/topic", "INVALID_TOPIC_EXCEPTION"]),
        (("--topic", "a", "--config", "delete.topic.enable=perhaps"), ["true or false"]),
        (("--in-memory", "--data-dir", "x"), ["--in-memory", "--data-dir", "give one"]),
        (("--port", "70000"), ["70000", "65535"]),
        (("--port", "many"), ["many"]),
        (("--host", "192.0.2.1"), ["192.0.2.1", "this machine"]),
        (("--data-dir", "/dev/null/x"), ["/dev/null/x"]),
        (("--uvlop",), ["--uvlop"]),
        (("--data-dir", ""), ["--data-dir", "empty"]),
        (("--advertised-host", ""), ["--advertised-host is empty"]),
        (("--config", "num.partitions=20000"), ["num.partitions"]),
        (("--config", "group.max.session.timeout.ms=1"), ["no member could join"]),
    ],
)
def test_what_cannot_be_served_is_refused_with_what_to_do(
    kproof: Kproof, options: tuple[str, ...], told: list[str]
) -> None:
    done = kproof("serve", *(() if "--port" in options else ("--port", "0")), *options)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("kproof: ")
    assert done.stderr.count("\n") == 1
    assert [part for part in told if part not in done.stderr] == []


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_a_closed_stream_is_nobody_who_reads(closed: str) -> None:
    shell = f"{KPROOF} list {closed}; {KPROOF} check nothing {closed}"
    done = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "fault of kproof" not in done.stderr


def test_a_port_in_use_is_named_with_what_to_do(kproof: Kproof) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        done = kproof("serve", "--port", port, "--in-memory")

    assert done.returncode == 2
    assert f"port {port} of 127.0.0.1 is in use" in done.stderr
    assert "--port 0" in done.stderr


def test_two_brokers_do_not_use_one_directory(kproof: Kproof, tmp_path: Path) -> None:
    with serving("--data-dir", str(tmp_path / "logs")) as broker:
        done = kproof("serve", "--port", "0", "--data-dir", str(tmp_path / "logs"))

        assert done.returncode == 2
        assert "nother broker uses the directory" in done.stderr
        with RawClient(broker.port) as client:
            assert client.ask(api_versions(1))


# -- what is printed ---------------------------------------------------------------------------


def test_a_person_is_told_the_address_the_data_a_client_line_and_how_to_stop(
    tmp_path: Path,
) -> None:
    with started("--data-dir", str(tmp_path), "--topic", "orders:3") as (process, port):
        process.send_signal(signal.SIGINT)
        code, out, error = ended(process)

    assert code == 0
    assert f"data    {tmp_path}\n" in out
    assert f"kcat -b 127.0.0.1:{port} -t orders -P" in out
    assert f'Producer({{"bootstrap.servers": "127.0.0.1:{port}"}})' in out
    assert "Ctrl-C" in out
    assert out.endswith("kproof: stopped\n")
    assert error == "kproof: stopping; once more to stop at once\n"


def test_the_printed_lines_of_python_are_a_producer() -> None:
    confluent_kafka = pytest.importorskip("confluent_kafka")
    with started("--in-memory") as (process, port):
        process.send_signal(signal.SIGTERM)
        out = ended(process)[1]
    start = out.index("from confluent_kafka")
    lines = [line.strip() for line in out[start:].splitlines()[:3]]

    with serving("--in-memory") as broker:
        code = "\n".join(lines).replace(f":{port}", f":{broker.port}")
        exec(compile(code, "the printed lines", "exec"), {})

        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": f"127.0.0.1:{broker.port}",
            "group.id": "readers",
            "auto.offset.reset": "earliest",
        })  # fmt: skip
        consumer.subscribe(["orders"])
        message = consumer.poll(SECONDS)
        consumer.close()
    assert message.value() == b"hello"


def test_quiet_prints_the_address_alone() -> None:
    with started("--in-memory", "--quiet") as (process, port):
        with RawClient(port) as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            assert client.is_closed_within(1.0)
        process.send_signal(signal.SIGTERM)

        assert ended(process) == (0, "", "")


def test_what_was_refused_is_told_on_standard_error() -> None:
    with started("--in-memory") as (process, port):
        with RawClient(port) as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            assert client.is_closed_within(1.0)
        process.send_signal(signal.SIGTERM)
        error = ended(process)[2]

    assert re.match(r"kproof: refused: 127\.0\.0\.1:\d+: a frame of 1195725856 bytes", error)


def test_json_has_one_object_a_line_and_nothing_else(tmp_path: Path) -> None:
    with subprocess.Popen(
        [KPROOF, "serve", "--port", "0", "--json", "--data-dir", str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        listening = json.loads(process.stdout.readline())
        process.terminate()
        code, out, error = ended(process)

    assert listening == {
        "event": "listening",
        "host": "127.0.0.1",
        "port": listening["port"],
        "bootstrap_servers": f"127.0.0.1:{listening['port']}",
        "data_dir": str(tmp_path),
        "is_temporary": False,
    }
    assert [json.loads(line) for line in out.splitlines()] == [{"event": "stopped"}]
    assert (code, error) == (0, "")


def test_a_reader_of_its_output_that_goes_away_does_not_end_it() -> None:
    with started("--in-memory") as (process, port):
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stderr.close()
        with RawClient(port) as client:
            client.send(b"GET / HTTP/1.1\r\n\r\n")
            assert client.is_closed_within(1.0)
        with RawClient(port) as client:
            assert client.ask(api_versions(1))
        process.terminate()
        # Nobody was there to read that it has stopped.
        assert process.wait(SECONDS) in (0, 141)


# -- how it ends -------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_with_clients_that_wait(number: signal.Signals) -> None:
    with serving() as broker, RawClient(broker.port) as client:
        data_dir = Path(broker.events("listening")[0]["data_dir"])
        topic = made_topic(broker.port, "orders")
        client.send(fetch(1, topic, 0, max_wait_ms=600_000))
        assert data_dir.is_dir()

        broker.process.send_signal(number)

        assert broker.ended() == 0
        assert client.is_closed_within(1.0)
        assert not data_dir.exists()
    assert broker.wrong == []


def test_a_second_signal_ends_it_at_once() -> None:
    with serving("--in-memory") as broker:
        topic = made_topic(broker.port, "large")
        # A client that does not read its answers makes the first signal wait for a moment.
        with RawClient(broker.port) as client, RawClient(broker.port) as writer:
            for _ in range(4):
                produced(writer, topic, bytes(900_000))
            client.send(b"".join(fetch(number, topic, 0) for number in range(10)))
            time.sleep(0.3)
            broker.process.send_signal(signal.SIGINT)
            time.sleep(0.2)
            broker.process.send_signal(signal.SIGINT)
            assert broker.process.wait(SECONDS) == 130


# -- what it costs -----------------------------------------------------------------------------


def test_serving_imports_none_of_the_checkers_heavy_modules() -> None:
    script = (
        "import sys, threading, os, signal, time\n"
        "from kproof_checker.cli.main import run\n"
        "threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()\n"
        "try: run(['serve', '--port', '0', '--in-memory', '--quiet', '--topic', 'orders'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "heavy = ('numpy', 'z3', 'llvmlite', 'networkx', 'rich', 'kproof_spec', 'hypothesis')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )

    assert done.stdout.splitlines()[-1] == "[]"


def test_it_listens_soon() -> None:
    began = time.monotonic()
    with started("--in-memory"):
        assert time.monotonic() - began < 5  # It takes a fifth of a second on a quiet machine.
