"""A disk that takes nothing more is told to whoever runs the broker, and not with every record."""

from random import Random

from impl_support.group_members import commit_request
from impl_support.stepping import Stepper
from kproof_impl.core.effects import Report
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.storage.faulty_files import FaultyFiles

FULL = "No space left on device"


def reports(broker: Stepper) -> list[str]:
    told = [one.text for one in broker.effects if isinstance(one, Report)]
    broker.effects.clear()
    return told


def produce_refused(broker: Stepper, files: FaultyFiles, topic: str) -> None:
    files.fail_after("append", 0, FULL)
    assert broker.produce(topic, b"x").error_code == ErrorCode.KAFKA_STORAGE_ERROR


def test_a_full_disk_is_told_once_a_minute_for_each_partition() -> None:
    files = FaultyFiles(Random(1))
    broker = Stepper(files=files)
    for topic in ("a", "b"):
        broker.topic(topic)
        broker.produce(topic, b"x")
    broker.effects.clear()

    for _ in range(3):
        produce_refused(broker, files, "a")
    (told,) = reports(broker)
    assert told.startswith("partition a-0 took nothing: Cannot append ")
    assert FULL in told

    produce_refused(broker, files, "b")
    assert [one.split(" took")[0] for one in reports(broker)] == ["partition b-0"]

    broker.advance(60_000)
    produce_refused(broker, files, "a")
    assert len(reports(broker)) == 1


def test_commits_that_the_disk_refuses_are_told() -> None:
    files = FaultyFiles(Random(1))
    broker = Stepper(files=files)
    broker.topic("orders")
    broker.send(commit_request("g", {("orders", 0): 1}))
    broker.effects.clear()

    files.fail_after("append", 0, FULL)
    found = broker.send(commit_request("g", {("orders", 0): 2}))

    assert found.topics[0].partitions[0].error_code == ErrorCode.NOT_COORDINATOR
    (told,) = reports(broker)
    assert told.startswith("the log of the groups took nothing: ")
