"""How the C library keeps memory, for a process that is a broker and nothing else.

A producer's request is often a megabyte.  By default each such buffer is mapped anew and given back
at once, and the system fills it with zeros page by page: that costs more than all else that is done
with the request.  So large buffers are kept for the next one.
"""

import ctypes
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
"""Of glibc's malloc.h."""

KEPT_BYTES = 64 << 20
"""So much free memory stays with the process."""
LARGE_BYTES = 32 << 20
"""Buffers above this are given back at once all the same; glibc takes no more."""


def keep_large_buffers() -> bool:
    """False where the C library is another than glibc; then all is as it was."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES) and mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES))
