"""CRC-32C, imported without what comes along.

The package `crc32c` asks for its own version when it is imported, and looks through what is
installed for that: a tenth of the time in which a broker is ready.  Wanted is one function of the
module in C inside it; so that is loaded alone, and the package only where it has no such module.
A program that imports the package itself gets it as ever.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec

from kproof_impl.messages.ids import Buffer

__all__ = ["crc32c"]


def _function() -> Callable[[Buffer], int]:
    package = find_spec("crc32c")
    places = package and package.submodule_search_locations
    inner = PathFinder.find_spec("crc32c._crc32c", places) if places else None
    if inner is None or inner.loader is None:
        from crc32c import crc32c as of_the_package

        return of_the_package
    module = module_from_spec(inner)
    inner.loader.exec_module(module)
    found: Callable[[Buffer], int] = module.crc32c
    return found


crc32c = _function()
"""Of all bytes of a buffer."""
