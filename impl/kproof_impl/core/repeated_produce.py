"""Produce with one batch for one partition, which is most of what a busy broker is asked.

A faster twin of `produce`: the same checks and the same append, without a record for each part of
the request and of the answer.  What it does not answer itself is left to the twin, untouched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.effects import Effect, Send, SendProduced
from kproof_impl.core.inputs import ReceivedBatch
from kproof_impl.core.produce import TOPIC_IDS_VERSION, append_batch, storage_error
from kproof_impl.records.errors import BatchRefused, LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker


def produce_one_batch(broker: Broker, event: ReceivedBatch) -> Effect | None:
    """Appends the batch, and gives the answer; None if nothing was appended, and `produce` is to
    say why."""
    route = event.route
    version = route.api_version
    topics = broker.topics
    if version >= TOPIC_IDS_VERSION:
        topic = topics.by_id.get(route.topic_id)
    else:
        topic = topics.by_name.get(route.name)
    index = route.index
    if topic is None or topic.is_internal or not 0 <= index < len(topic.partitions):
        return None
    partition = topic.partitions[index]
    try:
        base_offset, time_ms, is_new = append_batch(
            topic.log_config, partition, event.records, version, broker.now_ms
        )
    except BatchRefused:
        return None
    except LogFailed as failure:
        response = route.response(storage_error(broker, partition, failure))
        return Send(event.connection_id, route.header(event.correlation_id), response)
    if is_new:
        broker.waiting_fetches.appended(partition)
    return SendProduced(
        event.connection_id,
        event.correlation_id,
        route,
        base_offset,
        time_ms,
        partition.log.log_start_offset,
    )
