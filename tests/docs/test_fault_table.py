"""The table of faults has every fault, and says of it what a run gives."""

import io
import re
from contextlib import redirect_stdout
from dataclasses import replace

import pytest

from impl_support import fault_hunts
from make_fault_table import DOCUMENT, FAULTS, NAME, main
from make_tables import stored

CELLS = [line.split("|") for line in stored(DOCUMENT, NAME).splitlines()[2:]]
ROWS = {cells[1].strip(): cells[2].strip() for cells in CELLS}


def test_the_table_has_every_fault_and_each_is_found_in_lock_step() -> None:
    assert len(FAULTS) >= 12
    assert list(ROWS) == [fault.name for fault in FAULTS]
    for fault in FAULTS:
        with pytest.MonkeyPatch.context() as patch:
            fault.install(patch)
            found = fault_hunts.lock_step(fault)
        assert found is not None
        assert re.match(rf"{found.after} steps?, ", ROWS[fault.name]), fault.name


@pytest.mark.slow
def test_the_table_is_what_a_run_gives() -> None:
    assert main([]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("fault", [FAULTS[0], FAULTS[-1]], ids=["log", "group"])
def test_nothing_is_found_of_a_sound_broker(fault: fault_hunts.Fault) -> None:
    with redirect_stdout(io.StringIO()):
        found = {name: hunt(replace(fault)) for name, hunt in fault_hunts.HUNTS.items()}
    assert set(found.values()) == {None}
