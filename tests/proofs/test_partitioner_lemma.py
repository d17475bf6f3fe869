"""The lemmas about partitioners are proved, false ones are refuted, and z3 computes the same."""

import random

import pytest

from kproof_checker.proofs.partitioner_lemma import (
    FALSE_LEMMAS,
    KEY_BYTES_MAX,
    PARTITIONERS,
    prove_functional,
    prove_total,
    symbolic_hash,
)
from kproof_spec.partitioner import crc32, murmur2

HASHES = {"murmur2": murmur2, "crc32": crc32}


@pytest.mark.parametrize("key_bytes", range(KEY_BYTES_MAX + 1))
@pytest.mark.parametrize("hash_name", PARTITIONERS)
def test_every_key_of_up_to_8_bytes_has_one_partition_of_up_to_64(
    hash_name: str, key_bytes: int
) -> None:
    assert prove_total(hash_name, key_bytes).is_proved
    assert prove_functional(hash_name, key_bytes).is_proved


@pytest.mark.parametrize("name", FALSE_LEMMAS)
def test_a_false_lemma_has_a_counterexample_that_plain_numbers_confirm(name: str) -> None:
    refute, is_broken_by = FALSE_LEMMAS[name]

    outcome = refute()

    assert not outcome.is_proved
    assert not outcome.is_unknown
    assert is_broken_by(outcome.counterexample, outcome.partitions)


@pytest.mark.parametrize("hash_name", PARTITIONERS)
def test_bit_vectors_give_the_same_hash_as_numbers(hash_name: str) -> None:
    chance = random.Random(4)

    for key_bytes in range(KEY_BYTES_MAX + 1):
        for _ in range(20):
            key = chance.randbytes(key_bytes)
            assert symbolic_hash(hash_name, key) == HASHES[hash_name](key)


def test_a_longer_key_is_refused_because_it_was_not_tried() -> None:
    with pytest.raises(ValueError, match="at most 8 bytes"):
        prove_total("murmur2", 9)
