"""FindCoordinator 0-6: this node coordinates all groups.

Transactions are not served.  A client that asks for their coordinator is told
TRANSACTIONAL_ID_AUTHORIZATION_FAILED, with the reason: it is the one code that the Java client and
librdkafka both take for final, where COORDINATOR_NOT_AVAILABLE, and to librdkafka any other, means
that they should ask again and again.

REF   KIP-699 (several keys at once); librdkafka's `rd_kafka_txn_handle_FindCoordinator`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kproof_impl.core.calls import Call
from kproof_impl.messages.errors import ErrorCode
from kproof_impl.messages.find_coordinator import (
    Coordinator,
    FindCoordinatorRequest,
    FindCoordinatorResponse,
)

if TYPE_CHECKING:
    from kproof_impl.core.broker import Broker

GROUP = 0
TRANSACTION = 1
NO_NODE = -1
NO_TRANSACTIONS = "This broker serves no transactions: remove transactional.id from the producer."


def find_coordinator(
    broker: Broker, _call: Call, request: FindCoordinatorRequest
) -> FindCoordinatorResponse:
    """One coordinator for each key, in the order of the keys."""
    return FindCoordinatorResponse(
        coordinators=[
            _coordinator(broker, request.key_type, key) for key in request.coordinator_keys
        ]
    )


def _coordinator(broker: Broker, key_type: int, key: str) -> Coordinator:
    config = broker.config
    if key_type == GROUP:
        return Coordinator(key, config.node_id, config.advertised_host, config.advertised_port)
    if key_type == TRANSACTION:
        error, reason = ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED, NO_TRANSACTIONS
    else:
        error = ErrorCode.INVALID_REQUEST
        reason = f"Key type {key_type} is not known: 0 is a group, 1 a transactional id."
    return Coordinator(key, NO_NODE, "", -1, error, reason)
