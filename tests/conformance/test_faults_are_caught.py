"""A broker that is built wrong is caught by the specification, at the step where it goes wrong."""

import pytest

from impl_support.group_faults import FAULTS as OF_GROUPS
from impl_support.group_faults import GroupFault
from impl_support.group_members import grouped
from impl_support.log_faults import FAULTS as OF_LOGS
from impl_support.log_faults import LogFault
from impl_support.stepping import Stepper
from kproof_checker.conformance.lockstep import Divergence
from kproof_checker.conformance.trial import Trial

each_of_logs = pytest.mark.parametrize("fault", OF_LOGS, ids=[fault.name for fault in OF_LOGS])
each_of_groups = pytest.mark.parametrize(
    "fault", OF_GROUPS, ids=[fault.name for fault in OF_GROUPS]
)


@each_of_logs
def test_a_fault_of_a_log_is_caught(fault: LogFault, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.install(monkeypatch)

    with pytest.raises(Divergence) as caught:
        fault.program(Stepper(observe=Trial()))

    assert fault.says in caught.value.reason


@each_of_logs
def test_a_sound_log_goes_through_the_same(fault: LogFault) -> None:
    trial = Trial()
    fault.program(Stepper(observe=trial))

    assert trial.steps_count > 3


@each_of_groups
def test_a_fault_of_a_group_is_caught(fault: GroupFault, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.install(monkeypatch)

    with pytest.raises(Divergence) as caught:
        fault.program(grouped(observe=Trial()))

    assert caught.value.event.model in ("group", "groups")
    assert fault.says in caught.value.reason


@each_of_groups
def test_a_sound_group_goes_through_the_same(fault: GroupFault) -> None:
    trial = Trial()
    fault.program(grouped(observe=trial))

    assert trial.steps_count > 10
