"""The records of `__consumer_offsets`, byte for byte as Kafka's schemas have them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kproof_impl.core.groups.group import Group, GroupState
from kproof_impl.core.groups.member import Member
from kproof_impl.core.groups.offset_records import (
    GroupKey,
    OffsetKey,
    UnknownRecord,
    fits,
    group_key,
    group_value,
    offset_key,
    offset_value,
    read_group,
    read_key,
    read_offset,
)
from kproof_impl.core.groups.offsets import CommittedOffset
from kproof_impl.core.groups.offsets_log import java_hash

texts = st.text(st.characters(codec="utf-8"), max_size=20)
longs = st.integers(-(1 << 63), (1 << 63) - 1)
ints = st.integers(-(1 << 31), (1 << 31) - 1)


def string(text: str) -> bytes:
    return len(text).to_bytes(2, "big") + text.encode()


def blob(text: str) -> bytes:
    return len(text).to_bytes(4, "big") + text.encode()


def stable_group() -> Group:
    group = Group("g", 0)
    group.generation_id = 7
    group.protocol_type, group.protocol_name = "consumer", "range"
    for name, instance_id in (("a", None), ("b", "i")):
        group.add(
            Member(
                name,
                instance_id,
                "client",
                "127.0.0.1",
                rebalance_timeout_ms=60_000,
                session_timeout_ms=10_000,
                protocols={"sticky": b"no", "range": b"sub-" + name.encode()},
                assignment=b"share-" + name.encode(),
            )
        )
    group.enter(GroupState.STABLE, 1_000)
    return group


def test_the_bytes_of_a_committed_offset_are_kafkas() -> None:
    assert offset_key("g", "orders", 3) == (
        b"\x00\x01"  # version
        b"\x00\x01g"
        b"\x00\x06orders"
        b"\x00\x00\x00\x03"
    )
    assert offset_value(CommittedOffset(5, 2, "note", 1_000)) == (
        b"\x00\x03"
        b"\x00\x00\x00\x00\x00\x00\x00\x05"
        b"\x00\x00\x00\x02"
        b"\x00\x04note"
        b"\x00\x00\x00\x00\x00\x00\x03\xe8"
    )
    assert offset_value(CommittedOffset(5, 2, "", 1_000, 2_000)) == (
        b"\x00\x01"
        b"\x00\x00\x00\x00\x00\x00\x00\x05"
        b"\x00\x00"
        b"\x00\x00\x00\x00\x00\x00\x03\xe8"
        b"\x00\x00\x00\x00\x00\x00\x07\xd0"
    )


def test_the_bytes_of_a_group_are_kafkas() -> None:
    assert group_key("g") == b"\x00\x02\x00\x01g"
    member = (
        b"\x00\x01%c%b"
        b"\x00\x06client"
        b"\x00\x09127.0.0.1"
        b"\x00\x00\xea\x60"
        b"\x00\x00\x27\x10"
        b"\x00\x00\x00\x05sub-%c"
        b"\x00\x00\x00\x07share-%c"
    )
    assert group_value(stable_group()) == (
        b"\x00\x03"
        b"\x00\x08consumer"
        b"\x00\x00\x00\x07"
        b"\x00\x05range"
        b"\x00\x01a"
        b"\x00\x00\x00\x00\x00\x00\x03\xe8"
        b"\x00\x00\x00\x02"
        + member % (b"a", b"\xff\xff", b"a", b"a")
        + member % (b"b", b"\x00\x01i", b"b", b"b")
    )
    assert group_value(Group("g", 1_000)) == (
        b"\x00\x03\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff"
        b"\x00\x00\x00\x00\x00\x00\x03\xe8"
        b"\x00\x00\x00\x00"
    )


@given(texts, texts, ints)
def test_keys_are_read_as_they_were_written(group: str, topic: str, partition: int) -> None:
    assert read_key(offset_key(group, topic, partition)) == OffsetKey(group, topic, partition)
    assert read_key(group_key(group)) == GroupKey(group)


@given(longs, ints, texts, longs)
def test_offsets_are_read_as_they_were_written(
    offset: int, leader_epoch: int, metadata: str, timestamp: int
) -> None:
    committed = CommittedOffset(offset, leader_epoch, metadata, timestamp)
    assert read_offset(offset_value(committed)) == committed
    expiring = CommittedOffset(offset, -1, metadata, timestamp, 77)
    assert read_offset(offset_value(expiring)) == expiring


def test_a_group_is_read_as_it_was_written() -> None:
    group = stable_group()

    stored = read_group(group_value(group))

    assert (stored.protocol_type, stored.generation_id) == ("consumer", 7)
    assert (stored.protocol_name, stored.leader, stored.state_since_ms) == ("range", "a", 1_000)
    a, b = stored.members
    assert (a.member_id, a.group_instance_id, a.subscription) == ("a", None, b"sub-a")
    assert (b.member_id, b.group_instance_id, b.assignment) == ("b", "i", b"share-b")
    assert (a.client_id, a.client_host) == ("client", "127.0.0.1")
    assert (a.rebalance_timeout_ms, a.session_timeout_ms) == (60_000, 10_000)


def test_older_versions_of_the_values_are_read() -> None:
    offset_0 = b"\0\0" + (5).to_bytes(8, "big") + b"\0\1x" + (9).to_bytes(8, "big")
    assert read_offset(offset_0) == CommittedOffset(5, -1, "x", 9)
    offset_2 = b"\0\2" + offset_0[2:]
    assert read_offset(offset_2) == CommittedOffset(5, -1, "x", 9)
    head = b"\0\0" + string("t") + (4).to_bytes(4, "big") + string("p") + string("m")
    member = (
        string("m") + string("c") + string("h") + (5).to_bytes(4, "big") + blob("S") + blob("A")
    )
    group_0 = head + (1).to_bytes(4, "big") + member
    stored = read_group(group_0)
    assert (stored.generation_id, stored.state_since_ms) == (4, -1)
    one = stored.members[0]
    assert (one.rebalance_timeout_ms, one.session_timeout_ms) == (5, 5)
    assert (one.subscription, one.assignment) == (b"S", b"A")


@given(st.binary(max_size=60))
def test_whatever_bytes_there_are_they_are_read_or_refused(data: bytes) -> None:
    for read in (read_key, read_offset, read_group):
        try:
            read(data)
        except UnknownRecord:
            continue


@given(st.data())
def test_what_is_cut_short_is_refused(data: st.DataObject) -> None:
    whole = group_value(stable_group())
    cut = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(UnknownRecord):
        read_group(whole[:cut])


@pytest.mark.parametrize("version", [3, 9, 0x7FFF, -1])
def test_a_key_of_a_newer_kafka_is_refused(version: int) -> None:
    with pytest.raises(UnknownRecord, match=f"version {version}"):
        read_key(version.to_bytes(2, "big", signed=True) + b"\x00\x01g")


def test_a_string_fits_if_its_bytes_can_be_counted_by_16_bits() -> None:
    assert fits("x" * 32_767)
    assert not fits("x" * 32_768)
    assert fits("\N{EURO SIGN}" * 10_922)
    assert not fits("\N{EURO SIGN}" * 10_923)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        ("a", 97),
        ("hello", 99_162_322),
        ("my-group", 1_906_497_762),
        ("polygenelubricants", 0),  # Its hash is the one number without an opposite.
        ("\N{GRINNING FACE}", 1_772_899),
    ],
)
def test_the_partition_of_a_group_goes_by_javas_hash(text: str, number: int) -> None:
    assert java_hash(text) == number
