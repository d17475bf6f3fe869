"""Proof that a key has one partition: murmur2 and CRC32, for keys of up to 8 bytes, by z3.

Two lemmas for each hash, every length of key, and every number of partitions in a range:

- *total*: the partition is in `0..partitions - 1`;
- *functional*: equal keys have equal partitions.

The bytes are symbolic, so a lemma is about all 2^64 keys of 8 bytes at once.  What is proved is the
specification's own function: `kproof_spec.partitioner` is called with bit vectors of 64 bits in
place of numbers.  It keeps its values below 2^64 and never negative, where bit vectors and Python's
numbers mean the same; `>>` and `%` of z3 take the sign bit for a sign, and it is never set.  That
no value passes 2^63 follows from the widths: a product is of two numbers of 32 bits, the greater
multiplier has its top bit clear, and sums are of bytes shifted within 32 bits.

*Functional* would be trivial if both keys were the same expressions, so they are different ones,
bound by equations.  A solver that answers "proved" to everything is found out by `FALSE_LEMMAS`:
each is almost right and has a counterexample, which the plain function confirms.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from kproof_spec.partitioner import (
    crc32,
    crc32_partition,
    murmur2,
    murmur2_partition,
    signed,
)

KEY_BYTES_MAX = 8
PARTITIONS_MAX = 64
WIDTH = 64
HASH_BITS = 32
TIMEOUT_MS = 60_000
"""For one query; the slowest takes a small part of it."""

Partitioner = Callable[[Sequence[int], int], int]

PARTITIONERS: dict[str, Partitioner] = {"murmur2": murmur2_partition, "crc32": crc32_partition}


@dataclass(frozen=True)
class Outcome:
    """What the solver says of one claim."""

    claim: str
    is_proved: bool
    counterexample: bytes = b""
    """A key that breaks it, if it is not proved."""
    partitions: int = 0
    """The number of partitions there."""
    is_unknown: bool = False
    """The solver gave up: then nothing is claimed."""


def prove_total(hash_name: str, key_bytes: int, partitions_max: int = PARTITIONS_MAX) -> Outcome:
    """Every key of this length has its partition in range, for 1 to `partitions_max` of them.

    In two steps, each for every key or number at once: the hash, which is the dividend, has 32
    bits; and the remainder of any number of 32 bits is in range.  In one step the solver would
    carry the hash through its division, which took it a minute for some lengths of key.
    """
    claim = f"{hash_name} is total"

    def wide(key: list[Any], partitions: Any) -> Any:
        import z3

        hashed, _ = _division(hash_name, key, partitions)
        return z3.Or(hashed < 0, hashed >= 1 << HASH_BITS)

    def broken(key: list[Any], partitions: Any) -> Any:
        import z3

        hashed, partition = _division(hash_name, key, partitions)
        any_hash = z3.ZeroExt(WIDTH - HASH_BITS, z3.BitVec("hash", HASH_BITS))
        of_any = z3.substitute(partition, (hashed, any_hash))
        return z3.Or(of_any < 0, of_any >= partitions)

    narrow = _refute(claim, wide, key_bytes, partitions_max)
    return _refute(claim, broken, key_bytes, partitions_max) if narrow.is_proved else narrow


def prove_functional(
    hash_name: str, key_bytes: int, partitions_max: int = PARTITIONS_MAX
) -> Outcome:
    """Two equal keys of this length have the same partition, however many there are."""

    def broken(key: list[Any], partitions: Any) -> Any:
        import z3

        twin = [_byte(f"twin{i}") for i in range(key_bytes)]
        partition_of = PARTITIONERS[hash_name]
        return z3.And(
            *(mine == theirs for mine, theirs in zip(key, twin, strict=True)),
            partition_of(key, partitions) != partition_of(twin, partitions),
        )

    return _refute(f"{hash_name} is functional", broken, key_bytes, partitions_max)


# -- claims that are false, to show that the solver can say so ------------------------------------


def refute_total_without_mask(key_bytes: int = 4, partitions_max: int = 3) -> Outcome:
    """False: the hash with its sign, as Java's `%` takes it, gives a partition in range."""

    def broken(key: list[Any], partitions: Any) -> Any:
        import z3

        hashed = z3.SignExt(WIDTH - 32, z3.Extract(31, 0, murmur2(key)))
        return z3.SRem(hashed, partitions) < 0

    return _refute("murmur2 needs no mask", broken, key_bytes, partitions_max)


