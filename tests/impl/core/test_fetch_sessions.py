"""Fetch sessions (KIP-227): what they remember, when they are refused, who gets a place."""

import copy
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl_support.batches import values
from impl_support.stepping import Stepper
from kproof_impl.core import fetch_sessions
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.fetch_sessions import EPOCH_MAX, FETCH_SESSION_TOPIC_ID_ERROR
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.fetch import (
    FetchPartition,
    FetchRequest,
    FetchResponse,
    FetchTopic,
    ForgottenTopic,
    PartitionData,
)

NEW, SESSIONLESS = 0, -1


class Client:
    """One session of one client, which asks as the protocol wants it."""

    def __init__(self, broker: Stepper, connection: int = 1, version: int = 12) -> None:
        self.broker = broker
        self.connection = connection
        self.version = version
        self.session_id = 0
        self.epoch = NEW

    def fetch(
        self,
        *partitions: tuple[str, int, int],
        forget: tuple[tuple[str, int], ...] = (),
        epoch: int | None = None,
        **rest: Any,
    ) -> FetchResponse | None:
        """Fetches partitions (topic, index, offset), which an incremental fetch has changed."""
        topics = [
            FetchTopic(
                self._topic_id(topic),
                [FetchPartition(index, fetch_offset=offset, partition_max_bytes=1 << 20)],
                topic if self.version < 13 else "",
            )
            for topic, index, offset in partitions
        ]
        forgotten = [
            ForgottenTopic(self._topic_id(topic), [index], topic if self.version < 13 else "")
            for topic, index in forget
        ]
        request = FetchRequest(
            session_id=self.session_id,
            session_epoch=self.epoch if epoch is None else epoch,
            topics=topics,
            forgotten_topics_data=forgotten,
            **rest,
        )
        response: FetchResponse | None = self.broker.send(request, self.version, self.connection)
        if response is not None and response.error_code == 0:
            if self.epoch == NEW:
                self.session_id = response.session_id
            if self.session_id:
                self.epoch += 1
        return response

    def _topic_id(self, topic: str) -> UUID:
        if self.version < 13:
            return UUID(int=0)
        known = self.broker.broker.topics.by_name.get(topic)
        return UUID(int=4711) if known is None else known.topic_id


def shown(response: FetchResponse | None) -> dict[int, PartitionData]:
    assert response is not None, "the fetch waits"
    assert response.error_code == 0
    return {one.partition_index: one for topic in response.responses for one in topic.partitions}


@pytest.fixture
def broker() -> Stepper:
    stepper = Stepper()
    stepper.topic("orders", partitions=4)
    return stepper


def full(*offsets: int) -> list[tuple[str, int, int]]:
    return [("orders", index, offset) for index, offset in enumerate(offsets)]


# -- what is remembered ------------------------------------------------------------------------


@pytest.mark.parametrize("version", [7, 12, 13, 17])
def test_an_incremental_fetch_shows_only_what_is_new(broker: Stepper, version: int) -> None:
    client = Client(broker, version=version)
    broker.produce("orders", b"a", partition=1, connection=9)

    begin = client.fetch(*full(0, 0, 0))
    nothing = client.fetch(("orders", 1, 1))
    broker.produce("orders", b"b", partition=2, connection=9)
    news = client.fetch()

    assert begin is not None
    assert begin.session_id != 0
    assert list(shown(begin)) == [0, 1, 2]
    assert shown(nothing) == {}
    assert {index: values(one.records) for index, one in shown(news).items()} == {2: [b"b"]}


def test_records_are_shown_until_the_offset_has_moved(broker: Stepper) -> None:
    client = Client(broker)
    broker.produce("orders", b"a", connection=9)
    client.fetch(*full(0, 0))

    again = client.fetch()
    moved = client.fetch(("orders", 0, 1))

    assert {index: values(one.records) for index, one in shown(again).items()} == {0: [b"a"]}
    assert shown(moved) == {}


def test_another_high_watermark_is_shown_without_records(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0, 0))
    broker.produce("orders", b"a", connection=9)

    # As if the client had this record from elsewhere.
    news = shown(client.fetch(("orders", 0, 1)))
    nothing = shown(client.fetch())

    assert {index: one.high_watermark for index, one in news.items()} == {0: 1}
    assert nothing == {}


def test_another_log_start_is_shown_once(broker: Stepper) -> None:
    client = Client(broker)
    broker.produce("orders", b"a", connection=9)
    client.fetch(("orders", 0, 1), ("orders", 1, 0))

    broker.partition("orders").delete_records(1)
    news = shown(client.fetch())
    nothing = shown(client.fetch())

    assert {index: one.log_start_offset for index, one in news.items()} == {0: 1}
    assert nothing == {}


def test_an_error_is_shown_each_time_and_its_end_once(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0, 1))

    errors = [shown(client.fetch())[1].error_code for _ in range(2)]
    over = shown(client.fetch(("orders", 1, 0)))
    nothing = shown(client.fetch())

    assert errors == [ErrorCode.OFFSET_OUT_OF_RANGE] * 2
    assert {index: one.error_code for index, one in over.items()} == {1: 0}
    assert nothing == {}


def test_a_topic_that_comes_later_is_shown_when_it_is_there(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(("orders", 0, 0), ("later", 3, 0))
    unknown = shown(client.fetch())

    broker.topic("later", partitions=4)
    known = shown(client.fetch())

    assert unknown[3].error_code == ErrorCode.UNKNOWN_TOPIC_OR_PARTITION
    assert (list(known), known[3].error_code) == ([3], 0)


def test_partitions_are_added_changed_and_forgotten(broker: Stepper) -> None:
    client = Client(broker)
    for index in range(4):
        broker.produce("orders", b"%d" % index, partition=index, connection=9)
    client.fetch(*full(0, 0))

    added = shown(client.fetch(("orders", 3, 0), forget=(("orders", 0),)))

    assert sorted(added) == [1, 3]
    assert broker.broker.fetch_sessions.partitions_count == 2


def test_a_session_that_forgets_all_is_over(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0))

    response = client.fetch(forget=(("orders", 0), ("orders", 3)))

    assert response is not None
    assert (response.error_code, response.session_id, list(response.responses)) == (0, 0, [])
    assert len(broker.broker.fetch_sessions) == 0
    assert broker.broker.fetch_sessions.partitions_count == 0


def test_who_was_served_stands_behind_the_others(broker: Stepper) -> None:
    client = Client(broker)
    for index in range(3):
        broker.produce("orders", b"x" * 100, partition=index, connection=9)
    client.fetch(*full(0, 0, 0))
    served = [list(shown(client.fetch(max_bytes=1))) for _ in range(4)]

    assert served == [[0], [1], [2], [0]]


def test_an_incremental_fetch_waits_for_news_of_any_of_its_partitions(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0, 0, 0))

    assert client.fetch(max_wait_ms=500, min_bytes=1) is None
    broker.produce("orders", b"a", partition=2, connection=9)
    (late,) = broker.answers()

    assert {index: values(one.records) for index, one in shown(late).items()} == {2: [b"a"]}
    assert late.session_id == client.session_id


def test_an_incremental_fetch_that_waits_in_vain_shows_nothing(broker: Stepper) -> None:
    client = Client(broker)
    client.fetch(*full(0))
    client.fetch(max_wait_ms=500, min_bytes=1)

    broker.advance(500)
    (late,) = broker.answers()

    assert shown(late) == {}
    assert late.session_id == client.session_id


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

    assert refused(client.fetch()) == FETCH_SESSION_TOPIC_ID_ERROR


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
