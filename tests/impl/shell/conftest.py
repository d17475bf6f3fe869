"""A broker's process for the tests of bad clients, watched while they are at work."""

from collections.abc import Iterator

import pytest

from impl_support.serving import Serving, serving


@pytest.fixture(scope="module")
def attacked() -> Iterator[Serving]:
    """A broker in memory; at its end it must be alive, and stop without a fault."""
    with serving("--in-memory") as broker:
        yield broker
        assert broker.process.poll() is None
        assert broker.end() == 0
    assert broker.events("fault") == []
    assert broker.events("stopped") != []
    assert broker.wrong == []
