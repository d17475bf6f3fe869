"""Fetch sessions (KIP-227): what a client fetches is remembered, so it need not be repeated.

A full fetch names all partitions; it may begin a session, if there is room for one.  The following
incremental fetches of the session name only what has changed in what is wanted, and are answered
only with partitions that have something new: records, another high watermark or log start offset,
or an error.  Each incremental fetch has the next epoch of the session; another epoch means that a
request or an answer has been lost, and is refused.

| session id | epoch | |
|---|---|---|
| any | -1 | a full fetch without a session; one that is named is closed |
| any | 0 | a full fetch that wants a session; one that is named is closed |
| of a session | its next | an incremental fetch |

There are `max_incremental_fetch_session_cache_slots` sessions at most.  A new one may take the
place of one unused for `min_incremental_fetch_session_eviction_ms`, or of a smaller one that is as
old as that.  Their partitions together are limited too: Kafka limits the sessions only, and one
request can name millions of partitions.

REF   KIP-227; KIP-516 for topic ids in sessions; Kafka's `FetchSession`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.partition import Partition
from kproof_impl.core.ports import Identifiers
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.fetch import FetchPartition, FetchRequest, PartitionData

INVALID_SESSION_ID = 0
INITIAL_EPOCH = 0
FINAL_EPOCH = -1
EPOCH_MAX = (1 << 31) - 1
TOPIC_IDS_VERSION = 13
CACHED_PARTITIONS_MAX = 500_000
"""Of all sessions together: about 100 MB."""

Key = tuple[str | UUID, int]
"""A partition as a client names it: by its topic's name or, from version 13 on, by its id."""


class WantedPartition:
    """A partition as a fetch wants it, and what its session has last been told of it."""

    __slots__ = (
        "current_leader_epoch",
        "fetch_offset",
        "high_watermark",
        "last_fetched_epoch",
        "log_start_offset",
        "max_bytes",
        "partition",
        "topic",
        "topic_id",
    )

    def __init__(self, topic: str, topic_id: UUID, wanted: FetchPartition) -> None:
        self.topic = topic
        self.topic_id = topic_id
        self.partition = wanted.partition
        self.high_watermark = -1
        self.log_start_offset = -1
        self.update(wanted)

    def update(self, wanted: FetchPartition) -> None:
        """Takes over what a client wants now."""
        self.fetch_offset = wanted.fetch_offset
        self.max_bytes = wanted.partition_max_bytes
        self.current_leader_epoch = wanted.current_leader_epoch
        self.last_fetched_epoch = wanted.last_fetched_epoch

    def key(self, uses_topic_ids: bool) -> Key:
        return (self.topic_id if uses_topic_ids else self.topic), self.partition

    def knows(self, partition: Partition) -> bool:
        """Whether its session has been told both ends of a log as they are now."""
        log = partition.log
        return (
            self.high_watermark == log.log_end_offset
            and self.log_start_offset == log.log_start_offset
        )

    def is_news(self, found: PartitionData) -> bool:
        """Whether an incremental answer must show it; it is taken for told then."""
        is_news = bool(found.records)
        if self.high_watermark != found.high_watermark:
            self.high_watermark = found.high_watermark
            is_news = True
        if self.log_start_offset != found.log_start_offset:
            self.log_start_offset = found.log_start_offset
            is_news = True
        # An error has no high watermark: when it is over, another one is news.
        return is_news or found.error_code != 0 or found.diverging_epoch.epoch >= 0


Result = tuple[WantedPartition, PartitionData]


class FetchSession:
    """A client's session: its next epoch and its partitions, in the order they are to be read."""

    __slots__ = (
        "created_ms",
        "epoch",
        "last_used_ms",
        "partitions",
        "session_id",
        "uses_topic_ids",
    )

    def __init__(self, session_id: int, uses_topic_ids: bool, now_ms: int) -> None:
        self.session_id = session_id
        self.uses_topic_ids = uses_topic_ids
        self.epoch = _next_epoch(INITIAL_EPOCH)
        self.created_ms = now_ms
        self.last_used_ms = now_ms
        self.partitions: dict[Key, WantedPartition] = {}


class FetchContext:
    """One fetch: what it wants, and the session that it belongs to or begins."""

    __slots__ = ("epoch", "session", "wanted", "wants_session")

    def __init__(
        self,
        wanted: Iterable[WantedPartition],
        session: FetchSession | None = None,
        wants_session: bool = False,
    ) -> None:
        self.wanted = wanted
        self.session = session
        """The session of an incremental fetch."""
        self.wants_session = wants_session
        self.epoch = 0 if session is None else session.epoch


