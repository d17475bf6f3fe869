"""Binding a port.  What goes wrong is said with the port and with what to do."""

from __future__ import annotations

import errno
import socket
from contextlib import suppress

WILDCARDS = ("", "0.0.0.0", "::", "*")
PORT_TRIES = 20


class PortRefused(Exception):
    """A port cannot be had; the text says why and what to do."""


def bind(host: str, port: int) -> list[socket.socket]:
    """Bound sockets, not yet listening, for each address of a host, all with one port.

    Port 0 is any free one.  Raises `PortRefused`.
    """
    if not 0 <= port <= 65_535:
        raise PortRefused(f"port {port}: expected a number from 0 (any free one) to 65535")
    for _ in range(PORT_TRIES):
        sockets: list[socket.socket] = []
        number = port
        try:
            for family, address in _addresses(host):
                sockets.append(_bound(family, address, number, host))
                number = int(sockets[0].getsockname()[1])
        except PortRefused:
            for each in sockets:
                each.close()
            # A free port of one address of a name may be taken at its other address.
            if port == 0 and sockets:
                continue
            raise
        return sockets
    raise PortRefused(f"no port is free at every address of {host}: give one with --port")


def _addresses(host: str) -> list[tuple[int, str]]:
    if host in ("", "*"):
        host = "0.0.0.0"
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise PortRefused(
            f"the host {host} has no address here: {getattr(error, 'strerror', None) or error}. "
            "Give a name or an address of this machine, such as 127.0.0.1"
        ) from error
    addresses: list[tuple[int, str]] = []
    for family, _kind, _protocol, _name, address in found:
        each = (int(family), str(address[0]))
        if each not in addresses:
            addresses.append(each)
    return addresses


def _bound(family: int, address: str, port: int, host: str) -> socket.socket:
    # Named as TCP, or asyncio does not turn Nagle's algorithm off for what is accepted: then the
    # end of an answer of several writes waits 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        bound.setblocking(False)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with suppress(OSError):
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind((address, port))
        # Two sockets may be bound to one port; only one may listen.
        bound.listen(1)
    except OSError as error:
        bound.close()
        raise PortRefused(_why_not(error, host, port)) from error
    return bound


def _why_not(error: OSError, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"port {port} of {host} is in use by another program. Stop that one, or give another "
            "port: --port 0 takes any free one"
        )
    if error.errno == errno.EACCES:
        return f"port {port} may not be used by this user. Give one above 1023, such as 9092"
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{host} is no address of this machine. Give one that is, such as 127.0.0.1"
    return f"port {port} of {host} cannot be used: {error.strerror or error}"
