"""Settings of topics and of the broker, described and altered, wholly and by the piece."""

import pytest
from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from impl.clients.conftest import NewTopicOf
from impl.clients.test_sizes import produce_one
from impl_support.clients_broker import eventually
from impl_support.clients_confluent import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ConfigSource,
)
from impl_support.clients_kafka_python import ConfigResource as PythonResource
from impl_support.clients_kafka_python import ConfigResourceType, kafka

SECONDS = 20


def described(admin: AdminClient, kind: str, name: str) -> dict[str, ConfigEntry]:
    (answer,) = admin.describe_configs([ConfigResource(kind, name)]).values()
    entries: dict[str, ConfigEntry] = answer.result(SECONDS)
    return entries


def alter(admin: AdminClient, topic: str, *pieces: tuple[str, AlterConfigOpType, str]) -> None:
    """IncrementalAlterConfigs (KIP-339) of one topic."""
    entries = [
        ConfigEntry(name, value, incremental_operation=operation)
        for name, operation, value in pieces
    ]
    asked = ConfigResource("topic", topic, incremental_configs=entries)
    (answer,) = admin.incremental_alter_configs([asked]).values()
    answer.result(SECONDS)


def test_a_topic_shows_what_was_set_and_kafkas_defaults(
    admin: AdminClient, new_topic: NewTopicOf
) -> None:
    topic = new_topic(**{"retention.ms": "123456", "cleanup.policy": "delete"})

    found = described(admin, "topic", topic)

    assert found["retention.ms"].value == "123456"
    assert ConfigSource(found["retention.ms"].source) is ConfigSource.DYNAMIC_TOPIC_CONFIG
    defaults = {
        "segment.bytes": "1073741824",
        "max.message.bytes": "1048588",
        "compression.type": "producer",
        "message.timestamp.type": "CreateTime",
        "min.insync.replicas": "1",
        "retention.bytes": "-1",
        "flush.messages": "9223372036854775807",
    }
    assert {name: found[name].value for name in defaults} == defaults
    assert ConfigSource(found["segment.bytes"].source) is ConfigSource.DEFAULT_CONFIG
    assert found["segment.bytes"].is_default


def test_the_pieces_of_a_topics_settings_are_set_and_deleted_one_by_one(
    admin: AdminClient, new_topic: NewTopicOf
) -> None:
    topic = new_topic(**{"retention.ms": "1000000", "segment.bytes": "2000000"})

    alter(admin, topic, ("retention.ms", AlterConfigOpType.SET, "3000000"))
    alter(admin, topic, ("segment.bytes", AlterConfigOpType.DELETE, ""))

    def is_changed() -> bool:
        found = described(admin, "topic", topic)
        return (found["retention.ms"].value, found["segment.bytes"].value) == (
            "3000000",
            "1073741824",
        )

    eventually(is_changed, "the settings changed")


def test_a_list_is_appended_to_and_subtracted_from(
    admin: AdminClient, new_topic: NewTopicOf
) -> None:
    topic = new_topic()

    def is_policy(*expected: str) -> bool:
        return set((described(admin, "topic", topic)["cleanup.policy"].value or "").split(",")) == {
            *expected
        }

    alter(admin, topic, ("cleanup.policy", AlterConfigOpType.APPEND, "compact"))
    eventually(lambda: is_policy("delete", "compact"), "both policies")
    alter(admin, topic, ("cleanup.policy", AlterConfigOpType.SUBTRACT, "delete"))
    eventually(lambda: is_policy("compact"), "one policy")


def test_altering_the_whole_resets_what_is_not_named(
    admin: AdminClient, new_topic: NewTopicOf
) -> None:
    topic = new_topic(**{"retention.ms": "1000000"})

    asked = ConfigResource("topic", topic, set_config={"max.message.bytes": "5000"})
    with pytest.warns(DeprecationWarning, match="incremental"):
        (answer,) = admin.alter_configs([asked]).values()
    answer.result(SECONDS)

    def is_changed() -> bool:
        found = described(admin, "topic", topic)
        values = (found["retention.ms"].value, found["max.message.bytes"].value)
        return values == ("604800000", "5000")

    eventually(is_changed, "one setting is set and the other back at its default")


@pytest.mark.parametrize(
    ("name", "value"),
    [("no.such.setting", "1"), ("retention.ms", "soon"), ("compression.type", "arj")],
)
def test_a_setting_that_cannot_be_is_refused(
    admin: AdminClient, new_topic: NewTopicOf, name: str, value: str
) -> None:
    topic = new_topic()
    with pytest.raises(KafkaException) as raised:
        alter(admin, topic, (name, AlterConfigOpType.SET, value))
    assert raised.value.args[0].code() == KafkaError.INVALID_CONFIG


def test_settings_of_a_topic_that_is_not_there_are_refused(admin: AdminClient) -> None:
    with pytest.raises(KafkaException) as raised:
        described(admin, "topic", "never-made")
    assert raised.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART
    with pytest.raises(KafkaException) as raised:
        alter(admin, "never-made", ("retention.ms", AlterConfigOpType.SET, "1"))
    assert raised.value.args[0].code() == KafkaError.UNKNOWN_TOPIC_OR_PART


def test_the_broker_describes_itself(admin: AdminClient) -> None:
    (node,) = admin.describe_cluster().result(SECONDS).nodes

    found = described(admin, "broker", str(node.id))

    assert found["auto.create.topics.enable"].value == "true"
    assert found["num.partitions"].value is not None
    assert found["message.max.bytes"].value == "1048588"


def test_a_changed_limit_holds_at_once(
    admin: AdminClient, bootstrap: str, new_topic: NewTopicOf
) -> None:
    topic = new_topic()
    assert produce_one(bootstrap, topic, b"x" * 5000) is None

    alter(admin, topic, ("max.message.bytes", AlterConfigOpType.SET, "1000"))

    eventually(
        lambda: (
            (refused := produce_one(bootstrap, topic, b"x" * 5000)) is not None
            and refused.code() == KafkaError.MSG_SIZE_TOO_LARGE
        ),
        "the new limit holds",
    )


def test_kafka_python_alters_and_resets(bootstrap: str, new_topic: NewTopicOf) -> None:
    topic = new_topic()
    admin = kafka.KafkaAdminClient(bootstrap_servers=bootstrap)

    def resource(settings: dict[str, str] | None) -> PythonResource:
        return PythonResource(ConfigResourceType.TOPIC, topic, configs=settings)

    def retention() -> object:
        found = admin.describe_configs([resource(None)], config_filter="all")
        return found["topic"][topic]["retention.ms"]["value"]

    admin.alter_configs([resource({"retention.ms": "5000000"})])
    eventually(lambda: str(retention()) == "5000000", "the setting is there")
    admin.reset_configs([resource({"retention.ms": ""})])
    eventually(lambda: str(retention()) == "604800000", "the setting is the default again")
    admin.close()
