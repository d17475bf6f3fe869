"""Answers in a form in which two brokers' can be compared, and Kafka's as they were recorded."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from kproof_impl.messages.create_topics import CreateTopicsResponse

RECORDED = Path(__file__).parent.parent / "impl" / "core" / "data" / "kafka_4_1_0_admin.json"

Answer = dict[str, str]
"""Each value of an answer as JSON, by its path."""

OWN = (
    "topic_id", "cluster_id", "throttle_time_ms", "port", "log_dir", "error_message",
    "total_bytes", "usable_bytes", "documentation", "api_keys", "supported_features",
    "finalized_features", "finalized_features_epoch",
)  # fmt: skip
"""Fields that two brokers need not agree in."""
_KEYS = ("name", "resource_name", "partition_index")


def comparable(response: object) -> Answer:
    """The values of a response by their paths; elements of lists are named by their names."""
    if isinstance(response, CreateTopicsResponse) and len(response.topics) > 1:
        # The settings of one topic are enough: they are many.
        topics = [dataclasses.replace(topic, configs=()) for topic in response.topics]
        response = dataclasses.replace(response, topics=topics)
    answer: Answer = {}
    _walk(response, "", answer)
    return dict(sorted(answer.items()))


def _walk(value: Any, path: str, answer: Answer) -> None:
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.name not in OWN:
                _walk(getattr(value, field.name), f"{path}.{field.name}", answer)
    elif isinstance(value, (list, tuple)):
        answer[f"{path}#"] = json.dumps(len(value))
        seen: dict[str, int] = {}
        for index, one in enumerate(value):
            name = str(next((getattr(one, key) for key in _KEYS if hasattr(one, key)), index))
            seen[name] = seen.get(name, 0) + 1
            _walk(one, f"{path}[{name}{'*' * (seen[name] - 1)}]", answer)
    else:
        is_number = isinstance(value, int) and not isinstance(value, bool)  # Enumerations too.
        answer[path] = json.dumps(int(value) if is_number else value)


def recorded() -> dict[str, Answer]:
    """The answers of Kafka 4.1.0 to the story, by what was tried."""
    answers: dict[str, Answer] = json.loads(RECORDED.read_text())
    return answers
