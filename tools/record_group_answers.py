"""Records what Kafka answers to the members of groups, as the tests compare it.

    python tools/record_group_answers.py 9092

The broker is a single node on this machine, with group.initial.rebalance.delay.ms=0.  Its groups
whose names begin with `story-` are deleted, as far as they have no members: it should be new.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from impl_support.group_story import story
from impl_support.group_wire import Wire

TESTS = Path(__file__).parent.parent / "tests"
RECORDED = TESTS / "impl" / "core" / "groups" / "data" / "kafka_4_1_0_groups.txt"
PATIENCE_SECONDS = 1.0


def main(port: int) -> None:
    with Wire(port, PATIENCE_SECONDS) as wire:
        lines = story(wire)
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_text("\n".join(lines) + "\n")
    print(f"{len(lines)} answers recorded in {RECORDED}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(int(sys.argv[1]))
