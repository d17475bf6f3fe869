"""What a broker may have done last, before it was killed, and not told.

A step is told when it has happened.  Killed in between, a broker leaves a batch in a log's file of
which nobody has heard; or one in the log of the groups, which was told, and not what it says.  So a
new life may begin with one batch more, in one log, and with one group that is further.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Untold:
    """Of the step in which a life ended: what has not been accounted for yet."""

    is_group_step_stored: bool
    """Whether a batch is in the log of the groups whose group has not told its step."""
    has_batch: bool = True
    has_group: bool = True

    def take_batch(self, is_of_groups: bool) -> bool:
        """Whether a log may have a batch more."""
        if self.is_group_step_stored or not self.has_batch:
            return False
        self.has_batch = False
        self.is_group_step_stored = is_of_groups
        return True

    def take_group(self) -> bool:
        """Whether a group may be further than it has told."""
        is_possible = self.is_group_step_stored and self.has_group
        self.has_group = False
        return is_possible