class FetchSessions:
    """All sessions, the longest unused first."""

    def __init__(self, config: BrokerConfig, identifiers: Identifiers) -> None:
        self._config = config
        self._identifiers = identifiers
        self._sessions: dict[int, FetchSession] = {}
        self._partitions_count = 0

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def partitions_count(self) -> int:
        """Of all sessions together."""
        return self._partitions_count

    # -- a fetch begins ------------------------------------------------------------------------

    def begin(self, request: FetchRequest, version: int, now_ms: int) -> FetchContext | int:
        """What a request wants, or the code of an error that is about all of it."""
        epoch = request.session_epoch
        if epoch in (INITIAL_EPOCH, FINAL_EPOCH):
            if request.session_id != INVALID_SESSION_ID:
                self.close(request.session_id)
            return FetchContext(list(_wanted(request)), wants_session=epoch == INITIAL_EPOCH)
        session = self._sessions.get(request.session_id)
        if session is None:
            return ErrorCode.FETCH_SESSION_ID_NOT_FOUND
        if session.epoch != epoch:
            return ErrorCode.INVALID_FETCH_SESSION_EPOCH
        if session.uses_topic_ids != (version >= TOPIC_IDS_VERSION):
            return ErrorCode.FETCH_SESSION_TOPIC_ID_ERROR
        if request.topics or request.forgotten_topics_data:
            self._update(session, request)
            if not session.partitions:
                self.close(session.session_id)
                return FetchContext(())
            if self._partitions_count > CACHED_PARTITIONS_MAX:
                self.close(session.session_id)
                return ErrorCode.FETCH_SESSION_ID_NOT_FOUND
        self._touch(session, now_ms)
        session.epoch = _next_epoch(epoch)
        return FetchContext(session.partitions.values(), session)

    def _update(self, session: FetchSession, request: FetchRequest) -> None:
        partitions = session.partitions
        before = len(partitions)
        for topic in request.topics:
            name: str | UUID = topic.topic_id if session.uses_topic_ids else topic.topic
            for wanted in topic.partitions:
                known = partitions.get((name, wanted.partition))
                if known is None:
                    known = WantedPartition(topic.topic, topic.topic_id, wanted)
                    partitions[name, wanted.partition] = known
                else:
                    known.update(wanted)
        for forgotten in request.forgotten_topics_data:
            name = forgotten.topic_id if session.uses_topic_ids else forgotten.topic
            for index in forgotten.partitions:
                partitions.pop((name, index), None)
        self._partitions_count += len(partitions) - before

    # -- a fetch ends --------------------------------------------------------------------------

    def end(
        self, context: FetchContext, results: Sequence[Result], version: int, now_ms: int
    ) -> tuple[int, int, Sequence[Result]]:
        """The error code of the answer, its session id, and the results it shows."""
        session = context.session
        if session is None:
            if not context.wants_session:
                return ErrorCode.NONE, INVALID_SESSION_ID, results
            return ErrorCode.NONE, self._create(results, version, now_ms), results
        if session.epoch != context.epoch:
            # Another request of the session came while this one waited.
            return ErrorCode.INVALID_FETCH_SESSION_EPOCH, session.session_id, ()
        news = [result for result in results if result[0].is_news(result[1])]
        for wanted, found in news:
            if found.records:
                # What has been served goes behind the others, so that all get their turn.
                key = wanted.key(session.uses_topic_ids)
                del session.partitions[key]
                session.partitions[key] = wanted
        return ErrorCode.NONE, session.session_id, news

    def close(self, session_id: int) -> None:
        """Forgets a session, if there is such one."""
        session = self._sessions.pop(session_id, None)
        if session is not None:
            self._partitions_count -= len(session.partitions)

    # -- room ----------------------------------------------------------------------------------

    def _create(self, results: Sequence[Result], version: int, now_ms: int) -> int:
        uses_topic_ids = version >= TOPIC_IDS_VERSION
        partitions: dict[Key, WantedPartition] = {}
        for wanted, found in results:
            wanted.is_news(found)
            partitions[wanted.key(uses_topic_ids)] = wanted
        if not partitions or not self._has_room(len(partitions), now_ms):
            return INVALID_SESSION_ID
        session_id = self._identifiers.session_id()
        while session_id in self._sessions or session_id == INVALID_SESSION_ID:
            session_id = self._identifiers.session_id()
        session = FetchSession(session_id, uses_topic_ids, now_ms)
        session.partitions = partitions
        self._sessions[session_id] = session
        self._partitions_count += len(partitions)
        return session_id

    def _has_room(self, partitions_count: int, now_ms: int) -> bool:
        """Whether a session of so many partitions may begin; another is ended for it if need be."""
        slots = self._config.max_incremental_fetch_session_cache_slots
        if slots <= 0 or partitions_count > CACHED_PARTITIONS_MAX:
            return False
        if len(self._sessions) >= slots and not self._evict(partitions_count, now_ms):
            return False
        return self._partitions_count + partitions_count <= CACHED_PARTITIONS_MAX

    def _evict(self, partitions_count: int, now_ms: int) -> bool:
        eviction_ms = self._config.min_incremental_fetch_session_eviction_ms
        oldest = next(iter(self._sessions.values()))
        if now_ms - oldest.last_used_ms > eviction_ms:
            self.close(oldest.session_id)
            return True
        old_enough = (
            (len(session.partitions), session.session_id)
            for session in self._sessions.values()
            if now_ms - session.created_ms > eviction_ms
        )
        smallest = min(old_enough, default=None)
        if smallest is None or smallest[0] >= partitions_count:
            return False
        self.close(smallest[1])
        return True

    def _touch(self, session: FetchSession, now_ms: int) -> None:
        session.last_used_ms = now_ms
        del self._sessions[session.session_id]
        self._sessions[session.session_id] = session


def _wanted(request: FetchRequest) -> Iterable[WantedPartition]:
    for topic in request.topics:
        for wanted in topic.partitions:
            yield WantedPartition(topic.topic, topic.topic_id, wanted)


def _next_epoch(epoch: int) -> int:
    return 1 if epoch == EPOCH_MAX else epoch + 1
