"""The table in `docs/faults.md`: which way to look finds which fault of the broker, and how soon.

    python tools/make_fault_table.py            # Is the table what a run gives?  A few minutes.
    python tools/make_fault_table.py --rewrite

The numbers of steps and examples are the same each time; the seconds are not, and are not compared.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from impl_support.fault_hunts import HUNTS, Fault, Found, hunts  # noqa: E402
from impl_support.group_faults import FAULTS as OF_GROUPS  # noqa: E402
from impl_support.log_faults import FAULTS as OF_LOGS  # noqa: E402
from make_tables import stored, write  # noqa: E402

DOCUMENT, NAME = "docs/faults.md", "faults"
SECONDS = re.compile(r", \d+\.\d+ s")
FAULTS: tuple[Fault, ...] = (*OF_LOGS, *OF_GROUPS)


def row(fault: Fault) -> str:
    """What each hunt finds of one fault."""
    with contextlib.redirect_stdout(io.StringIO()):  # Hypothesis tells of a failure there.
        found = hunts(fault)
    return f"| {fault.name} | " + " | ".join(_told(one) for one in found.values()) + " |"


def _told(found: Found | None) -> str:
    if found is None:
        return "-"
    unit = found.unit if found.after != 1 else found.unit.removesuffix("s")
    return f"{found.after:,} {unit}, {found.seconds:.2f} s"


def made() -> str:
    """The table."""
    rows = []
    for fault in FAULTS:
        rows.append(row(fault))
        print(rows[-1], file=sys.stderr)
    head = "| fault | " + " | ".join(HUNTS) + " |"
    return "\n".join([head, "|---" * (len(HUNTS) + 1) + "|", *rows])


def main(arguments: list[str]) -> int:
    """Verifies the table, or rewrites it; 0 if all is well, 1 if not, 2 usage."""
    if arguments not in ([], ["--rewrite"]):
        print("usage: python tools/make_fault_table.py [--rewrite]", file=sys.stderr)
        return 2
    table = made()
    if arguments:
        write(DOCUMENT, NAME, table)
    elif SECONDS.sub("", table) != SECONDS.sub("", stored(DOCUMENT, NAME)):
        print("not what a run gives: python tools/make_fault_table.py --rewrite", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
