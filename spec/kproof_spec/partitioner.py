"""Which partition a record goes to: what producers compute, bit for bit, as plain functions.

A producer decides, not the broker.  So two producers that write the same keys must compute alike,
and they do not by default: Java's client hashes keys with murmur2, librdkafka's with CRC32 (its
`partitioner` setting has `murmur2_random` for those who need both).

| what | here | Java client | librdkafka |
|---|---|---|---|
| record with a key | `murmur2_partition` | default | `murmur2` |
| record with a key | `crc32_partition` | | `consistent`, and the default `consistent_random` |
| record without a key | `next_sticky` | default, since KIP-480 | |
| any record | `round_robin` | `RoundRobinPartitioner` | |

A partition that the caller names wins over all of these: then none of them is asked.

The hashes take a key as a sequence of bytes, 0..255 each, and use nothing but `+ - * ^ & >> << %`
on numbers that are at most 64 bits wide and never negative.  So they run on Python's numbers and on
a solver's bit vectors of 64 bits alike; `kproof_checker.proofs.partitioner_lemma` proves there that
they are total and functions of the key.

Random choices are parameters: the caller brings the number.
"""

from collections.abc import Sequence

_WORD = 0xFFFF_FFFF
"""32 bits: what Java calls an int, without its sign."""

_MURMUR2_SEED = 0x9747_B28C
_MURMUR2_MULTIPLIER = 0x5BD1_E995
_MURMUR2_SHIFT = 24

_CRC32_POLYNOMIAL = 0xEDB8_8320
"""Of IEEE 802.3, its bits reversed."""


def murmur2(key: Sequence[int]) -> int:
    """The 32-bit MurmurHash2 of a key, with Kafka's seed, as a number without sign.

    REF   `org.apache.kafka.common.utils.Utils.murmur2`, whose result has a sign: see `signed`.
    """
    length = len(key)
    hashed = _MURMUR2_SEED ^ length
    whole = length - length % 4
    for i in range(0, whole, 4):
        word = key[i] + (key[i + 1] << 8) + (key[i + 2] << 16) + (key[i + 3] << 24)
        word = (word * _MURMUR2_MULTIPLIER) & _WORD
        word = word ^ (word >> _MURMUR2_SHIFT)
        word = (word * _MURMUR2_MULTIPLIER) & _WORD
        hashed = ((hashed * _MURMUR2_MULTIPLIER) & _WORD) ^ word
    rest = length - whole
    if rest > 0:
        for i in range(rest):
            hashed = hashed ^ (key[whole + i] << (8 * i))
        hashed = (hashed * _MURMUR2_MULTIPLIER) & _WORD
    hashed = hashed ^ (hashed >> 13)
    hashed = (hashed * _MURMUR2_MULTIPLIER) & _WORD
    return hashed ^ (hashed >> 15)


def crc32(key: Sequence[int]) -> int:
    """The CRC32 of a key, as zlib and librdkafka compute it."""
    remainder = _WORD
    for byte in key:
        remainder = remainder ^ byte
        for _ in range(8):
            remainder = (remainder >> 1) ^ ((remainder & 1) * _CRC32_POLYNOMIAL)
    return remainder ^ _WORD


def signed(hashed: int) -> int:
    """A 32-bit number as Java shows it."""
    return hashed - (1 << 32) if hashed >> 31 else hashed


def to_positive(hashed: int) -> int:
    """A 32-bit number without its sign bit, as Java does: not its absolute value.

    The absolute value of the least int is negative, and so would be its partition.
    """
    return hashed & 0x7FFF_FFFF


def murmur2_partition(key: Sequence[int], partitions: int) -> int:
    """The partition, in `0..partitions - 1`, of a key that is not null: Java's default.

    REF   `BuiltInPartitioner.partitionForKey`; before KIP-794, `DefaultPartitioner`.
    """
    return to_positive(murmur2(key)) % partitions


def crc32_partition(key: Sequence[int], partitions: int) -> int:
    """The partition, in `0..partitions - 1`, of a key that is not empty: librdkafka's default.

    With `consistent_random`, an empty key counts as none and goes anywhere; `consistent` hashes it
    too.
    REF   `rd_kafka_msg_partitioner_consistent`.
    """
    return crc32(key) % partitions


def round_robin(counter: int, partitions: int) -> int:
    """The partition of the record with number `counter`, which a producer counts by topic.

    Java's counter wraps at 2^31 to the negative; without the sign bit it goes on from 0.
    REF   `RoundRobinPartitioner`.
    """
    return to_positive(counter) % partitions


def next_sticky(previous: int, chosen: int, partitions: int) -> int:
    """The partition of the next batch of records without key, given a random number `chosen`.

    All records of a batch go to one partition, so that batches are large; then another one is
    drawn, never the same twice if there are two.  `previous` is -1 before the first batch.
    The draw is uniform over the others, so every partition is drawn again and again.
    REF   KIP-480.  (Java draws until the number differs; this draws from the others at once.)
    """
    if partitions == 1 or not 0 <= previous < partitions:
        return to_positive(chosen) % partitions
    other = to_positive(chosen) % (partitions - 1)
    return other + 1 if other >= previous else other
