"""A broker that is built wrong is caught by the specification, at the step where it goes wrong."""

import pytest

from impl_support.log_faults import FAULTS, LogFault
from impl_support.stepping import Stepper
from kproof_checker.conformance.lockstep import Divergence
from kproof_checker.conformance.trial import Trial

each_fault = pytest.mark.parametrize("fault", FAULTS, ids=[fault.name for fault in FAULTS])


@each_fault
def test_a_fault_is_caught(fault: LogFault, monkeypatch: pytest.MonkeyPatch) -> None:
    fault.install(monkeypatch)

    with pytest.raises(Divergence) as caught:
        fault.program(Stepper(observe=Trial()))

    assert fault.says in caught.value.reason


@each_fault
def test_a_sound_broker_goes_through_the_same(fault: LogFault) -> None:
    trial = Trial()
    fault.program(Stepper(observe=trial))

    assert trial.steps_count > 3
