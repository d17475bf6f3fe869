"""Fetch sessions that are refused, have no room, or show what full fetches show."""

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl_support.fetch_client import NEW, SESSIONLESS, Client, full, shown
from impl_support.stepping import Stepper
from kproof_impl.core import fetch_sessions
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.fetch_sessions import EPOCH_MAX
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.fetch import (
    FetchResponse,
    PartitionData,
)


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("orders", partitions=4)
    return stepper


# -- what is refused ---------------------------------------------------------------------------


def refused(response: FetchResponse | None) -> int:
    assert response is not None
    assert (response.session_id, list(response.responses)) == (0, [])
    return response.error_code


def test_an_unknown_session_is_refused(broker: Stepper) -> None:
    client = Client(broker)
    client.session_id, client.epoch = 77, 1

    assert refused(client.fetch(*full(0))) == ErrorCode.FETCH_SESSION_ID_NOT_FOUND


@pytest.mark.parametrize("epoch", [0 + 2, 3, -5, EPOCH_MAX])
def test_another_epoch_is_refused_and_the_session_stays(broker: Stepper, epoch: int) -> None:
    client = Client(broker)
    client.fetch(*full(0))

    assert refused(client.fetch(epoch=epoch)) == ErrorCode.INVALID_FETCH_SESSION_EPOCH
    assert shown(client.fetch()) == {}


def test_an_epoch_is_used_once(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0))
    client.fetch()

    assert refused(client.fetch(epoch=1)) == ErrorCode.INVALID_FETCH_SESSION_EPOCH


def test_after_the_largest_epoch_comes_1(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0))
    broker.broker.fetch_sessions._sessions[client.session_id].epoch = EPOCH_MAX

    client.epoch = EPOCH_MAX
    assert shown(client.fetch()) == {}
    client.epoch = 1
    assert shown(client.fetch()) == {}


def test_a_fetch_that_waits_is_refused_when_another_of_its_session_came(
    broker: Stepper,
) -> None:
    client = Client(broker)
    client.fetch(*full(0))
    client.fetch(max_wait_ms=500, min_bytes=1)

    other = Client(broker, connection=2)
    other.session_id, other.epoch = client.session_id, 2
    assert shown(other.fetch()) == {}
    broker.advance(500)

    (late,) = broker.answers(1)
    assert late.error_code == ErrorCode.INVALID_FETCH_SESSION_EPOCH
    assert (late.session_id, list(late.responses)) == (client.session_id, [])


@pytest.mark.parametrize(("begun", "continued"), [(12, 13), (13, 12)])
def test_kip516_a_session_keeps_to_names_or_to_ids(
    broker: Stepper, begun: int, continued: int
) -> None:
    client = Client(broker, version=begun)
    client.fetch(*full(0))
    client.version = continued

    assert refused(client.fetch()) == ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR


@pytest.mark.parametrize("epoch", [NEW, SESSIONLESS])
def test_a_full_fetch_that_names_a_session_ends_it(broker: Stepper, epoch: int) -> None:
    client = Client(broker)
    client.fetch(*full(0))
    old = client.session_id

    response = client.fetch(*full(0, 0), epoch=epoch)

    assert response is not None
    assert list(shown(response)) == [0, 1]
    assert (response.session_id != 0) == (epoch == NEW)
    assert response.session_id != old
    assert len(broker.broker.fetch_sessions) == (epoch == NEW)


def test_a_fetch_without_a_session_begins_none(broker: Stepper) -> None:
    response = Client(broker).fetch(*full(0), epoch=SESSIONLESS)

    assert response is not None
    assert response.session_id == 0
    assert len(broker.broker.fetch_sessions) == 0


def test_a_fetch_of_nothing_begins_no_session(broker: Stepper) -> None:
    response = Client(broker).fetch()

    assert response is not None
    assert response.session_id == 0
    assert len(broker.broker.fetch_sessions) == 0


# -- room --------------------------------------------------------------------------------------


def crowded(slots: int = 2) -> Stepper:
    stepper = Stepper(
        BrokerConfig(
            max_incremental_fetch_session_cache_slots=slots,
            min_incremental_fetch_session_eviction_ms=1_000,
        )
    )
    stepper.topic("orders", partitions=4)
    return stepper


def begin(broker: Stepper, connection: int, partitions: int = 1) -> Client:
    client = Client(broker, connection)
    client.fetch(*full(*[0] * partitions))
    return client


def test_without_room_a_fetch_is_answered_without_a_session() -> None:
    broker = crowded()

    ids = [begin(broker, connection).session_id for connection in (1, 2, 3)]

    assert [session_id != 0 for session_id in ids] == [True, True, False]


def test_no_slots_are_no_sessions() -> None:
    assert begin(crowded(slots=0), 1).session_id == 0


