"""The court's memory holds what there is, not what there was."""

from impl_support.group_members import Consumer, grouped
from impl_support.stepping import Stepper
from kproof_checker.conformance.trial import Trial
from kproof_impl.messages.delete_groups import DeleteGroupsRequest


def a_group_comes_and_goes(broker: Stepper, name: str) -> None:
    consumer = Consumer(broker, group=name)
    consumer.enter()
    broker.advance(3_000)
    consumer.late()
    consumer.leave()
    answer = broker.send(DeleteGroupsRequest([name]))
    assert [result.error_code for result in answer.results] == [0]


def test_groups_that_are_gone_are_counted_and_forgotten() -> None:
    trial = Trial()
    broker = grouped(observe=trial)
    for number in range(5):
        a_group_comes_and_goes(broker, f"group-{number}")

    assert trial.counts()["group"] == 5
    assert not [key for key in trial._before if key[0] == "group"]
