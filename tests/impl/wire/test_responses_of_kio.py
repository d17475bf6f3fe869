"""What we write as a response of any version that is served is, byte for byte, what kio writes."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from kio.serial import entity_reader

from impl_support.frames import kio_class, written
from impl_support.kio_values import SERVED, entities, record_of, title
from kproof_impl.messages import find_coordinator, leave_group, offset_fetch
from kproof_impl.wire.apis import APIS
from kproof_impl.wire.requests import RequestHeader
from kproof_impl.wire.responses import encode_response
from kproof_impl.wire.schema import record_response

EVERY_RESPONSE = pytest.mark.parametrize("served", SERVED, ids=title)
SOME = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def response_of(key: int, version: int, entity: Any) -> Any:
    """Our record of a response of kio's, old shapes lifted by hand."""
    name = APIS[key].name
    throttle = getattr(entity, "throttle_time", None)
    throttle_ms = round(throttle.total_seconds() * 1000) if throttle is not None else 0
    if name == "OffsetFetch" and version < 8:
        topics = [
            record_of(topic, offset_fetch.OffsetFetchResponseTopics) for topic in entity.topics
        ]
        error = entity.error_code.value if version >= 2 else 0
        group = offset_fetch.OffsetFetchResponseGroup("", topics, error)
        return offset_fetch.OffsetFetchResponse(throttle_ms, [group])
    if name == "FindCoordinator" and version < 4:
        found = record_of(entity, find_coordinator.Coordinator, leave_out="throttle_time")
        return find_coordinator.FindCoordinatorResponse(throttle_ms, [found])
    if name == "LeaveGroup" and version < 3:
        member = leave_group.MemberResponse(error_code=entity.error_code.value)
        return leave_group.LeaveGroupResponse(throttle_ms, 0, [member])
    return record_of(entity, record_response(key))


def response_header(key: int, version: int, correlation_id: int) -> bytes:
    """ApiVersions has no tagged fields in its header, whatever its version (KIP-511)."""
    flexible = kio_class(key, version, "Response").__flexible__ and APIS[key].name != "ApiVersions"
    return correlation_id.to_bytes(4, "big", signed=True) + (b"\0" if flexible else b"")


@EVERY_RESPONSE
def test_a_response_is_written_as_kio_writes_it(served: tuple[int, int]) -> None:
    key, version = served
    kind = kio_class(key, version, "Response")

    @SOME
    @given(entities(kind), st.integers(-(2**31), 2**31 - 1))
    def check(entity: Any, correlation_id: int) -> None:
        header = RequestHeader(key, version, correlation_id, None)
        buffers = encode_response(header, response_of(key, version, entity))
        frame = b"".join(buffers)
        assert int.from_bytes(frame[:4], "big") == len(frame) - 4
        start = response_header(key, version, correlation_id)
        assert frame[4:] == start + written(entity)
        body = frame[4 + len(start) :]
        assert entity_reader(kind)(body, 0) == (entity, len(body))
        assert len(buffers) == 1 or APIS[key].name == "Fetch"

    check()
