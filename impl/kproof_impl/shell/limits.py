"""How much clients may ask of a broker's process; beyond it a connection ends, not the process."""

from __future__ import annotations

import resource
from contextlib import suppress
from dataclasses import dataclass, replace

FILES_OF_LOGS_MAX = 4096
"""What `storage.real_files` has open at most; half of what the process may, if that is less."""
FILES_OF_ITS_OWN = 64
"""Sockets that listen, the event loop's, standard streams, and what is opened for a moment."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in milliseconds."""

    max_connections: int = 10_000
    """Kafka has no limit; a process has."""
    connections_max_idle_ms: int = 600_000
    """A connection on which nothing comes and nothing goes, as in Kafka."""
    frame_stalled_ms: int = 30_000
    """A request that was begun and of which nothing more comes."""
    write_stalled_ms: int = 30_000
    """A client that takes nothing of what it asked for."""
    write_high_bytes: int = 256 << 10
    """Unsent answers from which on no more requests of that client are looked at."""
    unsent_bytes_max: int = 1 << 30
    """Of all clients that do not take their answers; 20 consumers may each ask for 50 MB."""
    unfinished_bytes_max: int = 1 << 30
    """Of all large requests that are still coming."""
    request_max_bytes: int = 100 << 20
    """`socket.request.max.bytes`."""
    listen_backlog: int = 1024
    sweep_ms: int = 1_000
    """How often stalled and idle connections are looked for."""

    def within_open_files(self, *, may_raise: bool = False) -> tuple[Limits, str]:
        """These limits, with no more connections than the process may open files.

        `may_raise` lets it raise the process's own limit as far as the system allows.  The text is
        empty, or says what has been lowered and how to change that.
        """
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        wanted = self.max_connections + FILES_OF_LOGS_MAX + FILES_OF_ITS_OWN
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            return self, ""
        if may_raise:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            with suppress(OSError, ValueError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
                soft = most
        logs = min(FILES_OF_LOGS_MAX, soft // 2)
        connections = max(1, min(self.max_connections, soft - logs - FILES_OF_ITS_OWN))
        if connections == self.max_connections:
            return self, ""
        return replace(self, max_connections=connections), (
            f"at most {connections} connections, not {self.max_connections}, because this process "
            f"may have {soft} files open: `ulimit -n {wanted}` allows more"
        )
