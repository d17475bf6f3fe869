"""A broker stepped by hand: no socket, no file, no clock.

    broker = Stepper()
    broker.topic("orders", partitions=3)
    response = broker.send(ProduceRequest(...))  # Its answer, or None while it waits.
    broker.advance(500)  # Milliseconds: each timer happens at its own time on the way.
    late = broker.answers(connection=1)  # What has come since, in its order.
    broker.restart()  # A clean stop, and a new broker on the same storage.
    broker.crash()  # The process is killed; `lose_power` with faulty files: the machine is.

A fault of the broker is raised here, not reported.  `produce`, `fetched` and `topic` are short ways
for tests of something else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from impl_support.batches import Got, Sent, batch, read_records
from kproof_checker.conformance.court import Court
from kproof_impl.core.broker import Broker
from kproof_impl.core.config import BrokerConfig
from kproof_impl.core.effects import Close, Effect, Pause, Report, Resume, Send, SendProduced
from kproof_impl.core.inputs import Connected, Disconnected, Input, Received, ReceivedBatch, Tick
from kproof_impl.core.partition import Partition
from kproof_impl.core.ports import LogStore
from kproof_impl.core.topics import Topic
from kproof_impl.messages.fetch import FetchPartition, FetchRequest, FetchResponse, FetchTopic
from kproof_impl.messages.fetch import PartitionData as FetchedPartition
from kproof_impl.messages.produce import (
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceRequest,
    ProduceResponse,
    TopicProduceData,
)
from kproof_impl.storage.faulty_files import FaultyFiles
from kproof_impl.storage.files import Files
from kproof_impl.storage.log_store import FileLogStore
from kproof_impl.storage.memory_files import MemoryFiles
from kproof_impl.wire.apis import APIS
from kproof_impl.wire.repeated_produce import KnownRoutes
from kproof_impl.wire.requests import RequestHeader
from kproof_impl.wire.responses import encode_response

START_MS = 1_000_000
"""When a stepped broker begins to live."""
DATA_DIRECTORY = "/data"

_KEYS = {f"{api.name}Request": api.key for api in APIS.values()}


@dataclass(frozen=True, slots=True)
class StepHeader:
    """The head of a request, as the wire would bring it."""

    api_key: int
    api_version: int
    correlation_id: int
    client_id: str | None


class CountedIdentifiers:
    """Identifiers in a row: the same ones in each run."""

    def __init__(self) -> None:
        self.topics_count = 0
        self.members_count = 0
        self.sessions_count = 0

    def topic_id(self) -> UUID:
        self.topics_count += 1
        return UUID(int=self.topics_count)

    def member_id_suffix(self) -> str:
        self.members_count += 1
        return f"{self.members_count:08d}"

    def session_id(self) -> int:
        self.sessions_count += 1
        return self.sessions_count


class Stepper:
    """A broker, its storage and its time in a test's hand.

    It keeps its logs in `files`; or in `store`, if one is given, which then outlives the broker.
    """

    is_repeating = False
    """Produce requests come as those do that are like an earlier one of their connection."""

    def __init__(
        self,
        config: BrokerConfig | None = None,
        files: Files | None = None,
        now_ms: int = START_MS,
        observe: Any = None,
        store: LogStore | None = None,
    ) -> None:
        self.config = config or BrokerConfig()
        self.config.raises = True
        self.files = MemoryFiles() if files is None else files
        """What outlives the broker."""
        self._given_store = store
        self.identifiers = CountedIdentifiers()
        self.now_ms = now_ms
        self.observe = Court() if observe is None and store is None else observe
        self.effects: list[Effect] = []
        """All that was ever done, over all lives."""
        self.closed: dict[int, str] = {}
        """Connections that the broker has closed, with its reason."""
        self.paused: set[int] = set()
        self.reports: list[str] = []
        self._answers: dict[int, list[tuple[int, Any]]] = {}
        self._connected: set[int] = set()
        self._correlation_id = 0
        self.broker = self._started()

    def _started(self) -> Broker:
        self.store: LogStore = self._given_store or FileLogStore(
            self.files,
            DATA_DIRECTORY,
            cluster_id=self.config.cluster_id,
            node_id=self.config.node_id,
            producer_expiration_ms=self.config.producer_id_expiration_ms,
        )
        broker = Broker(self.config, self.store, self.identifiers, self.observe)
        broker.start(self.now_ms)
        return broker

    # -- inputs ------------------------------------------------------------------------------

    def step(self, event: Input) -> list[Effect]:
        """One input at the time it is, with its effects noted."""
        effects = self.broker.receive(event, self.now_ms)
        self.effects += effects
        for effect in effects:
            if isinstance(effect, Send):
                if effect.header.api_key in APIS:
                    # What the core answers can be said in the version it was asked in.
                    encode_response(effect.header, effect.response)  # type: ignore[arg-type]
                answers = self._answers.setdefault(effect.connection_id, [])
                answers.append((effect.header.correlation_id, effect.response))
            elif isinstance(effect, SendProduced):
                answers = self._answers.setdefault(effect.connection_id, [])
                answers.append((effect.correlation_id, _in_full(effect)))
            elif isinstance(effect, Close):
                self.closed[effect.connection_id] = effect.reason
                self._connected.discard(effect.connection_id)
            elif isinstance(effect, Pause):
                self.paused.add(effect.connection_id)
            elif isinstance(effect, Resume):
                self.paused.discard(effect.connection_id)
            elif isinstance(effect, Report):
                self.reports.append(effect.text)
        return effects

    def connect(self, connection: int = 1, host: str = "127.0.0.1") -> None:
        self._connected.add(connection)
        self.closed.pop(connection, None)
        self.step(Connected(connection, host))

    def disconnect(self, connection: int = 1) -> None:
        self._connected.discard(connection)
        self.step(Disconnected(connection))

    def send(
        self,
        request: object,
        version: int | None = None,
        connection: int = 1,
        api_key: int | None = None,
        client_id: str | None = "test",
    ) -> Any:
        """The answer to a request; None if there is none yet.  It connects if need be.

        `version` is the newest served if it is None, `api_key` what the request's class tells.
        """
        if connection not in self._connected:
            self.connect(connection)
        if api_key is None:
            api_key = _KEYS[type(request).__name__]
        if version is None:
            version = APIS[api_key].max_version
        self._correlation_id += 1
        header = StepHeader(api_key, version, self._correlation_id, client_id)
        self.step(self._repeated(connection, header, request))
        waiting = self._answers.get(connection, [])
        for index, (correlation_id, response) in enumerate(waiting):
            if correlation_id == header.correlation_id:
                del waiting[index]
                return response
        return None

    def _repeated(self, connection: int, header: StepHeader, request: Any) -> Input:
        """The input of a request, which is `ReceivedBatch` if it may be and should be."""
        if self.is_repeating and isinstance(request, ProduceRequest):
            known = KnownRoutes()
            known.learn(
                RequestHeader(header.api_key, header.api_version, 0, header.client_id), request
            )
            records = request.topic_data[0].partition_data[0].records
            if known.routes and records is not None:
                (route,) = known.routes
                return ReceivedBatch(connection, header.correlation_id, route, records)
        return Received(connection, header, request)

    def answers(self, connection: int = 1) -> list[Any]:
        """The answers that came late on a connection, in order; each is told once."""
        return [response for _, response in self._answers.pop(connection, [])]

    def advance(self, milliseconds: int) -> None:
        """Lets time pass; what is due on the way happens when it is due."""
        end_ms = self.now_ms + milliseconds
        while True:
            due_ms = self.broker.next_deadline_ms()
            if due_ms is None or due_ms > end_ms:
                break
            self.now_ms = max(self.now_ms, due_ms)
            self.step(Tick())
        self.now_ms = end_ms
        self.step(Tick())

    # -- lives -------------------------------------------------------------------------------

    def restart(self) -> None:
        """A clean stop and a new life: all connections are gone, the time is the same."""
        self.broker.stop(self.now_ms)
        self._forget_connections()
        self.broker = self._started()

    def crash(self) -> None:
        """The process dies between two inputs: what was written is there, nothing is closed."""
        self.store.close(is_clean=False)
        self._forget_connections()
        self.broker = self._started()

    def lose_power(self) -> None:
        """What was not forced to the disk is lost as `FaultyFiles` choose; then a new life."""
        assert isinstance(self.files, FaultyFiles), "Only faulty files know what they can lose."
        self.files.crash()
        self._forget_connections()
        self.broker = self._started()

    def _forget_connections(self) -> None:
        self._connected.clear()
        self._answers.clear()
        self.paused.clear()

    # -- short ways --------------------------------------------------------------------------

    def topic(
        self, name: str, partitions: int = 1, configs: Mapping[str, str] | None = None
    ) -> Topic:
        """Makes a topic, without a request."""
        return self.broker.topics.create(name, partitions, dict(configs or {}))

    def partition(self, topic: str, index: int = 0) -> Partition:
        found = self.broker.topics.partition(topic, index)
        assert found is not None, f"there is no partition {topic}-{index}"
        return found

    def produce(
        self,
        topic: str,
        *records: bytes | Sent,
        partition: int = 0,
        data: bytes | None = None,
        acks: int = -1,
        version: int = 9,
        connection: int = 1,
    ) -> PartitionProduceResponse:
        """One batch to one partition, and the partition's answer; `data` instead of records."""
        if data is None:
            data = batch(*records, timestamp_ms=self.now_ms)
        of_topic = TopicProduceData(partition_data=[PartitionProduceData(partition, data)])
        if version >= 13:
            of_topic.topic_id = self.broker.topics.by_name[topic].topic_id
        else:
            of_topic.name = topic
        request = ProduceRequest(None, acks, 30_000, [of_topic])
        response = self.send(request, version, connection)
        answer: PartitionProduceResponse = response.responses[0].partition_responses[0]
        return answer

    def fetch_partition(
        self, topic: str, partition: int = 0, offset: int = 0, connection: int = 1
    ) -> FetchedPartition:
        """One partition from an offset on, at once, with all it has."""
        one = FetchPartition(partition, fetch_offset=offset, partition_max_bytes=1 << 30)
        request = FetchRequest(topics=[FetchTopic(partitions=[one], topic=topic)])
        response: FetchResponse = self.send(request, 12, connection)
        found: FetchedPartition = response.responses[0].partitions[0]
        return found

    def fetched(self, topic: str, partition: int = 0, offset: int = 0) -> list[Got]:
        """All records from an offset on; one answer has those of one segment at most."""
        records: list[Got] = []
        while True:
            found = self.fetch_partition(topic, partition, offset)
            assert found.error_code == 0, f"{topic}-{partition}: error {found.error_code}"
            if not found.records:
                return records
            records += (one for one in read_records(found.records) if one.offset >= offset)
            offset = records[-1].offset + 1


def _in_full(effect: SendProduced) -> ProduceResponse:
    """The answer that is sent: what a client sees of it is tested with the wire."""
    answer = PartitionProduceResponse(
        effect.route.index,
        0,
        effect.base_offset,
        effect.log_append_time_ms,
        effect.log_start_offset,
    )
    return effect.route.response(answer)
