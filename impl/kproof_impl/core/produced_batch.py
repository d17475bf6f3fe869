"""A batch that a producer sent, made ready for the log of its topic, or refused.

The header is checked always; the records are looked at only if the topic's settings say something
of them: keys where it is compacted, limits of timestamps that the batch's own span does not
settle, another codec.  In the usual case nothing is copied here.

REF   Kafka's `LogValidator`; KIP-32 for the two types of timestamps, KIP-467, KIP-937 for limits.
"""

from __future__ import annotations

from kproof_impl.core.log_config import LogConfig
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import (
    CODEC_MASK,
    LOG_APPEND_TIME,
    TRANSACTIONAL,
    BatchHeader,
    header_at,
)
from kproof_impl.records.build import build_batch, with_log_append_time
from kproof_impl.records.errors import BatchRefused
from kproof_impl.records.read import RecordRules, check_records, records_of
from kproof_impl.records.validate import checked_batch

ZSTD = 4
ZSTD_VERSION = 7
"""Produce takes zstd from this version on (KIP-110)."""
NO_LIMIT_MS = (1 << 63) - 1
NO_TIMESTAMP = -1

CODECS = {"uncompressed": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
"""The topic's compression.type; "producer" keeps what was sent."""

TRANSACTIONS_REFUSED = (
    "This broker has no transactions: it takes no transactional id and no transactional batch. "
    "Use a producer without transactional.id; an idempotent one is served."
)


def prepared_batch(
    config: LogConfig, data: Buffer | None, version: int, now_ms: int
) -> tuple[BatchHeader, Buffer]:
    """The batch as it is to be appended, without its offset, and its header.

    Raises `BatchRefused` with the error code that Kafka answers.
    """
    if not data:
        raise BatchRefused(
            ErrorCode.INVALID_RECORD, "A partition of a Produce request has exactly one batch."
        )
    header = checked_batch(data, config.max_message_bytes)
    attributes = header.attributes
    if attributes & TRANSACTIONAL:
        raise BatchRefused(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, TRANSACTIONS_REFUSED)
    if version < ZSTD_VERSION and attributes & CODEC_MASK == ZSTD:
        raise BatchRefused(
            ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
            f"Produce takes zstd from version {ZSTD_VERSION} on; this is version {version}.",
        )
    is_append_time = config.message_timestamp_type == "LogAppendTime"
    if (
        attributes & LOG_APPEND_TIME
        or "compact" in config.cleanup_policy
        or (
            not is_append_time
            and (
                header.max_timestamp - now_ms > config.message_timestamp_after_max_ms
                or config.message_timestamp_before_max_ms != NO_LIMIT_MS
            )
        )
    ):
        rules = RecordRules(
            is_key_needed="compact" in config.cleanup_policy,
            is_log_append_time=is_append_time,
            timestamp_before_max_ms=config.message_timestamp_before_max_ms,
            timestamp_after_max_ms=config.message_timestamp_after_max_ms,
        )
        check_records(header, data, rules, now_ms)
    if config.compression_type != "producer":
        header, data = _recompressed(header, data, config)
    if is_append_time:
        data = with_log_append_time(data, now_ms)
        header = header_at(data)
    return header, data


def _recompressed(
    header: BatchHeader, data: Buffer, config: LogConfig
) -> tuple[BatchHeader, Buffer]:
    codec = CODECS[config.compression_type]
    if header.codec == codec:
        return header, data
    data = build_batch(
        (
            (record.timestamp_ms, record.key, record.value, record.headers)
            for record in records_of(header, data)
        ),
        codec=codec,
        producer_id=header.producer_id,
        producer_epoch=header.producer_epoch,
        base_sequence=header.base_sequence,
    )
    if len(data) > config.max_message_bytes:
        raise BatchRefused(
            ErrorCode.MESSAGE_TOO_LARGE,
            f"With the topic's codec {config.compression_type} the batch has {len(data)} bytes, "
            f"and the topic takes {config.max_message_bytes}.",
        )
    return header_at(data), data
