"""Damaged frames are read or refused, in bounded time and memory, and never end the process.

kio's native reader aborts the process on a huge count: so the decoding is done in a process of its
own, with little memory.
"""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from impl_support.frames import damaged, random_frame
from impl_support.kio_values import plain
from kproof_impl.wire import fetch, produce
from kproof_impl.wire.apis import APIS, FETCH, PRODUCE
from kproof_impl.wire.requests import MalformedRequest, _decoder_by_kio, decode_request

DECODE_DAMAGED = Path(__file__).parents[2] / "impl_support" / "decode_damaged.py"
MEGABYTES = 600


def decoded(seed: int, count: int) -> int:
    """How many of so many damaged frames are accepted, in a process of its own."""
    process = subprocess.run(
        [sys.executable, str(DECODE_DAMAGED), str(seed), str(count), str(MEGABYTES)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return int(process.stdout)


@pytest.mark.heavy
def test_a_hundred_thousand_damaged_frames_are_read_or_refused() -> None:
    accepted = decoded(seed=1, count=100_000)
    # Neither all nor none: the damage is neither too coarse nor too little to say anything.
    assert 3_000 < accepted < 50_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 7))
def test_a_million_damaged_frames_are_read_or_refused(seed: int) -> None:
    assert decoded(seed, count=1_000_000)


@pytest.mark.parametrize("key", [PRODUCE, FETCH])
def test_the_readers_by_hand_accept_what_kio_accepts_behind_the_scan_and_nothing_else(
    key: int,
) -> None:
    api = APIS[key]
    by_hand = produce.decode_produce if key == PRODUCE else fetch.decode_fetch
    random = Random(key)
    accepted = 0
    for version in range(api.min_version, api.max_version + 1):
        by_kio = _decoder_by_kio(api, version)
        for _ in range(40):
            good = random_frame(random, key, version)
            start = 10 + max(0, int.from_bytes(good[8:10], "big", signed=True))
            for _ in range(15):
                frame = good[:start] + damaged(random, bytes(8) + good[start:])[8:]
                try:
                    theirs = plain(by_kio(frame, start, version))
                except MalformedRequest:
                    with pytest.raises(MalformedRequest):
                        by_hand(frame, start, version)
                    continue
                ours = plain(by_hand(frame, start, version))
                if key == FETCH and version < fetch.REPLICA_STATE:
                    del ours["replica_state"], theirs["replica_state"]
                assert ours == theirs
                accepted += 1
    assert accepted > 500


def test_a_claim_of_four_billion_elements_is_refused() -> None:
    # kio alone would ask for 34 GB here and abort.
    metadata_12 = bytes.fromhex("0003 000c 00000001 ffff 00") + b"\xff\xff\xff\xff\x0f"
    with pytest.raises(MalformedRequest, match="bytes"):
        decode_request(metadata_12)


@pytest.mark.parametrize(
    ("frame", "complaint"),
    [
        ("", "0 bytes"),
        ("0012", "2 bytes"),
        ("0012 0000 00000001 0005 61", "5 bytes"),
        ("0012 0000 00000001 fffe", "-2 bytes"),
        ("0012 0000 00000001 0001 ff", "UTF-8"),
        ("0400 0000 00000001 ffff", "key 1024"),
        ("0000 0002 00000001 ffff", "3 to 13"),
        ("0000 000e 00000001 ffff", "3 to 13"),
        ("0000 ffff 00000001 ffff", "version -1"),
        ("000c 0000 00000001 ffff ffff 00000001 0000", "null"),
        ("000c 0000 00000001 ffff fffe 00000001 0000", "length -2"),
        ("000c 0000 00000001 ffff 0001 ff 00000001 0000", "UTF-8"),
        ("0003 0000 00000001 ffff ffffffff", "null"),
        ("0003 0000 00000001 ffff 7fffffff", "2147483647 elements"),
        ("0003 0001 00000001 ffff fffffffe", "length -2"),
        ("000c 0004 00000001 ffff 00 0261 00000001 0261 00 02 0500 0500", "tag 5"),
        ("000c 0004 00000001 ffff 00 808080808000", "five bytes"),
        ("000c 0004 00000001 ffff 00 8080808070", "32 bits"),
        ("0003 0009 00000001 ffff 01", "left"),
    ],
)
def test_the_error_says_what_is_wrong(frame: str, complaint: str) -> None:
    with pytest.raises(MalformedRequest, match=complaint):
        decode_request(bytes.fromhex(frame))


def claim_of(count: int) -> bytes:
    """The length of a compact array, in three bytes."""
    return bytes([count + 1 & 0x7F | 0x80, count + 1 >> 7 & 0x7F | 0x80, count + 1 >> 14])


def test_more_elements_than_a_request_may_have_are_refused_before_they_are_read() -> None:
    list_groups = bytes.fromhex("0010 0005 00000001 ffff 00")
    with pytest.raises(MalformedRequest, match="more than 60000"):
        decode_request(list_groups + claim_of(60_001) + b"\1" * 60_001 + b"\1\0")
    count, claim = 250_001, claim_of(250_001)
    produce_9 = bytes.fromhex("0000 0009 00000001 ffff 00 00 ffff 00000000 02 0261")
    with pytest.raises(MalformedRequest, match="more than 250000"):
        decode_request(produce_9 + claim + bytes(6 * count) + b"\0\0")
