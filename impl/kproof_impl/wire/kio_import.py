"""kio's readers and writers, imported without what comes along where it is installed.

kio offers strategies for Hypothesis, and so imports all of that where it can: the first request
would wait for it, a fifth of a second in which the whole broker does nothing else.  A program that
has imported Hypothesis before gets the strategies as ever.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from threading import get_ident
from types import ModuleType

__all__ = ["entity_reader", "entity_writer"]


class _NoHypothesis(MetaPathFinder):
    """Refuses Hypothesis to the thread that made it; others may be importing it just now."""

    def __init__(self) -> None:
        self._thread = get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> None:
        if fullname == "hypothesis" and get_ident() == self._thread:
            raise ModuleNotFoundError("not wanted here", name=fullname)


@contextmanager
def _without_hypothesis() -> Iterator[None]:
    finder = _NoHypothesis()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


with _without_hypothesis():
    from kio.serial import entity_reader, entity_writer
