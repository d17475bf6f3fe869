"""An administrator's requests are answered as Kafka 4.1.0 answered them.

What differs on purpose is listed with its reason.  `tools/record_kafka_answers.py` records anew.
"""

import pytest

from impl_support.admin_story import story
from impl_support.kafka_answers import Answer, comparable, recorded
from impl_support.stepping import Stepper
from kproof_impl.core.config import BrokerConfig

KAFKA = recorded()


@pytest.fixture(scope="module")
def answers() -> dict[str, Answer]:
    broker = Stepper(BrokerConfig(num_partitions=4))
    return {name: comparable(broker.send(request, version)) for name, version, request in story()}


@pytest.mark.parametrize("name", [name for name, _, _ in story()])
def test_an_answer_is_kafkas(name: str, answers: dict[str, Answer]) -> None:
    ours, kafkas = (
        _without_known_differences(answers[name]),
        _without_known_differences(KAFKA[name]),
    )

    assert ours == kafkas


def _without_known_differences(answer: Answer) -> Answer:
    return {
        path: value
        for path, value in answer.items()
        # Kafka 4.1 sets min.insync.replicas for all brokers when eligible leader replicas are on.
        if "[min.insync.replicas].config_source" not in path
        and "[min.insync.replicas].synonyms" not in path
        # Kafka has no default under this name; what it uses instead has another meaning here.
        and "[flush.ms].synonyms" not in path
    }


def test_the_story_was_recorded_as_it_is_now() -> None:
    assert list(KAFKA) == [name for name, _, _ in story()]
    assert sum(len(answer) for answer in KAFKA.values()) > 500
