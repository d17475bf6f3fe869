"""What a log has whose cleaner is watched to the end, beyond what `state` has: see `settling`."""

from kproof_spec.lang import bound, integer, pure

from . import state
from .state import (
    active_base_offset,
    first_base_offset,
    largest_timestamp_is_expired,
    second_base_offset,
    size_exceeds_retention,
)

max_failures = bound(
    "max_failures", default=1, doc="How often the machine crashes, or an append fails."
)


class State(state.State):
    """One partition on one broker, and how often it has failed."""

    failures: int = integer(0, max_failures)


# -- definitions: the first segment, the only one that a cleaner looks at --------------------------


@pure
def is_closed(s: State) -> bool:
    """Whether the first segment is not the active one."""
    return first_base_offset(s) < active_base_offset(s)


@pure
def is_below_log_start(s: State) -> bool:
    """Whether nothing in the first segment may be read any more."""
    return second_base_offset(s) <= s.log_start_offset


@pure
def is_eligible(s: State) -> bool:
    """Whether the first segment is closed and there is a reason to delete it: one is enough."""
    return is_closed(s) and (
        largest_timestamp_is_expired(s) or size_exceeds_retention(s) or is_below_log_start(s)
    )


@pure
def is_committed(s: State) -> bool:
    """Whether all of the first segment is committed, as far as the broker knows."""
    return second_base_offset(s) <= s.high_watermark
