"""What clients asked for and are about to be told, if somebody observes the broker.

The other events are told where something happens, in the words of who decided it.  These are taken
from a request and its answer, as they come in and go out: so a decision about something else than
was asked for, and an answer about something else than is so, can be seen.

| model, action | parameters |
|---|---|
| `groups`, `answer_offset_commit` | `offsets`: as asked for, by `topic-partition`, where accepted |
| `groups`, `answer_offset_fetch` | `offsets`: as answered, -1 for none; `is_all`: asked for all |
| `log`, `answer_delete_records` | `offset`: as asked for, `low_watermark`: as answered |

The subject of the first two is the group's id.  What Fetch answers is told by `ObservedLog`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kproof_impl.core.observed_log import ObservedLog
from kproof_impl.messages.delete_records import DeleteRecordsRequest, DeleteRecordsResponse
from kproof_impl.messages.offset_commit import OffsetCommitRequest, OffsetCommitResponse
from kproof_impl.messages.offset_fetch import OffsetFetchRequest, OffsetFetchResponse
from kproof_impl.wire.apis import DELETE_RECORDS, OFFSET_COMMIT, OFFSET_FETCH

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker


def tell_answer(broker: Broker, api_key: int, request: Any, response: Any) -> None:
    """To be called before the answer is sent."""
    tell = _TELLS.get(api_key)
    if tell is not None:
        tell(broker, request, response)


def _offset_commit(
    broker: Broker, request: OffsetCommitRequest, response: OffsetCommitResponse
) -> None:
    offsets = {
        f"{asked.name}-{one.partition_index}": one.committed_offset
        for asked, topic in zip(request.topics, response.topics, strict=True)
        for one, answer in zip(asked.partitions, topic.partitions, strict=True)
        if not answer.error_code
    }
    if offsets:
        broker.tell("groups", request.group_id, "answer_offset_commit", {"offsets": offsets}, {})


def _offset_fetch(
    broker: Broker, request: OffsetFetchRequest, response: OffsetFetchResponse
) -> None:
    asked: dict[str, list[bool]] = {}
    for wanted in request.groups:
        asked.setdefault(wanted.group_id, []).append(wanted.topics is None)
    for answer in response.groups:
        if not answer.error_code:
            parameters = {
                "offsets": {
                    f"{topic.name}-{one.partition_index}": one.committed_offset
                    for topic in answer.topics
                    for one in topic.partitions
                    if not one.error_code
                },
                "is_all": asked[answer.group_id] == [True],
            }
            broker.tell("groups", answer.group_id, "answer_offset_fetch", parameters, {})


def _delete_records(
    broker: Broker, request: DeleteRecordsRequest, response: DeleteRecordsResponse
) -> None:
    asked: dict[tuple[str, int], list[int]] = {}
    for topic in request.topics:
        for wanted in topic.partitions:
            asked.setdefault((topic.name, wanted.partition_index), []).append(wanted.offset)
    for answer in response.topics:
        for one in answer.partitions:
            offsets = asked[answer.name, one.partition_index]
            partition = broker.topics.partition(answer.name, one.partition_index)
            is_clear = not one.error_code and len(offsets) == 1  # Of several, which was it for?
            if is_clear and partition and isinstance(partition.log, ObservedLog):
                partition.log.tell_deleted_records(offsets[0], one.low_watermark)


_TELLS: dict[int, Callable[[Any, Any, Any], None]] = {
    OFFSET_COMMIT: _offset_commit,
    OFFSET_FETCH: _offset_fetch,
    DELETE_RECORDS: _delete_records,
}