def test_who_was_silent_too_long_loses_its_session_to_a_new_one() -> None:
    broker = crowded()
    silent, active = begin(broker, 1), begin(broker, 2)
    broker.advance(600)
    active.fetch()
    broker.advance(401)

    new = begin(broker, 3)

    assert new.session_id != 0
    assert refused(silent.fetch()) == ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    assert shown(active.fetch()) == {}


def test_at_the_limit_of_silence_a_session_stays() -> None:
    broker = crowded(slots=1)
    silent = begin(broker, 1)
    broker.advance(1_000)

    assert begin(broker, 2).session_id == 0
    assert shown(silent.fetch()) == {}


def test_who_was_heard_of_lately_stays_however_old() -> None:
    broker = crowded(slots=1)
    old = begin(broker, 1)
    broker.advance(600)
    old.fetch()
    broker.advance(600)

    assert begin(broker, 2).session_id == 0
    assert shown(old.fetch()) == {}


def test_a_larger_session_takes_the_place_of_the_smallest_old_one() -> None:
    broker = crowded(slots=3)
    small, smaller, young = begin(broker, 1, 3), begin(broker, 2, 2), Client(broker, 3)
    broker.advance(1_001)
    young.fetch(*full(0))
    for client in (small, smaller):
        client.fetch()

    same = begin(broker, 4, 2)
    larger = begin(broker, 5, 3)

    assert (same.session_id, larger.session_id != 0) == (0, True)
    assert refused(smaller.fetch()) == ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    assert shown(small.fetch()) == {}
    assert shown(young.fetch()) == {}


def test_the_partitions_of_all_sessions_together_are_limited(
    broker: Stepper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_sessions, "CACHED_PARTITIONS_MAX", 5)
    first, second = begin(broker, 1, 3), begin(broker, 2, 3)
    third = begin(broker, 3, 2)

    assert [one.session_id != 0 for one in (first, second, third)] == [True, False, True]
    grown = third.fetch(("orders", 3, 0))
    assert refused(grown) == ErrorCode.FETCH_SESSION_ID_NOT_FOUND
    assert broker.broker.fetch_sessions.partitions_count == 3


def test_many_sessions_come_and_go_and_nothing_of_them_is_left(broker: Stepper) -> None:
    for round_ in range(50):
        client = begin(broker, 1, 1 + round_ % 4)
        client.fetch(epoch=SESSIONLESS)

    assert len(broker.broker.fetch_sessions) == 0
    assert broker.broker.fetch_sessions.partitions_count == 0


# -- sessions equal full fetches ---------------------------------------------------------------

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("produce"), st.integers(0, 3)),
        st.tuples(st.just("delete"), st.integers(0, 3), st.integers(0, 3)),
        st.tuples(
            st.just("fetch"),
            st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=3),
            st.lists(st.integers(0, 4), max_size=2),
        ),
        st.tuples(st.just("lose"), st.integers(0, 9)),
    ),
    max_size=25,
)


@pytest.mark.parametrize("version", [12, 13])
@settings(max_examples=80, deadline=None)
@given(steps=STEPS)
def test_an_incremental_session_shows_exactly_what_full_fetches_show(
    version: int, steps: list[Any]
) -> None:
    """A client that keeps the last it was shown of each partition knows what a full fetch shows.

    But for records: those it is shown again until it moves on.
    """
    broker = Stepper()
    broker.topic("orders", partitions=4)
    client = Client(broker, version=version)
    positions = {0: 0}
    client.fetch(("orders", 0, 0))
    known = {0: whole(broker, client, positions)[0]}
    for step in steps:
        match step:
            case "produce", index:
                broker.produce("orders", b"%d" % index, partition=index, connection=9)
            case "delete", index, offset:
                partition = broker.partition("orders", index)
                partition.delete_records(min(offset, partition.high_watermark))
            case "lose", epoch if epoch != client.epoch and epoch > 0:
                assert refused(client.fetch(epoch=epoch)) == ErrorCode.INVALID_FETCH_SESSION_EPOCH
            case "fetch", changed, forgotten:
                positions.update(changed)
                left = [index for index in forgotten if index in positions]
                if not set(positions) - set(left):
                    left = []
                for index in left:
                    positions.pop(index, None)
                    known.pop(index, None)
                response = client.fetch(
                    *(("orders", index, positions[index]) for index in dict(changed)
                      if index in positions),
                    forget=tuple(("orders", index) for index in left),
                )  # fmt: skip
                for one in known.values():
                    one.records = b""
                known.update(copy.deepcopy(shown(response)))
                assert known == whole(broker, client, positions)


def whole(broker: Stepper, client: Client, positions: dict[int, int]) -> dict[int, PartitionData]:
    """What a fetch without a session shows of the same partitions."""
    other = Client(broker, connection=8, version=client.version)
    wanted = (("orders", index, offset) for index, offset in positions.items())
    return shown(other.fetch(*wanted, epoch=SESSIONLESS))
