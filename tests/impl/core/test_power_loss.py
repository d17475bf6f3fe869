"""What a broker has acknowledged, when the machine loses what was not forced to the disk.

With a flush at every record nothing acknowledged is lost.  With the default policy the end of a log
may be lost, and what is left is a prefix of it: the same records at the same offsets.
"""

from random import Random
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from impl_support.stepping import Stepper
from kproof_impl.messages.init_producer_id import InitProducerIdRequest
from kproof_impl.storage.faulty_files import FaultyFiles

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("produce"), st.integers(0, 1), st.integers(1, 3)),
        st.tuples(st.just("delete"), st.integers(0, 1), st.integers(0, 9)),
        st.tuples(st.just("wait"), st.integers(1, 70_000)),
        st.tuples(st.just("lose power")),
        st.tuples(st.just("restart")),
        st.tuples(st.just("kill")),
    ),
    max_size=20,
)


@pytest.mark.parametrize("is_forced", [True, False])
@settings(max_examples=100, deadline=None)
@given(seed=st.integers(0, 1 << 32), steps=STEPS)
@example(seed=0, steps=[("produce", 0, 1), ("delete", 0, 1), ("lose power",), ("produce", 0, 1)])
def test_what_is_left_after_a_loss_of_power(
    is_forced: bool, seed: int, steps: list[tuple[Any, ...]]
) -> None:
    broker = Stepper(files=FaultyFiles(Random(seed)))
    configs = {"segment.bytes": "400", "index.interval.bytes": "100"}
    if is_forced:
        configs["flush.messages"] = "1"
    broker.topic("orders", partitions=2, configs=configs)
    acknowledged: dict[int, list[bytes]] = {0: [], 1: []}
    starts = {0: 0, 1: 0}
    for number, step in enumerate([*steps, ("lose power",)]):
        match step:
            case "produce", index, count:
                values = [b"%d-%d" % (number, at) for at in range(count)]
                answer = broker.produce("orders", *values, partition=index)
                assert (answer.error_code, answer.base_offset) == (0, len(acknowledged[index]))
                acknowledged[index] += values
            case "delete", index, offset:
                partition = broker.partition("orders", index)
                partition.delete_records(min(offset, partition.high_watermark))
                starts[index] = partition.log_start_offset
            case "wait", milliseconds:
                broker.advance(milliseconds)
            case ("restart",):
                broker.restart()
            case ("kill",):
                broker.crash()
            case ("lose power",):
                broker.lose_power()
                for index, before in acknowledged.items():
                    partition = broker.partition("orders", index)
                    if is_forced:
                        assert partition.log_end_offset == len(before)
                        assert partition.log_start_offset == starts[index]
                    assert partition.log_start_offset <= partition.log_end_offset
                    del before[partition.log_end_offset :]
                    starts[index] = partition.log_start_offset
        for index, expected in acknowledged.items():
            start = starts[index]
            found = broker.fetched("orders", index, start)
            assert [one.value for one in found] == expected[start:]
            assert [one.offset for one in found] == list(range(start, len(expected)))


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 1 << 32), lives=st.lists(st.integers(0, 3), max_size=8))
def test_no_producer_id_is_given_twice_when_power_is_lost(seed: int, lives: list[int]) -> None:
    broker = Stepper(files=FaultyFiles(Random(seed)))
    given_ids: list[int] = []
    for count in lives:
        given_ids += [broker.send(InitProducerIdRequest()).producer_id for _ in range(count)]
        broker.lose_power()

    assert len(set(given_ids)) == len(given_ids)
