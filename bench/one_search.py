"""One search by the native engine, in a process of its own; `measure.Apart` starts it.

Takes the task as JSON, says "ready" once everything is compiled, waits for a line, searches, and
prints what that took as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict

from measure import engine_of, machine_of, searched, subject


def main() -> None:
    """Runs the task of the command line."""
    task = json.loads(sys.argv[1])
    machine = machine_of("replication", "kip_320", task["constants"])
    problem, extracted = subject(machine, symmetry=task["symmetry"])
    engine = engine_of("llvm", problem, extracted, task["workers"])
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(asdict(searched(engine))))


if __name__ == "__main__":
    main()
