"""What kio's own round trips do not show: headers, old shapes, codes without a name, null."""

import subprocess
import sys
from datetime import timedelta
from uuid import UUID

import pytest
from kio.serial import entity_reader

from impl_support.frames import kio_class, request_header, written
from kproof_impl.messages import (
    api_versions,
    delete_topics,
    fetch,
    find_coordinator,
    heartbeat,
    join_group,
    leave_group,
    metadata,
    offset_fetch,
    produce,
)
from kproof_impl.messages.ids import NO_ID
from kproof_impl.wire.apis import API_VERSIONS, APIS
from kproof_impl.wire.requests import RequestHeader, decode_request
from kproof_impl.wire.responses import encode_response


def answer(key: int, version: int, response: object) -> bytes:
    """A response without its length and correlation id."""
    buffers = encode_response(RequestHeader(key, version, 5, None), response)
    frame = b"".join(buffers)
    assert frame[4:8] == b"\0\0\0\5"
    return frame[8:]


def test_the_table_names_every_message_by_key_and_module() -> None:
    assert len(APIS) == 32
    assert all(api.key == key for key, api in APIS.items())
    assert APIS[75].module == "describe_topic_partitions"
    # librdkafka would stop to compress otherwise (KAFKA-18659).
    assert (APIS[0].min_version, APIS[0].min_advertised) == (3, 0)
    assert all(api.min_version == api.min_advertised for key, api in APIS.items() if key)


@pytest.mark.parametrize("version", [-1, 5, 127, 32767])
def test_api_versions_of_a_version_that_is_not_served_is_answered_in_version_0(
    version: int,
) -> None:
    frame = version.to_bytes(2, "big", signed=True).join((b"\0\x12", b"\0\0\0\x09\0\1a"))
    header, request = decode_request(frame + b"\xff\xff\xff\xff anything")
    assert header == RequestHeader(API_VERSIONS, 0, 9, "a")
    assert request == api_versions.ApiVersionsRequest(is_version_unsupported=True)
    response = api_versions.ApiVersionsResponse(35, [api_versions.ApiVersion(18, 0, 4)])
    (answered,) = encode_response(header, response)
    assert bytes(answered) == bytes.fromhex("00000010 00000009 0023 00000001 0012 0000 0004")


def test_api_versions_has_an_answer_without_tagged_fields_in_its_header() -> None:
    body = answer(API_VERSIONS, 4, api_versions.ApiVersionsResponse())
    read, size = entity_reader(kio_class(API_VERSIONS, 4, "Response"))(body, 0)
    assert size == len(body)
    assert read.api_keys == ()


@pytest.mark.parametrize("code", [-1, 0, 3, 133, 134, 30_000, -32_768])
@pytest.mark.parametrize("version", [0, 4])
def test_an_error_code_without_a_name_is_written_as_its_number(code: int, version: int) -> None:
    body = answer(12, version, heartbeat.HeartbeatResponse(0, code))
    assert code.to_bytes(2, "big", signed=True) in body
    if version == 0:
        assert len(body) == 2


def test_no_group_or_an_old_group_is_told_by_the_old_fields_of_offset_fetch() -> None:
    partition = offset_fetch.OffsetFetchResponsePartitions(3, 7, -1, "m", 0)
    topic = offset_fetch.OffsetFetchResponseTopics("t", [partition])
    group = offset_fetch.OffsetFetchResponseGroup("g", [topic], 16)
    response = offset_fetch.OffsetFetchResponse(0, [group])
    # Version 1 has no error of the whole: each partition bears it.
    assert answer(9, 1, response) == bytes.fromhex(
        "00000001 0001 74 00000001 00000003 0000000000000007 0001 6d 0010"
    )
    assert answer(9, 2, response) == bytes.fromhex(
        "00000001 0001 74 00000001 00000003 0000000000000007 0001 6d 0000 0010"
    )


def test_the_one_coordinator_of_an_old_answer_is_at_its_top() -> None:
    found = find_coordinator.Coordinator("key", 1, "h", 9092, 15, "why")
    response = find_coordinator.FindCoordinatorResponse(0, [found])
    assert answer(10, 0, response) == bytes.fromhex("000f 00000001 0001 68 00002384")
    assert answer(10, 1, response) == bytes.fromhex(
        "00000000 000f 0003 776879 00000001 0001 68 00002384"
    )


