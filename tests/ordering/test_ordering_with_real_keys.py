"""A second opinion on the model: real keys, the real hashes, and every schedule tried by hand.

Nothing of the model is used here, only the functions of `kproof_spec.partitioner`.
"""

from collections.abc import Callable

from kproof_spec.partitioner import crc32_partition, murmur2_partition, round_robin

EVENTS = ("create", "pay")

Schedule = tuple[tuple[int, ...], tuple[int, int], tuple[tuple[str, ...], ...], frozenset[str]]
"""How much of each key is sent, by each producer, what waits in each log, and what is done."""

Choose = Callable[[str, str, int], int]
"""The partition of an event, of the key, from the producer, with the number of its record."""


def is_order_kept(keys: tuple[str, ...], partitions: int, choose: Choose) -> bool:
    """Whether no schedule of sends by two producers and of consumers pays before it creates."""
    start: Schedule = ((0,) * len(keys), (0, 0), ((),) * partitions, frozenset())
    stack, seen = [start], {start}
    while stack:
        sent, counters, logs, done = stack.pop()
        after: list[Schedule] = []
        for i, key in enumerate(keys):
            for p, producer in enumerate(("java", "c")):
                if sent[i] < len(EVENTS):
                    partition = choose(key, producer, counters[p])
                    record = f"{EVENTS[sent[i]]} {key}"
                    appended = (*logs[partition], record)
                    after.append(
                        (
                            (*sent[:i], sent[i] + 1, *sent[i + 1 :]),
                            (counters[0] + (p == 0), counters[1] + (p == 1)),
                            (*logs[:partition], appended, *logs[partition + 1 :]),
                            done,
                        )
                    )
        for partition, log in enumerate(logs):
            if log:
                event, key = log[0].split()
                if event == "pay" and f"create {key}" not in done:
                    return False
                rest = (*logs[:partition], log[1:], *logs[partition + 1 :])
                after.append((sent, counters, rest, done | {log[0]}))
        stack += [state for state in after if state not in seen]
        seen.update(after)
    return True


def test_murmur2_keeps_the_order_of_any_two_of_many_keys() -> None:
    for number in range(20):
        keys = (f"order-{number}", f"order-{number + 1}")
        assert is_order_kept(keys, 3, lambda key, producer, n: murmur2_partition(key.encode(), 3))


def test_round_robin_loses_it() -> None:
    assert not is_order_kept(("order-0",), 2, lambda key, producer, n: round_robin(n, 2))


def test_java_and_librdkafka_with_their_defaults_lose_it() -> None:
    def choose(key: str, producer: str, number: int) -> int:
        hash_of = murmur2_partition if producer == "java" else crc32_partition
        return hash_of(key.encode(), 2)

    kept = [is_order_kept((f"order-{number}",), 2, choose) for number in range(20)]

    assert not all(kept)  # Where both happen to agree, it is kept: in about half the cases.
    assert any(kept)
