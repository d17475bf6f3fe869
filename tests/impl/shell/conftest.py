"""A broker's process for the tests of bad clients, watched while they are at work."""

from collections.abc import Iterator

import pytest

from impl_support.serving import Serving, serving


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def attacked(request: pytest.FixtureRequest) -> Iterator[Serving]:
    """A broker in memory; at its end it must be alive, and stop without a fault."""
    options = ["--in-memory"]
    if request.param == "uvloop":
        pytest.importorskip("uvloop")
        options.append("--uvloop")
    with serving(*options) as broker:
        yield broker
        assert broker.process.poll() is None
        assert broker.end() == 0
    assert broker.events("fault") == []
    assert broker.events("stopped") != []
    assert broker.wrong == []