@pytest.mark.parametrize(("top", "of_member", "expected"), [(0, 25, 25), (16, 25, 16), (0, 0, 0)])
def test_one_who_leaves_in_the_old_way_is_told_the_error_of_that_member(
    top: int, of_member: int, expected: int
) -> None:
    members = [leave_group.MemberResponse("m", None, of_member)]
    assert answer(13, 0, leave_group.LeaveGroupResponse(0, top, members)) == bytes((0, expected))


def test_null_where_a_version_has_no_null_is_empty() -> None:
    response = join_group.JoinGroupResponse(protocol_name=None, leader="l", member_id="m")
    assert answer(11, 0, response) == bytes.fromhex("0000 ffffffff 0000 0001 6c 0001 6d 00000000")
    # From version 7 on it is null indeed, compact or not.
    assert answer(11, 7, response)[:14] == bytes.fromhex("00 00000000 0000 ffffffff 00 00 02")


def test_the_zero_id_is_no_id() -> None:
    kind = kio_class(3, 12, "Request")
    topic = kind.__annotations__["topics"].__args__[0].__args__[0]
    entity = kind(
        topics=(topic(topic_id=None, name="t"), topic(topic_id=UUID(int=5), name=None)),
        allow_auto_topic_creation=True,
        include_topic_authorized_operations=False,
    )
    _, request = decode_request(request_header(3, 12) + written(entity))
    assert isinstance(request, metadata.MetadataRequest)
    assert [topic.topic_id for topic in request.topics or ()] == [NO_ID, UUID(int=5)]
    assert [topic.name for topic in request.topics or ()] == ["t", None]


def test_old_names_of_topics_to_delete_are_topics_without_an_id() -> None:
    frame = bytes.fromhex("0014 0001 00000001 ffff 00000001 0001 74 000003e8")
    _, request = decode_request(frame)
    assert request == delete_topics.DeleteTopicsRequest(
        (delete_topics.DeleteTopicState("t", NO_ID),), 1000
    )


def test_records_of_a_request_are_views_of_its_frame() -> None:
    kind = kio_class(0, 9, "Request")
    topic = kind.__annotations__["topic_data"].__args__[0]
    partition = topic.__annotations__["partition_data"].__args__[0]
    data = (partition(index=0, records=b"abc"), partition(index=1, records=None))
    entity = kind(
        acks=1,
        timeout=timedelta(seconds=1),
        topic_data=(topic(name="t", partition_data=data),),
    )
    frame = bytearray(request_header(0, 9) + written(entity))
    _, request = decode_request(frame)
    assert isinstance(request, produce.ProduceRequest)
    records, nothing = (part.records for part in request.topic_data[0].partition_data)
    assert nothing is None
    assert isinstance(records, memoryview)
    frame[frame.index(b"abc")] = ord("x")
    assert bytes(records) == b"xbc"


@pytest.mark.parametrize("version", [4, 11, 12, 17])
def test_records_of_a_response_are_the_very_buffers_that_came(version: int) -> None:
    runs = [memoryview(b"first"), b"", None, bytearray(b"second")]
    partitions = [
        fetch.PartitionData(index, 0, 1, 1, 0, records=run) for index, run in enumerate(runs)
    ]
    topic = fetch.FetchableTopicResponse(NO_ID, partitions, "t")
    buffers = encode_response(
        RequestHeader(1, version, 5, None), fetch.FetchResponse(responses=[topic])
    )
    assert [buffer for buffer in buffers if buffer in (b"first", b"second")] == [
        b"first",
        b"second",
    ]
    assert buffers[1] is runs[0]
    assert buffers[3] is runs[3]
    assert len(buffers) == (5 if version >= 12 else 4)  # Tagged fields come after the records.
    frame = b"".join(buffers)
    assert int.from_bytes(frame[:4], "big") == len(frame) - 4


def test_the_wire_imports_no_message_of_kio_before_one_comes() -> None:
    script = """
import sys
import kproof_impl.wire.requests, kproof_impl.wire.responses, kproof_impl.wire.frames
assert not [name for name in sys.modules if name.startswith("kio")]
from kproof_impl.wire.requests import decode_request
decode_request(bytes.fromhex("0012 0000 00000001 ffff"))
messages = {name.split(".")[2] for name in sys.modules if name.startswith("kio.schema.")}
print(sorted(messages))
"""
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert process.returncode == 0, process.stderr
    assert "'api_versions'" in process.stdout
    assert "'fetch'" not in process.stdout
    assert "'metadata'" not in process.stdout
