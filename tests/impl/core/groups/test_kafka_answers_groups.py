"""Members of groups are answered as Kafka 4.1.0 answered them: over sockets, request by request.

`tools/record_group_answers.py` records anew.
"""

from pathlib import Path

from impl_support.group_story import story
from impl_support.group_wire import Wire
from kproof_impl.shell.embedded import Broker

RECORDED = Path(__file__).parent / "data" / "kafka_4_1_0_groups.txt"
PATIENCE_SECONDS = 0.1


def test_every_answer_of_the_story_is_kafkas() -> None:
    kafkas = RECORDED.read_text().splitlines()

    with (
        Broker(in_memory=True, configs={"group.initial.rebalance.delay.ms": "0"}) as broker,
        Wire(broker.port, PATIENCE_SECONDS, has_fence=True) as wire,
    ):
        ours = story(wire)

    assert len(kafkas) > 100
    assert ours == kafkas
