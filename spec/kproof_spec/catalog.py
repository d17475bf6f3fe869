"""Every model there is, and what we expect of it: the list that `kproof check` works through.

`MODELS` is what a user can name.  `CHECKS` pairs a model with a scope and the verdict that each of
its properties must have there.  Wrong variants and mutants are in it too: a check whose violation
is expected, and is not found, fails as much as one whose violation comes as a surprise.

Small scopes are the smallest that show what they are there for; medium ones are for the night.
"""

from __future__ import annotations

from .catalog_types import Check, Entry
from .compaction import checks as compaction
from .consumer import checks as consumer
from .group import checks as group
from .log import checks as log
from .ordering import checks as ordering
from .picture import checks as picture
from .replication import checks as replication

MODELS: dict[str, Entry] = {
    **replication.ENTRIES,
    **log.ENTRIES,
    "compaction": compaction.ENTRY,
    "ordering": ordering.ENTRY,
    **group.ENTRIES,
    **consumer.ENTRIES,
    **picture.ENTRIES,
}

CHECKS: list[Check] = [
    *replication.CHECKS,
    *log.CHECKS,
    *compaction.CHECKS,
    *ordering.CHECKS,
    *group.CHECKS,
    *consumer.CHECKS,
    *picture.CHECKS,
]

__all__ = ["CHECKS", "MODELS", "Check", "Entry"]
