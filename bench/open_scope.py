"""How fast a specification follows a running system: appends in an open scope, in CPython.

    python bench/open_scope.py [appends]

Prints steps per second of processor time, for a log alone and for the leader of the replication
model.  Lock step with a broker needs at least 10,000 a second.
"""

import sys
import time
from typing import Any

from kproof_spec.lang import (
    Id,
    Machine,
    Model,
    Seq,
    Struct,
    bound,
    integer,
    maybe,
    require,
    seq,
)
from kproof_spec.replication.fence_by_leader_epoch import model as kip_320
from kproof_spec.replication.state import ReplicaId

APPENDS = 100_000
NEEDED = 10_000
"""Appends in a second."""

log_size = bound("log_size", default=2, doc="Records that fit.")


class ProducerId(Id, size=1, prefix="p"):
    """Who writes."""


class Record(Struct):
    """A record."""

    producer: ProducerId = maybe(ProducerId)
    offset: int = integer(0, log_size)


class Log(Struct):
    """A log alone."""

    records: Seq[Record] = seq(Record, log_size)


log_alone = Model("log_alone", Log, constants=[log_size])


@log_alone.action
def append(s: Log, producer: ProducerId) -> None:
    """A producer's record gets the next offset."""
    require(s.records.has_room)
    s.records.append(Record(producer=producer, offset=s.records.end))


def leading() -> tuple[Machine[Any], Any]:
    """The replication model, open, in a state in which b0 leads three replicas."""
    machine = kip_320.open()
    state = machine.initial_state()
    for name in ("b0", "b1", "b2"):
        state.quorum.in_sync_replicas.add(machine.scope.id(ReplicaId, name))
    machine.store_of(state).commit()
    assert machine.step(state, "controller_elect_leader", replica="b0")
    assert machine.step(state, "become_leader", leader="b0", epoch=0)
    return machine, state


def measure(
    title: str, machine: Machine[Any], state: Any, count: int, action: str, **arguments: Any
) -> bool:
    """Takes the step so many times and prints the rate; whether it suffices."""
    started = time.process_time()
    for _ in range(count):
        assert machine.step(state, action, **arguments)
    rate = count / (time.process_time() - started)
    print(f"{title:<28} {count:>9,} appends {rate:>10,.0f} a second (needed: {NEEDED:,})")
    return rate >= NEEDED


def main() -> int:
    """Measures both; 1 if one of them is too slow."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else APPENDS
    alone = log_alone.open()
    results = [
        measure("a log alone", alone, alone.initial_state(), count, "append", producer="p0"),
        measure("a leader of replication", *leading(), count, "leader_write", leader="b0"),
    ]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
