"""What librdkafka's tests ask of Kafka's shell tools, done through a client.

Only `kafka-topics.sh --create`, `--alter` (of the count of partitions) and `--delete` are called
by the tests that we run. Ends with 1 and says why if the broker refuses.
"""

import argparse
import sys
from collections.abc import Sequence

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions, NewTopic

TIMEOUT_SECONDS = 30


def topics(arguments: Sequence[str]) -> None:
    """`kafka-topics.sh`, as far as the tests use it."""
    parser = argparse.ArgumentParser(prog="kafka-topics.sh")
    parser.add_argument("--bootstrap-server", required=True)
    parser.add_argument("--topic", required=True)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--create", action="store_true")
    action.add_argument("--alter", action="store_true")
    action.add_argument("--delete", action="store_true")
    parser.add_argument("--partitions", type=int, default=-1)
    parser.add_argument("--replication-factor", type=int, default=-1)
    parser.add_argument("--config", action="append", default=[])
    asked = parser.parse_args(arguments)
    admin = AdminClient({"bootstrap.servers": asked.bootstrap_server})
    if asked.create:
        config = dict(setting.split("=", 1) for setting in asked.config)
        topic = NewTopic(asked.topic, asked.partitions, asked.replication_factor, config=config)
        answers = admin.create_topics([topic])
    elif asked.alter:
        answers = admin.create_partitions([NewPartitions(asked.topic, asked.partitions)])
    else:
        answers = admin.delete_topics([asked.topic])
    for answer in answers.values():
        answer.result(TIMEOUT_SECONDS)


if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] != "topics":
        sys.exit("only kafka-topics.sh is known here")
    try:
        topics(sys.argv[2:])
    except KafkaException as refusal:
        sys.exit(f"the broker refused: {refusal}")
