"""Topics: what the metadata log says, what a restart finds, what a crash on the way leaves."""

from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from impl_support.batches import Sent
from impl_support.stepping import DATA_DIRECTORY, Stepper
from kproof_impl.core import topics as topics_module
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.config_types import ConfigInvalid
from kproof_impl.core.metadata_image import fold, records_of
from kproof_impl.core.metadata_log import CLUSTER_METADATA_ID
from kproof_impl.core.topics import CONSUMER_OFFSETS
from kproof_impl.messages.fetch import FetchPartition, FetchRequest, FetchTopic
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.faulty_files import FaultyFiles
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.storage.names import directory_name


def assert_live_state_is_the_fold(broker: Stepper) -> None:
    topics = broker.broker.topics
    assert topics.image() == fold(topics.metadata_records())
    assert topics.partitions_count == len(list(topics.all_partitions()))
    assert list(topics.by_id) == [topic.topic_id for topic in topics.by_name.values()]


def epochs(broker: Stepper, name: str) -> list[int]:
    return [partition.leader_epoch for partition in broker.broker.topics.by_name[name].partitions]


def directories(broker: Stepper) -> set[tuple[UUID, int]]:
    return {key for key in broker.store.existing() if key[0] != CLUSTER_METADATA_ID}


# -- the fold ----------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c.d", CONSUMER_OFFSETS])
STEPS = st.one_of(
    st.tuples(st.just("create"), NAMES, st.integers(1, 3)),
    st.tuples(st.just("delete"), NAMES),
    st.tuples(st.just("add"), NAMES, st.integers(1, 2)),
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
        assert directories(broker) == live
    broker.broker.stop(broker.now_ms)


def test_a_shorter_log_says_the_same() -> None:
    broker = Stepper()
    broker.topic("a", 3, {"retention.ms": "5"})
    broker.topic("b", 1)
    broker.broker.topics.delete([broker.broker.topics.by_name["b"]])
    broker.broker.topics.set_broker_configs("", {"log.retention.ms": "8"})
    broker.broker.topics.reserve_producer_ids(10)
    broker.restart()

    image = broker.broker.topics.image()

    records = list(records_of(image, 1))
    assert fold(records) == image
    assert fold([*broker.broker.topics.metadata_records(), *records]) == image


def test_a_long_metadata_log_begins_anew_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(topics_module, "SNAPSHOT_RECORDS_MIN", 30)
    broker = Stepper()
    topic = broker.topic("a", 2)
    for number in range(50):
        broker.broker.topics.set_configs(topic, {"retention.ms": str(number)})

    broker.restart()

    assert_live_state_is_the_fold(broker)
    assert broker.broker.topics.by_name["a"].configs == {"retention.ms": "49"}
    assert len(list(broker.broker.topics.metadata_records())) == 6
    broker.restart()
    assert_live_state_is_the_fold(broker)
    assert epochs(broker, "a") == [2, 2]


@pytest.mark.parametrize(
    "records",
    [
        [{"type": "NoSuchRecord"}],
        [{"type": "TopicRecord", "name": "a"}],
        [{"type": "TopicRecord", "name": "a", "topicId": "no id"}],
        [{"type": "RemoveTopicRecord", "topicId": str(UUID(int=7))}],
        [{"type": "PartitionRecord", "topicId": str(UUID(int=7)), "partitionId": 0}],
        [
            {"type": "TopicRecord", "name": "a", "topicId": str(UUID(int=7))},
            {"type": "TopicRecord", "name": "a", "topicId": str(UUID(int=8))},
        ],
        [
            {"type": "TopicRecord", "name": "a", "topicId": str(UUID(int=7))},
            {
                "type": "PartitionRecord",
                "topicId": str(UUID(int=7)),
                "partitionId": 1,
                "leaderEpoch": 0,
            },
        ],
        [{"type": "ConfigRecord", "resourceType": 3, "resourceName": "", "name": "", "value": ""}],
    ],
)
def test_records_that_do_not_fit_are_refused(records: list[dict[str, object]]) -> None:
    with pytest.raises(LogFailed, match="does not fit those before it"):
        fold(records)


def test_a_record_that_is_not_json_stops_the_start_with_its_offset() -> None:
    broker = Stepper()
    broker.topic("a")
    log = f"{DATA_DIRECTORY}/{directory_name(CLUSTER_METADATA_ID, 0)}/{0:020d}.log"
    broker.broker.stop(broker.now_ms)
    data = broker.files.read_all(log)

    broker.files.write(log, data.replace(b'{"type"', b'["type"'))

    with pytest.raises(LogFailed, match="record 0 of the metadata log is not JSON"):
        broker._started()


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


# -- crashes on the way ------------------------------------------------------------------------


def files_of(broker: Stepper) -> MemoryFiles:
    assert isinstance(broker.files, MemoryFiles)
    return broker.files


def test_a_topic_whose_directories_are_missing_gets_them() -> None:
    broker = Stepper()
    topic = broker.topic("a", 2)
    broker.broker.stop(broker.now_ms)
    name = directory_name(topic.topic_id, 1)
    files_of(broker).remove_directory(f"{DATA_DIRECTORY}/{name}")

    broker.broker = broker._started()

    assert directories(broker) == {(topic.topic_id, 0), (topic.topic_id, 1)}
    broker.produce("a", b"x", partition=1)
    assert len(broker.fetched("a", 1)) == 1


def test_directories_of_a_creation_that_was_cut_off_are_deleted() -> None:
    broker = Stepper()
    topic = broker.topic("a")
    for topic_id, partition in ((UUID(int=77), 0), (topic.topic_id, 1)):
        broker.store.open(topic_id, "b", partition, broker.config.log)

    broker.crash()

    assert directories(broker) == {(topic.topic_id, 0)}


def test_directories_of_a_deletion_that_was_cut_off_are_deleted() -> None:
    broker = Stepper()
    kept = broker.topic("kept")
    doomed = broker.topic("doomed")
    broker.produce("doomed", b"x")
    copies = copy_directory(files_of(broker), directory_name(doomed.topic_id, 0))
    broker.broker.topics.delete([doomed])
    for path, data in copies.items():
        files_of(broker).make_directory(path.rpartition("/")[0])
        files_of(broker).write(path, data)

    broker.crash()

    assert directories(broker) == {(kept.topic_id, 0)}
    assert list(broker.broker.topics.by_name) == ["kept"]


def copy_directory(files: MemoryFiles, name: str) -> dict[str, bytes]:
    path = f"{DATA_DIRECTORY}/{name}"
    return {f"{path}/{each}": files.read_all(f"{path}/{each}") for each in files.list_names(path)}


def test_records_whose_topic_the_metadata_log_never_had_stop_the_start() -> None:
    broker = Stepper()
    topic = broker.topic("a")
    broker.produce("a", b"precious")
    broker.broker.stop(broker.now_ms)
    path = f"{DATA_DIRECTORY}/{directory_name(CLUSTER_METADATA_ID, 0)}"
    files_of(broker).remove_directory(path)

    with pytest.raises(LogFailed, match="the metadata log has no such partition"):
        broker._started()

    assert f"{directory_name(topic.topic_id, 0)}" in broker.files.list_names(DATA_DIRECTORY)


@pytest.mark.parametrize("action", ["append", "write", "fsync"])
@pytest.mark.parametrize("calls", range(6))
def test_a_disk_that_refuses_leaves_the_state_of_the_log(action: str, calls: int) -> None:
    files = FaultyFiles(Random(calls))
    broker = Stepper(files=files)
    topic = broker.topic("a", 1)
    before = broker.broker.topics.image()

    changes = (
        lambda: broker.topic("b", 2),
        lambda: broker.broker.topics.add_partitions([(topic, 3)]),
        lambda: broker.broker.topics.set_configs(topic, {"retention.ms": "5"}),
        lambda: broker.broker.topics.delete([topic]),
    )
    for change in changes:
        files.fail_after(action, calls)
        try:
            change()
        except LogFailed:
            break
        before = broker.broker.topics.image()

    assert broker.broker.topics.image() == before


def test_a_full_disk_does_not_stay_full() -> None:
    files = FaultyFiles(Random(1))
    broker = Stepper(files=files)
    files.fail_after("append", 0)
    with pytest.raises(LogFailed, match="No space left"):
        broker.topic("a", 2)
    assert directories(broker) == set()

    broker.topic("a", 2)

    assert_live_state_is_the_fold(broker)
    broker.restart()
    assert list(broker.broker.topics.by_name) == ["a"]
    broker.broker.stop(broker.now_ms)


@pytest.mark.parametrize("seed", range(30))
def test_a_power_failure_takes_back_no_change_that_was_made(seed: int) -> None:
    files = FaultyFiles(Random(seed))
    broker = Stepper(files=files)
    topic = broker.topic("a", 2, {"retention.ms": "5"})
    doomed = broker.topic("b")
    broker.broker.topics.delete([doomed])
    broker.broker.topics.add_partitions([(topic, 3)])
    broker.broker.topics.set_configs(topic, {"flush.ms": "9"})
    broker.broker.topics.reserve_producer_ids(100)

    files.crash()
    broker.broker = broker._started()

    topics = broker.broker.topics
    assert_live_state_is_the_fold(broker)
    assert list(topics.by_name) == ["a"]
    assert epochs(broker, "a") == [1, 1, 1]
    assert topics.by_name["a"].configs == {"retention.ms": "5", "flush.ms": "9"}
    assert topics.reserve_producer_ids(1) == 100
    assert directories(broker) == {(topic.topic_id, index) for index in range(3)}


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
