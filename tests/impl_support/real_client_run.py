"""Programs of one seed in a process of their own.

python -m impl_support.real_client_run SEED PROGRAMS
"""

import sys

from hypothesis import Phase, settings

from impl_support.real_client_machine import RealClientMachine
from impl_support.real_client_programs import REAL_TIME, run_machine

STEPS = 30


def main(seed: int, programs: int) -> None:
    """Has Hypothesis write that many programs, and raises what fails."""
    many = settings(
        REAL_TIME,
        max_examples=programs,
        stateful_step_count=STEPS,
        database=None,
        phases=(Phase.generate, Phase.shrink),
    )
    run_machine(RealClientMachine, many, seed)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
