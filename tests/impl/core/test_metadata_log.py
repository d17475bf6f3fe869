"""The metadata log: what it says, what it says no more, and what a crash on the way leaves."""

from random import Random
from uuid import UUID

import pytest

from impl_support.stepping import DATA_DIRECTORY, Stepper
from impl_support.topic_state import assert_live_state_is_the_fold, directories, epochs
from kproof_impl.core import topics as topics_module
from kproof_impl.core.metadata_image import fold, records_of
from kproof_impl.core.metadata_log import CLUSTER_METADATA_ID
from kproof_impl.records.errors import LogFailed
from kproof_impl.storage.faulty_files import FaultyFiles
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.storage.names import directory_name


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


# -- crashes on the way ------------------------------------------------------------------------


def files_of(broker: Stepper) -> MemoryFiles:
    assert isinstance(broker.files, MemoryFiles)
    return broker.files


def test_a_partition_whose_directory_is_missing_gets_it_with_its_first_record() -> None:
    broker = Stepper(observe=lambda _: None)  # That a directory goes is no step of a log.
    topic = broker.topic("a", 2)
    broker.produce("a", b"x", partition=0)
    broker.produce("a", b"x", partition=1)
    broker.broker.stop(broker.now_ms)
    name = directory_name(topic.topic_id, 1)
    files_of(broker).remove_directory(f"{DATA_DIRECTORY}/{name}")

    broker.broker = broker._started()

    assert directories(broker) == {(topic.topic_id, 0)}
    broker.produce("a", b"x", partition=1, connection=2)
    assert directories(broker) == {(topic.topic_id, 0), (topic.topic_id, 1)}
    assert broker.partition("a", 1).log_end_offset == 1


def test_directories_of_a_creation_that_was_cut_off_are_deleted() -> None:
    broker = Stepper()
    topic = broker.topic("a")
    broker.produce("a", b"x")
    for topic_id, partition in ((UUID(int=77), 0), (topic.topic_id, 1)):
        path = f"{DATA_DIRECTORY}/{directory_name(topic_id, partition)}"
        files_of(broker).make_directory(path)
    assert len(directories(broker)) == 3

    broker.crash()

    assert directories(broker) == {(topic.topic_id, 0)}


def test_directories_of_a_deletion_that_was_cut_off_are_deleted() -> None:
    broker = Stepper()
    kept = broker.topic("kept")
    doomed = broker.topic("doomed")
    broker.produce("kept", b"x")
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
    broker.produce("b", b"x")
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
    assert directories(broker) == set()
