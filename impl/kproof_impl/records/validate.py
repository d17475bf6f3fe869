"""What a broker checks of a batch that a client sends, without looking at its records.

The order is Kafka's: the format, the size, the CRC-32C, and only then what the header claims.
Nothing past the magic byte is believed before the CRC has been compared, and no number is believed
for an allocation at all.

REF   KIP-98 "Message Format"; Kafka's `LogValidator` and `UnifiedLog.analyzeAndValidateRecords`.
"""

from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.ids import Buffer
from kproof_impl.records.batch import (
    CODEC_MASK,
    CONTROL,
    CRC_START,
    HEADER,
    HEADER_BYTES,
    LENGTH_END,
    MAGIC,
    BatchHeader,
)
from kproof_impl.records.crc import crc32c
from kproof_impl.records.errors import BatchRefused

_MAGIC_AT = 16
_ZSTD = 4
"""The highest codec: none, gzip, snappy, lz4, zstd."""
RECORD_BYTES_MIN = 7
"""A record without key, value and headers: its length, attributes, two deltas, three lengths."""
_with_names = tuple.__new__
"""`BatchHeader._make` without a look at the number of fields, which is the format's."""


def checked_batch(data: Buffer, max_message_bytes: int) -> BatchHeader:
    """The header of exactly one whole and valid batch from a client.

    Raises `BatchRefused` with the error code that Kafka answers.
    """
    size = len(data)
    if size < HEADER_BYTES:
        raise _refused_short(data)
    fields = HEADER.unpack_from(data)
    header = _with_names(BatchHeader, fields)
    # Unpacked, for a field is asked for faster by its own name than by that of the header.
    (
        base_offset, batch_length, _, magic, crc, attributes, last_offset_delta,
        _, _, producer_id, producer_epoch, base_sequence, records_count,
    ) = fields  # fmt: skip
    if magic != MAGIC:
        raise _refused_magic(magic)
    if batch_length != size - LENGTH_END:
        raise _refused_length(header, size)
    if size > max_message_bytes:
        raise BatchRefused(
            ErrorCode.MESSAGE_TOO_LARGE,
            f"The batch has {size} bytes, and the topic takes {max_message_bytes}.",
        )
    if crc32c(memoryview(data)[CRC_START:]) != crc:
        raise BatchRefused(
            ErrorCode.CORRUPT_MESSAGE,
            "The CRC-32C of the batch is not the one in its header.",
        )
    if (
        base_offset
        or records_count < 1
        or records_count != last_offset_delta + 1
        or attributes & CONTROL
        or (records_count * RECORD_BYTES_MIN > size - HEADER_BYTES and not attributes & CODEC_MASK)
        or attributes & CODEC_MASK > _ZSTD
        or producer_id >= 0 > min(base_sequence, producer_epoch)
    ):
        raise _refused_claim(header)
    return header


def _refused_short(data: Buffer) -> BatchRefused:
    size = len(data)
    if size > _MAGIC_AT and data[_MAGIC_AT] != MAGIC:
        return _refused_magic(data[_MAGIC_AT])
    return BatchRefused(
        ErrorCode.CORRUPT_MESSAGE if size else ErrorCode.INVALID_RECORD,
        f"A batch has a header of {HEADER_BYTES} bytes, and there are only {size}.",
    )


def _refused_magic(magic: int) -> BatchRefused:
    return BatchRefused(
        ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT,
        f"The batch has magic {magic}; only format {MAGIC} is taken (KIP-896).",
    )


def _refused_length(header: BatchHeader, size: int) -> BatchRefused:
    claimed = header.batch_length + LENGTH_END
    if HEADER_BYTES <= claimed < size:
        return BatchRefused(
            ErrorCode.INVALID_RECORD,
            f"A partition takes exactly one batch: after its {claimed} bytes come others.",
        )
    return BatchRefused(
        ErrorCode.CORRUPT_MESSAGE,
        f"The batch claims {claimed} bytes, and {size} were sent.",
    )


def _refused_claim(header: BatchHeader) -> BatchRefused:
    if header.attributes & CODEC_MASK > _ZSTD:
        return BatchRefused(
            ErrorCode.UNSUPPORTED_COMPRESSION_TYPE,
            f"Codec {header.codec} is unknown; known are 0 (none) to {_ZSTD} (zstd).",
        )
    if header.attributes & CONTROL:
        reason = "A client may not write control records."
    elif header.base_offset:
        reason = f"The base offset of a sent batch is {header.base_offset} and should be 0."
    elif header.records_count < 1 or header.records_count != header.last_offset_delta + 1:
        reason = (
            f"The batch claims {header.records_count} records and a last offset delta of "
            f"{header.last_offset_delta}; these should be n and n - 1, with n at least 1."
        )
    elif header.producer_id < 0 or min(header.base_sequence, header.producer_epoch) >= 0:
        reason = (
            f"The batch claims {header.records_count} records, and has "
            f"{header.size_bytes - HEADER_BYTES} bytes for them: a record has "
            f"{RECORD_BYTES_MIN} at the least."
        )
    else:
        reason = (
            f"Producer {header.producer_id} sent epoch {header.producer_epoch} and base sequence "
            f"{header.base_sequence}; both should be 0 or more."
        )
    return BatchRefused(ErrorCode.INVALID_RECORD, reason)
