"""Thousands of clients at once."""

import resource
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from impl_support.good_client import well_served
from impl_support.raw_client import RawClient, api_versions, fetch
from impl_support.serving import Serving

CONNECTIONS = 2_000
MEGABYTE = 1 << 20


@pytest.fixture
def many_files() -> Iterator[None]:
    """Lets this process have so many sockets."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 512
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"a process may have {hard} files open here, and {wanted} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_two_thousand_connections_some_silent_some_waiting_disturb_nobody(
    attacked: Serving,
) -> None:
    before = attacked.rss_bytes
    with ExitStack() as stack, well_served(attacked.port):
        clients = [stack.enter_context(RawClient(attacked.port)) for _ in range(CONNECTIONS)]
        for number, client in enumerate(clients):
            match number % 4:
                case 0:
                    client.send(fetch(number, "nothing", 0, max_wait_ms=600_000))
                case 1:
                    client.send(api_versions(number)[:-2])
                case 2:
                    client.ask(api_versions(number))
        grown = attacked.rss_bytes - before
        assert all(client.ask(api_versions(7)) for client in clients[3::4])

    assert grown < 100 * MEGABYTE
