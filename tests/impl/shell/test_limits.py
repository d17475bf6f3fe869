"""How many connections a process can have."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource
from kproof_impl.shell.limits import Limits
soft, hard, may_raise = {soft}, {hard}, {may_raise}
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
limits, warning = Limits(max_connections={wanted}).within_open_files(may_raise=may_raise)
print(limits.max_connections, resource.getrlimit(resource.RLIMIT_NOFILE)[0], warning, sep="|")
"""


def outcome(soft: int, hard: int, wanted: int, may_raise: bool) -> tuple[int, int, str]:
    """Connections, the limit of open files then, and the warning: in a process of its own."""
    script = SCRIPT.format(soft=soft, hard=hard, wanted=wanted, may_raise=may_raise)
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    connections, files, warning = done.stdout.strip().split("|")
    return int(connections), int(files), warning


def test_enough_files_need_no_change() -> None:
    assert outcome(8_000, 8_000, 1_000, may_raise=True) == (1_000, 8_000, "")


def test_the_limit_is_raised_as_far_as_is_needed_where_that_is_allowed() -> None:
    connections, files, warning = outcome(256, 8_000, 1_000, may_raise=True)

    assert (connections, warning) == (1_000, "")
    assert 256 < files < 8_000


@pytest.mark.parametrize(
    ("soft", "hard", "may_raise"), [(1_024, 1_024, True), (1_024, 8_000, False)]
)
def test_fewer_connections_are_allowed_where_files_are_few_and_it_says_so(
    soft: int, hard: int, may_raise: bool
) -> None:
    connections, files, warning = outcome(soft, hard, 10_000, may_raise=may_raise)

    assert connections == 1_024 - 512 - 64
    assert files == 1_024
    assert "ulimit -n" in warning
    assert "10000" in warning
    assert str(connections) in warning
