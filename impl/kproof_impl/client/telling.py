"""A ledger's steps as events, for whoever observes a pool."""

from __future__ import annotations

import os
import time
from itertools import count
from typing import Any

from kproof_impl.client.ledger import Tell
from kproof_impl.events import Event, Observer


def events_of(group: str, observe: Observer) -> Tell:
    """Numbers the steps, and gives them the time and the pool's name: its group and something of
    its own, for a group has several pools.

    An observer that raises is told nothing more: the pool stops for it, and that has steps too.
    """
    numbers = count()
    subject = f"{group or 'worker pool'}/{os.urandom(4).hex()}"
    is_listening = True

    def tell(action: str, parameters: dict[str, Any]) -> None:
        nonlocal is_listening
        if not is_listening:
            return
        now_ms = time.time_ns() // 1_000_000
        is_listening = False
        observe(Event(next(numbers), now_ms, "worker_pool", subject, action, parameters, {}))
        is_listening = True

    return tell
