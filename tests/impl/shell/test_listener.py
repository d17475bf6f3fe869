"""Binding ports, and what is said when one cannot be had."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kproof_impl.shell.listener import PortRefused, bind


@contextmanager
def bound(host: str, port: int) -> Iterator[list[socket.socket]]:
    """Sockets until the block ends."""
    sockets = bind(host, port)
    try:
        yield sockets
    finally:
        for each in sockets:
            each.close()


def test_port_0_is_a_free_one() -> None:
    with bound("127.0.0.1", 0) as (one,), bound("127.0.0.1", 0) as (other,):
        assert one.getsockname()[1] != other.getsockname()[1]
        assert one.getsockname()[1] > 0


def test_a_name_with_several_addresses_has_one_port_at_all_of_them() -> None:
    with bound("localhost", 0) as sockets:
        assert len({each.getsockname()[1] for each in sockets}) == 1


def test_a_port_in_use_is_named_with_what_to_do() -> None:
    with bound("127.0.0.1", 0) as (one,):
        port = one.getsockname()[1]

        with pytest.raises(PortRefused, match=rf"port {port} .*in use.*--port 0"):
            bind("127.0.0.1", port)


def test_a_port_that_was_used_a_moment_ago_can_be_had_again() -> None:
    with bound("127.0.0.1", 0) as (one,):
        port = one.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            one.setblocking(True)
            accepted, _ = one.accept()
            accepted.close()  # This side closes first, and its end of the connection lingers.
            assert client.recv(1) == b""

    with bound("127.0.0.1", port) as (again,):
        assert again.getsockname()[1] == port


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(PortRefused, match=r"0 .* to 65535"):
        bind("127.0.0.1", port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "a" * 300])
def test_a_host_that_is_not_this_machine_is_refused(host: str) -> None:
    with pytest.raises(PortRefused, match="this machine"):
        bind(host, 0)
