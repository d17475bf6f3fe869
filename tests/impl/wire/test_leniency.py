"""What kio refuses and Kafka takes, we take: it is made anew for kio before it reads."""

import pytest

from impl_support.kio_values import plain
from kproof_impl.messages.describe_topic_partitions import Cursor
from kproof_impl.messages.heartbeat import HeartbeatRequest
from kproof_impl.messages.metadata import MetadataRequest
from kproof_impl.messages.offset_commit import OffsetCommitRequest
from kproof_impl.wire.requests import MalformedRequest, decode_request
from kproof_impl.wire.scan import LONGEST_TIME_MS

HEARTBEAT_4 = "000c 0004 00000001 ffff"
HEARTBEAT = HeartbeatRequest("a", 1, "b", None)


def request(*parts: str) -> object:
    return decode_request(bytes.fromhex("".join(parts)))[1]


@pytest.mark.parametrize("header_tags", ["00", "01 07 02 aabb", "02 00 00 07 01 cc"])
@pytest.mark.parametrize("body_tags", ["00", "01 05 03 aabbcc", "02 00 01 ff 8001 00"])
def test_tagged_fields_that_nobody_knows_are_passed_over(header_tags: str, body_tags: str) -> None:
    body = "0261 00000001 0262 00"
    assert request(HEARTBEAT_4, header_tags, body, body_tags) == HEARTBEAT


def test_tagged_fields_that_nobody_knows_are_passed_over_inside_arrays() -> None:
    # Metadata v12: two topics, each with a field of its own that is unknown.
    topic = "00" * 16 + "02 61 01 05 02 aabb"
    read = request("0003 000c 00000001 ffff 00", "03", topic, topic, "01 00 00")
    assert isinstance(read, MetadataRequest)
    assert [topic.name for topic in read.topics or ()] == ["a", "a"]
    assert read.allow_auto_topic_creation


def test_tagged_fields_that_nobody_knows_are_passed_over_in_produce_and_fetch() -> None:
    produce_9 = "0000 0009 00000001 ffff 01 07 00  00 0001 00000005"
    read = plain(request(produce_9, "02 0261 02 00000003 03 aabb 01 09 01 ff 01 08 00 01 07 00"))
    assert read["topic_data"][0]["partition_data"] == [{"index": 3, "records": b"\xaa\xbb"}]
    fetch_12 = "0001 000c 00000001 ffff 00 ffffffff 000001f4 00000001 00000001 00 00000000 ffffffff"
    partition = "00000003 00000004 0000000000000005 00000006 0000000000000007 00000008 01 09 01 ff"
    tags = "03 00 03 02 63 64 09 00 0a 00".replace("03 02", "03 03")
    read = plain(request(fetch_12, "02 0261 02", partition, "01 08 00 01 01", tags))
    assert read["topics"][0]["partitions"][0]["partition_max_bytes"] == 8
    assert read["cluster_id"] == "cd"


@pytest.mark.parametrize("byte", ["01", "02", "ff"])
def test_any_byte_but_zero_is_true(byte: str) -> None:
    read = request("0003 0004 00000001 ffff ffffffff", byte)
    assert read == MetadataRequest(topics=None, allow_auto_topic_creation=True)


@pytest.mark.parametrize(
    ("milliseconds", "expected"),
    [
        ("7fffffffffffffff", LONGEST_TIME_MS),
        ("8000000000000000", -LONGEST_TIME_MS),
        ("ffffffffffffffff", -1),
        ("00000000000003e8", 1000),
    ],
)
def test_a_time_beyond_what_kio_holds_is_the_longest(milliseconds: str, expected: int) -> None:
    body = "0001 61 00000001 0001 62"
    read = request("0008 0002 00000001 ffff", body, milliseconds, "00000000")
    assert isinstance(read, OffsetCommitRequest)
    assert read.retention_time_ms == expected


def test_a_nullable_struct_is_there_unless_its_byte_is_negative() -> None:
    start = "004b 0000 00000001 ffff 00 01 00000005"
    read = plain(request(start, "01 02 61 00000003 00 00"))
    assert read["cursor"] == plain(Cursor("a", 3))
    assert plain(request(start, "ff 00"))["cursor"] is None


def test_what_librdkafka_asks_with_for_all_topics_is_read() -> None:
    # It leaves three bytes of a length behind the null array, so that three are too many.
    body = "00 000000 01 00 00"
    read = request("0003 000c 00000001 ffff 00", body)
    assert read == MetadataRequest(topics=None, allow_auto_topic_creation=False)


def test_tags_that_do_not_rise_are_malformed() -> None:
    with pytest.raises(MalformedRequest, match="tag 5"):
        request(HEARTBEAT_4, "02 05 00 05 00", "0261 00000001 0262 00 00")