def refute_hashes_agree(key_bytes: int = 1, partitions_max: int = 2) -> Outcome:
    """False: both hashes send a key to the same partition."""

    def broken(key: list[Any], partitions: Any) -> Any:
        return murmur2_partition(key, partitions) != crc32_partition(key, partitions)

    return _refute("murmur2 and CRC32 agree", broken, key_bytes, partitions_max)


def refute_key_stays(key_bytes: int = 1) -> Outcome:
    """False: a key keeps its partition when the third one is added to two."""

    def broken(key: list[Any], partitions: Any) -> Any:
        import z3

        return z3.And(partitions == 2, murmur2_partition(key, 2) != murmur2_partition(key, 3))

    return _refute("a key never moves", broken, key_bytes, 2)


FALSE_LEMMAS: dict[str, tuple[Callable[[], Outcome], Callable[[bytes, int], bool]]] = {
    "without mask": (refute_total_without_mask, lambda key, n: signed(murmur2(key)) < 0 and n > 1),
    "hashes agree": (
        refute_hashes_agree,
        lambda key, n: murmur2_partition(key, n) != crc32_partition(key, n),
    ),
    "key stays": (
        refute_key_stays,
        lambda key, n: murmur2_partition(key, n) != murmur2_partition(key, n + 1),
    ),
}
"""How each is refuted, and whether a key and a number of partitions break it, by plain numbers."""


def symbolic_hash(hash_name: str, key: bytes) -> int:
    """The hash of one key, computed by z3 on bit vectors: to be compared with plain numbers."""
    import z3

    hash_of: Callable[[Sequence[int]], Any] = {"murmur2": murmur2, "crc32": crc32}[hash_name]
    bits: Sequence[Any] = [z3.BitVecVal(byte, WIDTH) for byte in key]
    hashed = hash_of(bits)
    return hashed if isinstance(hashed, int) else int(z3.simplify(hashed).as_long())


def _division(hash_name: str, key: list[Any], partitions: Any) -> tuple[Any, Any]:
    """The dividend of a key's partition, and the partition: the remainder by `partitions`."""
    import z3

    partition: Any = PARTITIONERS[hash_name](key, partitions)
    if partition.decl().kind() != z3.Z3_OP_BSMOD or not partition.arg(1).eq(partitions):
        raise ValueError(
            f"{hash_name} ends in {partition.decl().name()}: expected the remainder of the hash "
            "by the number of partitions, which is what these steps are about"
        )
    return partition.arg(0), partition


def _byte(name: str) -> Any:
    import z3

    return z3.ZeroExt(WIDTH - 8, z3.BitVec(name, 8))


def _refute(
    claim: str,
    broken: Callable[[list[Any], Any], Any],
    key_bytes: int,
    partitions_max: int,
) -> Outcome:
    """Looks for a key and a number of partitions that break a claim."""
    import z3

    if not 0 <= key_bytes <= KEY_BYTES_MAX or not 1 <= partitions_max <= PARTITIONS_MAX:
        raise ValueError(
            f"keys of {key_bytes} bytes and {partitions_max} partitions: expected at most "
            f"{KEY_BYTES_MAX} bytes and 1 to {PARTITIONS_MAX} partitions, where this was tried"
        )
    key = [_byte(f"key{i}") for i in range(key_bytes)]
    partitions = z3.ZeroExt(WIDTH - 8, z3.BitVec("partitions", 8))
    solver = z3.SolverFor("QF_BV")
    solver.set("timeout", TIMEOUT_MS)
    solver.add(partitions >= 1, partitions <= partitions_max)
    solver.add(broken(key, partitions))
    answer = solver.check()
    if answer == z3.unsat:
        return Outcome(claim, is_proved=True)
    if answer == z3.unknown:
        return Outcome(claim, is_proved=False, is_unknown=True)
    model = solver.model()
    found = bytes(model.eval(byte, model_completion=True).as_long() for byte in key)
    number = model.eval(partitions, model_completion=True).as_long()
    return Outcome(claim, is_proved=False, counterexample=found, partitions=number)
