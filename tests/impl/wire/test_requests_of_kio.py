"""What kio writes as a request of any version that is served, we read as the same request."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from impl_support.frames import kio_class, request_header, written
from impl_support.kio_values import SERVED, entities, plain, record_of, title
from kproof_impl.messages import (
    delete_topics,
    fetch,
    find_coordinator,
    join_group,
    leave_group,
    metadata,
    offset_fetch,
)
from kproof_impl.wire.apis import APIS
from kproof_impl.wire.requests import MalformedRequest, RequestHeader, decode_request
from kproof_impl.wire.schema import record_request

EVERY_REQUEST = pytest.mark.parametrize("served", SERVED, ids=title)
SOME = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def expected(key: int, version: int, entity: Any) -> Any:
    """The record of a request of kio's, old shapes lifted by hand."""
    name = APIS[key].name
    if name == "OffsetFetch" and version < 8:
        topics = entity.topics and [
            offset_fetch.OffsetFetchRequestTopics(topic.name, topic.partition_indexes)
            for topic in entity.topics
        ]
        group = offset_fetch.OffsetFetchRequestGroup(entity.group_id, topics=topics)
        return offset_fetch.OffsetFetchRequest([group], getattr(entity, "require_stable", False))
    if name == "FindCoordinator" and version < 4:
        key_type = getattr(entity, "key_type", 0)
        return find_coordinator.FindCoordinatorRequest(key_type, [entity.key])
    if name == "LeaveGroup" and version < 3:
        member = leave_group.MemberIdentity(entity.member_id)
        return leave_group.LeaveGroupRequest(entity.group_id, [member])
    if name == "DeleteTopics" and version < 6:
        names = [delete_topics.DeleteTopicState(topic) for topic in entity.topic_names]
        timeout_ms = round(entity.timeout.total_seconds() * 1000)
        return delete_topics.DeleteTopicsRequest(names, timeout_ms)
    record = record_of(entity, record_request(key), leave_out="replica_id" if key == 1 else "")
    if isinstance(record, fetch.FetchRequest) and version < 15:
        record.replica_state = fetch.ReplicaState(entity.replica_id)
    if isinstance(record, join_group.JoinGroupRequest) and version == 0:
        record.rebalance_timeout_ms = record.session_timeout_ms
    if isinstance(record, metadata.MetadataRequest) and version == 0:
        record.topics = record.topics or None
    return record


@EVERY_REQUEST
def test_a_request_that_kio_writes_is_read_with_every_field_that_it_has(
    served: tuple[int, int],
) -> None:
    key, version = served

    @SOME
    @given(
        entities(kio_class(key, version, "Request")),
        st.integers(-(2**31), 2**31 - 1),
        st.none() | st.text(max_size=10),
    )
    def check(entity: Any, correlation_id: int, client_id: str | None) -> None:
        frame = request_header(key, version, correlation_id, client_id) + written(entity)
        header, request = decode_request(frame)
        assert header == RequestHeader(key, version, correlation_id, client_id)
        assert type(request) is record_request(key)
        assert plain(request) == plain(expected(key, version, entity))
        # Whatever kind of buffer it comes in.
        assert plain(decode_request(bytearray(frame))[1]) == plain(request)
        assert plain(decode_request(memoryview(frame))[1]) == plain(request)

    check()


@EVERY_REQUEST
def test_a_request_that_is_cut_off_is_malformed_and_bytes_after_it_are_passed_over(
    served: tuple[int, int],
) -> None:
    key, version = served

    @settings(SOME, max_examples=5)
    @given(entities(kio_class(key, version, "Request")), st.data())
    def check(entity: Any, data: st.DataObject) -> None:
        frame = request_header(key, version) + written(entity)
        ends = list(range(len(frame)))
        if len(frame) > 300:
            ends = data.draw(st.lists(st.integers(0, len(frame) - 1), max_size=100))
        for end in ends:
            with pytest.raises(MalformedRequest):
                decode_request(frame[:end])
        # So does Kafka: librdkafka sends three bytes too many when it asks for all topics.
        assert plain(decode_request(frame + b"\1\2\3")) == plain(decode_request(frame))

    check()
