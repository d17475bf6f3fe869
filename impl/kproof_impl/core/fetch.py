"""Fetch, versions 4 to 17: a client reads whole batches from some partitions.

*Behaviour*
- Partitions are read in the order in which they are asked for, each up to its own limit of bytes
  and all up to the request's.  The first batch that is found is sent whole, however large it is, so
  that a client always makes progress (KIP-74).
- A fetch that finds less than `min_bytes` waits up to `max_wait_ms` (`waiting_fetches`), unless a
  partition has an error or a diverging epoch.  Partitions that do not exist end no wait for others:
  a client that asks for them would otherwise ask without a pause.
- Consumers read below the high watermark; read_committed reads below the last stable offset, which
  is the same here, and is told that no transaction was aborted.
- A client that says which leader epoch it believes in is fenced if it is another (KIP-320); one
  that says the epoch of the last record it has is told where its log diverges (KIP-595).

*Version notes*: 5 the log's start offset; 7 sessions (KIP-227); 9 leader epochs (KIP-320); 11 the
rack (KIP-392); 12 diverging epochs (KIP-595); 13 topic ids (KIP-516); 15 the replica's epoch
(KIP-903); 16 the leader's address with an error (KIP-951); 17 a directory's id (KIP-853).

*Not implemented*: replicas.  No partition has another replica, so a fetch that says it is one is
refused as Kafka refuses a stranger.  INCONSISTENT_TOPIC_ID does not happen: an id that is known has
one name.

REF   Kafka's `ReplicaManager.readFromLog`, `Partition.readRecords`, `DelayedFetch`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.core.fetch_reading import Reading
from kproof_impl.core.fetch_sessions import FetchContext
from kproof_impl.messages.fetch import FetchRequest, FetchResponse

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker


def fetch(broker: Broker, call: Call, request: FetchRequest) -> FetchResponse | None:
    """Reads at once what there is; keeps the call if that is less than it wants."""
    version = call.header.api_version
    context = broker.fetch_sessions.begin(request, version, broker.now_ms)
    if not isinstance(context, FetchContext):
        return FetchResponse(0, int(context))
    reading = Reading(broker, request, context, version)
    reading.read()
    if (
        reading.is_urgent
        or reading.bytes_count >= reading.min_bytes
        or request.max_wait_ms <= 0
        or not reading.partitions
    ):
        return reading.response()
    bytes_missing, waits_for = reading.lacks()
    if bytes_missing <= 0:
        return reading.response()

    def complete() -> None:
        reading.read()
        call.answer(reading.response())

    broker.waiting_fetches.wait(
        call,
        waits_for,
        bytes_missing,
        broker.now_ms + request.max_wait_ms,
        complete,
    )
    return None
