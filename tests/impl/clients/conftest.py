"""One broker for all tests of a worker, and a new topic for each test."""

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from impl_support.clients_broker import ServedBroker, elsewhere, eventually, served
from impl_support.clients_confluent import LATEST

ANSWER_SECONDS = 20

NewTopicOf = Callable[..., str]


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedBroker]:
    """A broker that all tests of this worker share; none relies on what another left."""
    there = elsewhere()
    if there is not None:
        yield there
        return
    with served(tmp_path_factory.mktemp("broker")) as ours:
        yield ours


@pytest.fixture(scope="session")
def bootstrap(broker: ServedBroker) -> str:
    """`host:port` of the shared broker."""
    return broker.bootstrap


@pytest.fixture
def own_data_dir(tmp_path: Path) -> Path:
    """A folder for a broker that a test starts and stops by itself; skipped for somebody else's."""
    if elsewhere() is not None:
        pytest.skip("starts and stops a broker, which only ours can do here")
    return tmp_path / "logs"


@pytest.fixture(scope="session")
def admin(bootstrap: str) -> AdminClient:
    """librdkafka's admin client."""
    return AdminClient({"bootstrap.servers": bootstrap})


@pytest.fixture
def new_name(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Names nobody has used before, on this broker or on one that lives longer than a run."""

    def name(kind: str) -> str:
        return f"{kind}-{uuid.uuid4().hex[:12]}"

    return name


@pytest.fixture
def new_topic(admin: AdminClient, new_name: Callable[[str], str]) -> NewTopicOf:
    """Makes a topic: `new_topic(partitions=1, **{"max.message.bytes": "1000"})`; its name."""

    def make(partitions: int = 1, **config: str) -> str:
        topic = new_name("orders")
        asked = NewTopic(topic, partitions, 1, config=config)
        for answer in admin.create_topics([asked]).values():
            answer.result(ANSWER_SECONDS)
        ends = {TopicPartition(topic, p): LATEST for p in range(partitions)}

        def is_there() -> bool:
            admin.list_topics(topic, timeout=ANSWER_SECONDS)  # librdkafka's cache may be too old.
            answers = admin.list_offsets(ends).values()
            return all(answer.exception(ANSWER_SECONDS) is None for answer in answers)

        # Apache Kafka answers before the partitions are there, and then drops what acks=0 sends.
        eventually(is_there, f"the partitions of {topic} have a leader")
        return topic

    return make
