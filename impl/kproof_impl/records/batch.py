"""The header of a record batch, format 2, and the checks that need no more than the header.

| bytes | field | |
|---|---|---|
| 0..7 | base_offset | given by the leader |
| 8..11 | batch_length | of what follows this field |
| 12..15 | partition_leader_epoch | given by the leader |
| 16 | magic | 2 |
| 17..20 | crc | CRC-32C of what follows this field |
| 21..22 | attributes | codec 0-2, timestamp type 3, transactional 4, control 5, delete horizon 6 |
| 23..26 | last_offset_delta | |
| 27..34 | base_timestamp | or the delete horizon, from which the deltas count too (KIP-534) |
| 35..42 | max_timestamp | |
| 43..50 | producer_id | |
| 51..52 | producer_epoch | |
| 53..56 | base_sequence | |
| 57..60 | records_count | |

REF   Kafka's documentation, "Record Batch"; KIP-98; KIP-534 for the delete horizon.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from kproof_impl.messages.ids import Buffer

HEADER_BYTES = 61
LENGTH_END = 12
"""Where the field of the length ends: what it counts begins here."""
CRC_START = 21
"""Where the bytes begin that the CRC is about."""
MAGIC = 2
NO_PRODUCER_ID = -1
NO_SEQUENCE = -1

CODEC_MASK = 0x07
LOG_APPEND_TIME = 0x08
TRANSACTIONAL = 0x10
CONTROL = 0x20
DELETE_HORIZON = 0x40

HEADER = struct.Struct(">qiibIhiqqqhii")


class BatchHeader(NamedTuple):
    """The fields in the order in which they stand; times in milliseconds."""

    base_offset: int
    batch_length: int
    partition_leader_epoch: int
    magic: int
    crc: int
    attributes: int
    last_offset_delta: int
    base_timestamp: int
    max_timestamp: int
    producer_id: int
    producer_epoch: int
    base_sequence: int
    records_count: int

    @property
    def last_offset(self) -> int:
        return self.base_offset + self.last_offset_delta

    @property
    def size_bytes(self) -> int:
        """The whole batch, this header and all."""
        return LENGTH_END + self.batch_length

    @property
    def is_transactional(self) -> bool:
        return bool(self.attributes & TRANSACTIONAL)

    @property
    def is_control(self) -> bool:
        return bool(self.attributes & CONTROL)

    @property
    def delete_horizon_ms(self) -> int | None:
        """From when on the tombstones in it may go; None if it has not been cleaned with any."""
        return self.base_timestamp if self.attributes & DELETE_HORIZON else None

    @property
    def codec(self) -> int:
        return self.attributes & CODEC_MASK


def header_at(data: Buffer, position: int = 0) -> BatchHeader:
    """The header of the batch that begins at a position.

    Raises `struct.error` if fewer than 61 bytes are there.  Nothing is checked.
    """
    return BatchHeader._make(HEADER.unpack_from(data, position))
