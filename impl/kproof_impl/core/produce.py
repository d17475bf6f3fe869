"""Produce, versions 3 to 13: a client appends a batch to each of some partitions.

*Behaviour*
- Each partition takes exactly one batch of format 2, checked by `produced_batch` and stored as it
  was sent, with its offset and leader epoch patched in.
- acks 1 and -1 are the same on a node alone: the answer leaves when the write has returned.  With
  acks 0 there is no answer; an error then closes the connection, so that the client sees that
  something was wrong.
- A batch of an idempotent producer that repeats one of its last five is answered with the offset
  that the first one got (KIP-98).
- A partition that does not exist is not made: that is Metadata's.

*Version notes*: 5 the log's start offset; 7 zstd (KIP-110); 8 the records at fault (KIP-467); 13
topic ids (KIP-516).

*Not implemented*: transactions.  A transactional id and a transactional batch are refused with
TRANSACTIONAL_ID_AUTHORIZATION_FAILED, which Kafka answers to a client that may not use
transactions: librdkafka and the Java client take it for fatal and say so at once, where they would
retry other errors for ever.

REF   Kafka's `KafkaApis.handleProduceRequest`, `ReplicaManager.appendToLocalLog`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.calls import NO_ANSWER, Call, CloseConnection, NoAnswer
from kproof_impl.core.log_config import LogConfig
from kproof_impl.core.partition import Partition
from kproof_impl.core.produced_batch import NO_TIMESTAMP, TRANSACTIONS_REFUSED, prepared_batch
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import Buffer
from kproof_impl.messages.produce import (
    NO_LEADER,
    BatchIndexAndErrorMessage,
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from kproof_impl.records.batch import LOG_APPEND_TIME, header_at
from kproof_impl.records.errors import BatchRefused, LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker
    from kproof_impl.core.topics import Topic

NO_OFFSET = -1
TOPIC_IDS_VERSION = 13

_NONE = int(ErrorCode.NONE)


def produce(broker: Broker, call: Call, request: ProduceRequest) -> ProduceResponse | NoAnswer:
    """Appends what is acceptable, and says of each partition what became of it.

    Raises `CloseConnection` for an error with acks 0.
    """
    version = call.header.api_version
    topics = broker.topics
    is_acceptable = request.transactional_id is None and -1 <= request.acks <= 1
    appended: list[Partition] = []
    responses: list[TopicProduceResponse] = []
    for of_topic in request.topic_data:
        if version >= TOPIC_IDS_VERSION:
            topic = topics.by_id.get(of_topic.topic_id)
        else:
            topic = topics.by_name.get(of_topic.name)
        if topic is not None and is_acceptable and not topic.is_internal:
            answers = [
                _append(broker, topic, one, version, appended) for one in of_topic.partition_data
            ]
        else:
            code, reason = _refused(request, topic, version)
            answers = [_error(one.index, code, reason) for one in of_topic.partition_data]
        responses.append(TopicProduceResponse(of_topic.topic_id, answers, of_topic.name))
    for partition in appended:
        broker.waiting_fetches.appended(partition)
    if request.acks == 0:
        _close_on_error(responses)
        return NO_ANSWER
    return ProduceResponse(responses)


def _append(
    broker: Broker,
    topic: Topic,
    wanted: PartitionProduceData,
    version: int,
    appended: list[Partition],
) -> PartitionProduceResponse:
    index = wanted.index
    if not 0 <= index < len(topic.partitions):
        return _error(index, ErrorCode.UNKNOWN_TOPIC_OR_PARTITION)
    partition = topic.partitions[index]
    log = partition.log
    try:
        base_offset, time_ms, is_new = append_batch(
            topic.log_config, partition, wanted.records, version, broker.now_ms
        )
    except BatchRefused as refused:
        return _error(
            index,
            refused.error_code,
            refused.reason,
            tuple(BatchIndexAndErrorMessage(at, text) for at, text in refused.record_errors),
            log.log_start_offset,
        )
    except LogFailed as failure:
        return storage_error(broker, partition, failure)
    if is_new:
        appended.append(partition)
    return PartitionProduceResponse(
        index, _NONE, base_offset, time_ms, log.log_start_offset, (), None, NO_LEADER
    )


def append_batch(
    config: LogConfig, partition: Partition, records: Buffer | None, version: int, now_ms: int
) -> tuple[int, int, bool]:
    """The base offset that a batch got, when it was appended if its topic keeps such times, and
    whether it is new: whoever calls this tells `WaitingFetches.appended` then.

    Raises `BatchRefused`, with nothing appended, and `LogFailed`.
    """
    header, data = prepared_batch(config, records, version, now_ms)
    if header.producer_id >= 0:
        base_offset = partition.log.duplicate_of(header)
        if base_offset is not None:
            return base_offset, _append_time_of(partition, base_offset), False
    base_offset = partition.append(header, data, now_ms)
    time_ms = header.max_timestamp if header.attributes & LOG_APPEND_TIME else NO_TIMESTAMP
    return base_offset, time_ms, True


def storage_error(
    broker: Broker, partition: Partition, failure: LogFailed
) -> PartitionProduceResponse:
    """The answer of a partition whose disk refused."""
    broker.report_refusal(f"partition {partition.topic}-{partition.index}", failure)
    return _error(partition.index, ErrorCode.KAFKA_STORAGE_ERROR, str(failure))


def _append_time_of(partition: Partition, base_offset: int) -> int:
    """When the batch that begins at an offset was appended, if its topic keeps such times."""
    if base_offset < partition.log_start_offset:
        return NO_TIMESTAMP
    data = partition.log.read(base_offset, 0, partition.high_watermark, at_least_one=True)
    header = header_at(data) if data else None
    if header is None or header.base_offset != base_offset:  # Compaction has removed it.
        return NO_TIMESTAMP
    return header.max_timestamp if header.attributes & LOG_APPEND_TIME else NO_TIMESTAMP


def _refused(request: ProduceRequest, topic: Topic | None, version: int) -> tuple[ErrorCode, str]:
    """Why nothing is appended to a topic."""
    if request.transactional_id is not None:
        return ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, TRANSACTIONS_REFUSED
    if topic is None and version >= TOPIC_IDS_VERSION:
        return ErrorCode.UNKNOWN_TOPIC_ID, "No topic has this id."
    if topic is None:
        return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, "There is no such topic."
    if not -1 <= request.acks <= 1:
        return ErrorCode.INVALID_REQUIRED_ACKS, f"acks is {request.acks}; it should be -1, 0 or 1."
    return (
        ErrorCode.INVALID_TOPIC_EXCEPTION,
        f"{topic.name} is an internal topic: only the broker appends to it.",
    )


def _error(
    index: int,
    error_code: int,
    reason: str | None = None,
    record_errors: tuple[BatchIndexAndErrorMessage, ...] = (),
    log_start_offset: int = NO_OFFSET,
) -> PartitionProduceResponse:
    return PartitionProduceResponse(
        index,
        int(error_code),
        NO_OFFSET,
        NO_TIMESTAMP,
        log_start_offset,
        record_errors,
        reason,
        NO_LEADER,
    )


def _close_on_error(responses: list[TopicProduceResponse]) -> None:
    for of_topic in responses:
        for answer in of_topic.partition_responses:
            if answer.error_code:
                topic = of_topic.name or of_topic.topic_id
                raise CloseConnection(
                    f"Produce with acks=0 to {topic}-{answer.index} failed with error "
                    f"{answer.error_code}: {answer.error_message}"
                )
