"""Topics: always what the metadata log says, in this life and the next."""

from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl_support.batches import Sent
from impl_support.logs import append, batch_of_size
from impl_support.stepping import Stepper
from impl_support.topic_state import assert_live_state_is_the_fold, directories, epochs
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.config_types import ConfigInvalid
from kproof_impl.core.topics import CONSUMER_OFFSETS
from kproof_impl.messages.fetch import FetchPartition, FetchRequest, FetchTopic

# -- the fold ----------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c.d", CONSUMER_OFFSETS])
STEPS = st.one_of(
    st.tuples(st.just("create"), NAMES, st.integers(1, 3)),
    st.tuples(st.just("delete"), NAMES),
    st.tuples(st.just("add"), NAMES, st.integers(1, 2)),
    st.tuples(st.just("write"), NAMES, st.integers(0, 2)),
    st.tuples(
        st.just("configure"), NAMES, st.sampled_from(["retention.ms", "flush.ms"]),
        st.sampled_from(["7", "9", None]),
    ),
    st.tuples(
        st.just("configure broker"), st.sampled_from(["", "1"]), st.sampled_from(["5", None])
    ),
    st.tuples(st.just("reserve"), st.integers(1, 1000)),
    st.tuples(st.just("restart")),
    st.tuples(st.just("crash")),
)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_the_live_state_is_the_fold_of_the_metadata_log_after_any_sequence(
    steps: list[tuple[object, ...]],
) -> None:
    broker = Stepper()
    written: set[tuple[UUID, int]] = set()
    for step in steps:
        topics = broker.broker.topics
        topic = topics.by_name.get(str(step[1])) if len(step) > 1 else None
        match step:
            case ("create", str(name), int(partitions)) if topic is None:
                topics.create(name, partitions, {"segment.ms": "1000"})
            case ("delete", _) if topic is not None:
                topics.delete([topic])
            case ("add", _, int(more)) if topic is not None:
                topics.add_partitions([(topic, len(topic.partitions) + more)])
            case ("write", _, int(index)) if topic is not None and index < len(topic.partitions):
                partition = topic.partitions[index]
                append(partition.log, batch_of_size(), now_ms=broker.now_ms)
                written.add((topic.topic_id, index))
            case ("configure", _, str(key), (str() | None) as value) if topic is not None:
                topics.set_configs(topic, {key: value})
            case ("configure broker", str(resource), (str() | None) as value):
                topics.set_broker_configs(resource, {"log.retention.ms": value})
            case ("reserve", int(count)):
                topics.reserve_producer_ids(count)
            case ("restart",):
                broker.restart()
            case ("crash",):
                broker.crash()
        assert_live_state_is_the_fold(broker)
        live = {(one.topic_id, one.index) for one in broker.broker.topics.all_partitions()}
        assert directories(broker) == live & written
    broker.broker.stop(broker.now_ms)


# -- lives -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_clean", [True, False])
def test_topics_survive_the_end_of_the_process(is_clean: bool) -> None:
    broker = Stepper()
    first = broker.topic("first", 3, {"retention.ms": "77", "cleanup.policy": "compact"})
    second = broker.topic("second")
    broker.produce("first", Sent(b"kept", key=b"k"), partition=2)

    broker.restart() if is_clean else broker.crash()

    topics = broker.broker.topics
    assert list(topics.by_name) == ["first", "second"]
    assert topics.by_name["first"].topic_id == first.topic_id
    assert topics.by_id[second.topic_id].name == "second"
    assert topics.by_name["first"].configs == {"retention.ms": "77", "cleanup.policy": "compact"}
    assert topics.by_name["first"].log_config.retention_ms == 77
    assert [one.value for one in broker.fetched("first", 2)] == [b"kept"]


def test_leader_epochs_begin_at_0_and_rise_with_each_life() -> None:
    broker = Stepper()
    broker.topic("old", 2)
    assert epochs(broker, "old") == [0, 0]
    broker.restart()
    assert epochs(broker, "old") == [1, 1]
    broker.topic("new")
    broker.crash()

    assert epochs(broker, "old") == [2, 2]
    assert epochs(broker, "new") == [1]
    broker.produce("old", b"x")
    assert broker.partition("old").log.latest_epoch == 2


def test_a_recreated_topic_has_a_new_id_the_first_epoch_and_no_records() -> None:
    broker = Stepper()
    old_id = broker.topic("a").topic_id
    broker.restart()
    broker.produce("a", b"old")
    broker.broker.topics.delete([broker.broker.topics.by_name["a"]])

    new = broker.topic("a")

    assert new.topic_id != old_id
    assert epochs(broker, "a") == [0]
    assert broker.fetched("a") == []
    assert broker.broker.topics.partition_by_id(old_id, 0) is None
    broker.restart()
    assert broker.fetched("a") == []


def test_an_id_is_never_reserved_twice() -> None:
    broker = Stepper()
    first = broker.broker.topics.reserve_producer_ids(1000)
    second = broker.broker.topics.reserve_producer_ids(1)
    broker.crash()
    third = broker.broker.topics.reserve_producer_ids(5)
    broker.restart()

    assert (first, second, third) == (0, 1000, 1001)
    assert broker.broker.topics.reserve_producer_ids(1) == 1006


def test_a_topic_id_is_never_one_that_has_a_meaning_or_is_taken() -> None:
    broker = Stepper()
    broker.topic("a")
    broker.identifiers.topics_count = -1  # Its next ids are 0, 1, 2 and 3.

    topic = broker.topic("b")

    assert topic.topic_id == UUID(int=3)


def test_internal_topics_may_be_given_their_ids() -> None:
    given_id = UUID(int=99)
    broker = Stepper(BrokerConfig(internal_topic_ids={CONSUMER_OFFSETS: given_id}))

    topic = broker.broker.topics.ensure_internal(CONSUMER_OFFSETS, 2, {"cleanup.policy": "compact"})

    assert topic.topic_id == given_id
    assert topic.is_internal
    assert broker.broker.topics.ensure_internal(CONSUMER_OFFSETS, 9, {}) is topic


def test_settings_that_cannot_be_change_nothing() -> None:
    broker = Stepper()

    with pytest.raises(ConfigInvalid, match=r"Unknown topic config name: no\.such"):
        broker.broker.topics.create_all([("a", 1, {}), ("b", 1, {"no.such": "1"})])

    assert broker.broker.topics.by_name == {}
    assert directories(broker) == set()


# -- who waits ---------------------------------------------------------------------------------


def test_a_fetch_that_waits_for_a_topic_is_answered_when_the_topic_goes() -> None:
    broker = Stepper()
    topic = broker.topic("a")
    one = FetchPartition(0, partition_max_bytes=1 << 20)
    request = FetchRequest(
        max_wait_ms=60_000, min_bytes=1, topics=[FetchTopic(partitions=[one], topic="a")]
    )
    assert broker.send(request, 12) is None

    broker.broker.topics.delete([topic])
    broker.advance(0)

    (response,) = broker.answers()
    assert response.responses[0].partitions[0].error_code == 3


def test_names_that_differ_in_dots_and_underscores_are_known_until_the_topic_goes() -> None:
    broker = Stepper()
    topic = broker.topic("a.b_c")
    broker.topic("plain")
    topics = broker.broker.topics

    assert topics.name_in_collision("a_b.c") == "a.b_c"
    assert topics.name_in_collision("plain") is None
    topics.delete([topic])
    assert topics.name_in_collision("a_b.c") is None
