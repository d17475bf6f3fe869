"""kafka-python's KafkaConsumer (3.0 and later), for a pool.

Its rebalance listeners run on the client's own event loop, in another thread, while the thread
that called `poll` or `close` waits for them.  A listener that blocks that loop would stop
heartbeats, and could not commit.  So the listener here is an asynchronous one: it hands the work to
a thread of its own and awaits that, while the loop goes on.
"""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from kproof_impl.client.clients import Client, Listener, Polled, refuse_automatic_commits
from kproof_impl.client.errors import ClientMissing, CommitRefused, ConfigRefused
from kproof_impl.client.tenure import TopicPartition

COMMIT_MS = 5_000
"""How long a commit may take.  Meanwhile nothing is polled, and the workers go on."""
CLOSE_MS = 10_000
AUTOMATIC_COMMITS = "enable_auto_commit"


def kafka_python_from_config(config: Mapping[str, Any]) -> Client:
    """A client of a new consumer.  Raises `ClientMissing`, `ConfigRefused`."""
    library = _library()
    if config.get(AUTOMATIC_COMMITS, False):
        raise refuse_automatic_commits(AUTOMATIC_COMMITS)
    return KafkaPythonClient(library.KafkaConsumer(**{**config, AUTOMATIC_COMMITS: False}))


def _library() -> Any:
    try:
        with warnings.catch_warnings():  # It reads its own schemas in a way that is deprecated.
            warnings.simplefilter("ignore", DeprecationWarning)
            import kafka  # type: ignore[import-untyped]
    except ImportError as missing:
        raise ClientMissing(
            "the config is one for kafka-python, which is not installed: pip install kafka-python"
        ) from missing
    return kafka


class KafkaPythonClient:
    """A `Client`.  Raises `ConfigRefused` of a consumer that commits by itself, or is too old."""

    def __init__(self, consumer: Any) -> None:
        from kafka import structs

        if consumer.config[AUTOMATIC_COMMITS]:
            raise refuse_automatic_commits(AUTOMATIC_COMMITS)
        if not consumer.config["group_id"]:
            raise ConfigRefused(
                "the consumer has no group_id, and without one nothing is committed"
            )
        self.group = str(consumer.config["group_id"])
        self._structs = structs
        self._errors = _library().errors
        self._consumer = consumer

    def subscribe(self, topics: list[str], listener: Listener) -> None:
        for topic in topics:  # A leader that does not know the topic yet would assign nothing.
            self._consumer.partitions_for_topic(topic)
        self._consumer.subscribe(topics=topics, listener=_listener(self._consumer, listener))

    def poll(self, timeout_s: float, records_max: int) -> list[Polled]:
        self._keep_joining()
        self._make_room_for_parked()
        found = self._consumer.poll(timeout_ms=int(timeout_s * 1000), max_records=records_max)
        return [
            Polled(TopicPartition(*partition), record.offset, record.key, record)
            for partition, records in found.items()
            for record in records
        ]

    def _keep_joining(self) -> None:
        """Lets a poll go on with a join that the poll before it began.

        kafka-python 3.0.12 forgets a join when three things meet: it was for new metadata, poll's
        time was over before it was answered, and the consumer leads the group.  It then has no
        assignment and sends no heartbeats, for ever.
        """
        coordinator = self._consumer._coordinator
        if coordinator.rejoining:
            coordinator.request_rejoin()

    def _make_room_for_parked(self) -> None:
        """Lets records come back that were set aside when their partition was paused.

        kafka-python 3.0.12 takes them back only into a slot that holds nothing, and leaves there
        what another partition had, though it is read to its end.  The resumed partition would never
        be read again.
        """
        fetcher = self._consumer._fetcher
        if not fetcher._next_partition_records:
            fetcher._next_partition_records = None

    def pause(self, partitions: Iterable[TopicPartition]) -> None:
        self._consumer.pause(*[self._structs.TopicPartition(*p) for p in partitions])

    def resume(self, partitions: Iterable[TopicPartition]) -> None:
        self._consumer.resume(*[self._structs.TopicPartition(*p) for p in partitions])

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        asked = {
            self._structs.TopicPartition(*p): self._structs.OffsetAndMetadata(offset, "", -1)
            for p, offset in offsets.items()
        }
        try:
            self._consumer.commit(asked, timeout_ms=COMMIT_MS)
        except self._errors.KafkaError as refused:
            raise CommitRefused(f"{type(refused).__name__}: {refused}") from refused

    def close(self) -> None:
        self._consumer.close(autocommit=False, timeout_ms=CLOSE_MS)


def _listener(consumer: Any, listener: Listener) -> Any:
    """kafka-python's listener for ours."""
    try:
        from kafka import AsyncConsumerRebalanceListener
    except ImportError as old:
        raise ConfigRefused("this kafka-python is too old: expected 3.0 or later") from old
    from kafka.future import Future  # type: ignore[import-untyped]

    async def elsewhere(
        step: Callable[[Collection[TopicPartition]], None], theirs: Iterable[Any]
    ) -> None:
        partitions = [TopicPartition(*each) for each in sorted(theirs)]
        done = Future()

        def work() -> None:
            # The loop completes the future: one that another thread completes does not wake it.
            try:
                step(partitions)
            except BaseException as error:
                consumer._manager.call_soon(done.failure, error)
            else:
                consumer._manager.call_soon(done.success, None)

        threading.Thread(target=work, name="kproof-rebalance", daemon=True).start()
        await done

    class Rebalances(AsyncConsumerRebalanceListener):  # type: ignore[misc]
        async def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
            await elsewhere(listener.assigned, assigned)

        async def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
            await elsewhere(listener.revoked, revoked)

        async def on_partitions_lost(self, lost: Iterable[Any]) -> None:
            await elsewhere(listener.lost, lost)

    return Rebalances()
