"""A worker pool for Kafka consumers: at least once, in order of keys, bounded, and safe to stop.

| module | |
|---|---|
| `consumer` | `WorkerPoolConsumer`: the poll thread, rebalances, the end |
| `crew` | the worker threads |
| `ledger`, `tenure` | what is in flight, what may be started and committed; pure |
| `telling` | its steps as events |
| `failures` | retries, and records that fail for good |
| `clients`, `confluent`, `kafka_python` | the clients it works with, imported when they are used |

It knows nothing of the broker beside it: it works with Apache Kafka as with this one.
"""

from __future__ import annotations

from kproof_impl.client.consumer import WorkerPoolConsumer
from kproof_impl.client.errors import (
    ClientMissing,
    CommitRefused,
    ConfigRefused,
    HandlerFailed,
    PoolError,
    WrongThread,
)
from kproof_impl.client.failures import DeadLetterTopic
from kproof_impl.client.tenure import Order, TopicPartition

__all__ = [
    "ClientMissing",
    "CommitRefused",
    "ConfigRefused",
    "DeadLetterTopic",
    "HandlerFailed",
    "Order",
    "PoolError",
    "TopicPartition",
    "WorkerPoolConsumer",
    "WrongThread",
]
