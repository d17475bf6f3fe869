"""What clients should not send, on a real socket: refused at once, and nobody else notices."""

import socket
import struct
import time
from random import Random

import pytest

from impl_support.frames import damaged_frames
from impl_support.good_client import well_served
from impl_support.raw_client import (
    ANSWER_SECONDS,
    Gone,
    RawClient,
    api_versions,
    fetch,
    framed,
    made_topic,
    produce,
    produced,
    request,
)
from impl_support.serving import Serving

MEGABYTE = 1 << 20
FRAMES_OF_A_CONNECTION = 3  # Behind one that is refused nothing is read any more.

REFUSED = {
    "http": b"GET / HTTP/1.1\r\nHost: kafka\r\n\r\n",
    "tls": bytes.fromhex("160301020001fc0303") + bytes(300),
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "zeros": bytes(64),
    "negative length": struct.pack(">i", -1) + bytes(20),
    "largest length": struct.pack(">i", (1 << 31) - 1),
    "one byte over the limit": struct.pack(">i", 100 * MEGABYTE + 1),
    "too small for a header": framed(b"\0\x12\0\0"),
    "key that nobody has": request(4711, 0, 1),
    "key of brokers only": request(6, 0, 1),
    "negative key": request(-1, 0, 1),
    "old version": request(0, 2, 1, bytes(20)),
    "version to come": request(3, 99, 1, bytes(20)),
    "client id beyond the end": framed(struct.pack(">hhih", 18, 0, 1, 30_000)),
    "client id that is not UTF-8": framed(struct.pack(">hhih", 18, 0, 1, 2) + b"\xff\xfe"),
    # Four gigabytes of topics: kio would ask for 34 GB and end the process.
    "34 GB of topics": framed(struct.pack(">hhih", 3, 12, 1, -1) + b"\0\xff\xff\xff\xff\x0f"),
    "two billion topics": request(3, 1, 1, struct.pack(">i", (1 << 31) - 1)),
    "body cut off": request(0, 3, 1, b"\xff\xff"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_request_is_closed_within_a_second(attacked: Serving, what: str) -> None:
    with well_served(attacked.port), RawClient(attacked.port) as client:
        client.send(REFUSED[what])

        assert client.is_closed_within(1.0)


def test_a_request_for_a_negative_number_of_topics_is_one_for_all(attacked: Serving) -> None:
    with RawClient(attacked.port) as client:
        assert client.ask(request(3, 1, 1, struct.pack(">i", -1)))


def test_why_a_connection_was_closed_is_told_without_its_control_characters(
    attacked: Serving,
) -> None:
    time.sleep(1.1)  # Only so many are told in a second, and other tests have had theirs.
    with RawClient(attacked.port) as client:
        client.send(request(4711, 0, 1))
        assert client.is_closed_within(1.0)

    told = attacked.wait_for_event("refused", "4711")
    assert told["client"].startswith("127.0.0.1:")
    assert told["text"].isprintable()


def test_api_versions_of_a_version_to_come_is_answered_in_version_0(attacked: Serving) -> None:
    with RawClient(attacked.port) as client:
        answer = client.ask(request(18, 77, 5, b"\x01\x01\x01"))

        error, count = struct.unpack_from(">hi", answer)
        keys = [struct.unpack_from(">hhh", answer, 6 + 6 * each) for each in range(count)]
        assert error == 35
        assert [key for key in keys if key[0] == 18] == [(18, 0, 4)]
        assert client.ask(api_versions(6))  # It is a client like any other.


def test_a_client_that_ends_in_the_midst_of_a_request_is_forgotten(attacked: Serving) -> None:
    whole = produce(1, "anything", bytes(100))
    with well_served(attacked.port):
        for cut in range(1, len(whole), 7):
            with RawClient(attacked.port) as client:
                client.send(whole[:cut])


def test_a_client_that_only_stops_sending_gets_its_answers_first(attacked: Serving) -> None:
    with RawClient(attacked.port) as client:
        client.send(b"".join(api_versions(number) for number in range(50)))
        client.socket.shutdown(socket.SHUT_WR)

        assert [client.receive()[0] for _ in range(50)] == list(range(50))
        assert client.is_closed_within(1.0)


def test_requests_that_come_byte_by_byte_are_answered(attacked: Serving) -> None:
    with RawClient(attacked.port) as client:
        for byte in api_versions(1) + api_versions(2):
            client.send(bytes([byte]))

        assert [client.receive()[0] for _ in range(2)] == [1, 2]


def test_what_came_whole_before_garbage_is_answered(attacked: Serving) -> None:
    with RawClient(attacked.port) as client:
        client.send(api_versions(1) + api_versions(2) + REFUSED["negative length"])

        assert [client.receive()[0] for _ in range(2)] == [1, 2]
        assert client.is_closed_within(1.0)


def test_many_requests_at_once_are_answered_in_their_order(attacked: Serving) -> None:
    topic = made_topic(attacked.port, "pipelined")
    with RawClient(attacked.port) as client, RawClient(attacked.port) as other:
        end = produced(other, topic, b"one") + 1
        began = time.monotonic()
        requests = [
            fetch(number, topic, end, max_wait_ms=100) if number == 10 else api_versions(number)
            for number in range(500)
        ]
        client.send(b"".join(requests))
        numbers = [client.receive()[0] for _ in requests]

    assert numbers == list(range(500))
    assert time.monotonic() - began >= 0.1  # The fetch waited, and what is behind it with it.


def test_a_request_that_waits_holds_up_its_own_connection_only(attacked: Serving) -> None:
    topic = made_topic(attacked.port, "waiting")
    with RawClient(attacked.port) as waits, RawClient(attacked.port) as other:
        waits.send(fetch(1, topic, 0, max_wait_ms=60_000) + api_versions(2))
        began = time.monotonic()
        other.ask(api_versions(1))
        assert time.monotonic() - began < 1

        produced(other, topic, b"what it waits for")
        assert [waits.receive()[0] for _ in range(2)] == [1, 2]


def test_connections_that_come_and_go_leave_nothing(attacked: Serving) -> None:
    def come_and_go(count: int) -> None:
        for number in range(count):
            with RawClient(attacked.port) as client:
                if number % 3 == 0:
                    client.ask(api_versions(number))
                elif number % 3 == 1:
                    client.send(fetch(number, "nothing", 0, max_wait_ms=60_000))

    come_and_go(300)
    before = attacked.rss_bytes
    with well_served(attacked.port):
        come_and_go(1_500)

    assert attacked.rss_bytes - before < 8 * MEGABYTE


def test_a_length_that_is_claimed_costs_no_memory(attacked: Serving) -> None:
    before = attacked.rss_bytes
    clients = [RawClient(attacked.port) for _ in range(50)]
    with well_served(attacked.port):
        for client in clients:
            client.send(struct.pack(">i", 100 * MEGABYTE) + bytes(1000))
        grown = attacked.rss_bytes - before
    for client in clients:
        client.socket.close()

    assert grown < 32 * MEGABYTE


def test_a_client_that_never_reads_is_not_read_from_either(attacked: Serving) -> None:
    topic = made_topic(attacked.port, "large")
    with RawClient(attacked.port) as client:
        for _ in range(4):
            produced(client, topic, bytes(900_000))
    before = attacked.rss_bytes
    deaf = [RawClient(attacked.port, 0.5) for _ in range(4)]
    fetches = b"".join(fetch(number, topic, 0) for number in range(200))
    with well_served(attacked.port):
        for client in deaf:
            # 700 MB of answers are asked for, and a last request that does not fit any more.
            client.send(fetches)
        time.sleep(0.5)
        assert attacked.rss_bytes - before < 64 * MEGABYTE

        # Whoever begins to read gets all, in order.
        deaf[0].socket.settimeout(ANSWER_SECONDS)
        assert [deaf[0].receive()[0] for _ in range(200)] == list(range(200))
    for client in deaf:
        client.socket.close()


def test_random_bytes_are_closed_or_waited_for(attacked: Serving) -> None:
    random = Random(7)
    with well_served(attacked.port):
        for _ in range(300):
            with RawClient(attacked.port) as client:
                try:
                    client.send(random.randbytes(random.randint(1, 3_000)))
                except Gone:
                    continue


def send_damaged(broker: Serving, frames: list[bytes]) -> None:
    """Sends frames, some on each connection, and reads until all have been looked at."""
    for start in range(0, len(frames), FRAMES_OF_A_CONNECTION):
        some = frames[start : start + FRAMES_OF_A_CONNECTION]
        with RawClient(broker.port) as client:
            try:
                client.send(b"".join(map(framed, some)))
                client.socket.shutdown(socket.SHUT_WR)
            except (Gone, OSError):
                continue
            assert client.is_closed_within(5.0), [frame.hex() for frame in some]


@pytest.mark.heavy
def test_damaged_requests_are_answered_or_closed(attacked: Serving) -> None:
    frames = list(damaged_frames(seed=1, count=20_000))
    with well_served(attacked.port):
        send_damaged(attacked, frames)

    assert attacked.rss_bytes_max < 400 * MEGABYTE


@pytest.mark.slow
def test_very_many_damaged_requests_are_answered_or_closed(attacked: Serving) -> None:
    for seed in range(100, 140):
        frames = list(damaged_frames(seed, count=20_000))
        with well_served(attacked.port):
            send_damaged(attacked, frames)

    assert attacked.rss_bytes_max < 400 * MEGABYTE
