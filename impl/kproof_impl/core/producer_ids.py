"""InitProducerId, versions 0 to 5: a number for an idempotent producer (KIP-98).

A producer id is given once, for ever: ids are taken from the metadata log in blocks, each durable
before its first id leaves, and what is left of a block when the broker ends is lost.

A producer without a transactional id gets a new id with epoch 0 whatever it says of an id that it
has had: it bumps its epoch by itself (KIP-360).  Transactional ids are refused with
TRANSACTIONAL_ID_AUTHORIZATION_FAILED, as Produce refuses them.

REF   Kafka's `KafkaApis.handleInitProducerIdRequest`, `TransactionCoordinator`; KIP-730 for blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.init_producer_id import InitProducerIdRequest, InitProducerIdResponse
from kproof_impl.records.errors import LogFailed

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

BLOCK = 1_000
NONE = -1


class ProducerIds:
    """The ids that are reserved and not yet given."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._next = 0
        self._end = 0
        """Exclusive."""

    def take(self) -> int:
        """An id that no producer has had.  Raises `LogFailed` if none can be reserved."""
        if self._next == self._end:
            self._next = self._broker.topics.reserve_producer_ids(BLOCK)
            self._end = self._next + BLOCK
        self._next += 1
        return self._next - 1


def init_producer_id(
    broker: Broker, _call: Call, request: InitProducerIdRequest
) -> InitProducerIdResponse:
    """Gives a producer its id and epoch 0."""
    if request.transactional_id is not None:
        if request.transactional_id == "":
            return _error(ErrorCode.INVALID_REQUEST)
        return _error(ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED)
    if (request.producer_id == NONE) != (request.producer_epoch == NONE):
        return _error(ErrorCode.INVALID_REQUEST)
    try:
        return InitProducerIdResponse(0, 0, broker.producer_ids.take(), 0)
    except LogFailed:
        # Kafka, too, lets the client try again when it cannot reserve a block.
        return _error(ErrorCode.COORDINATOR_LOAD_IN_PROGRESS)


def _error(code: ErrorCode) -> InitProducerIdResponse:
    return InitProducerIdResponse(0, int(code), NONE, NONE)
