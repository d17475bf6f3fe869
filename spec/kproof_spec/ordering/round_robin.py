"""Each producer deals its records around the partitions in turn: even load, and no order.

What Java's `RoundRobinPartitioner` does, whether a record has a key or not.
"""

from kproof_spec.lang import require

from . import base
from .base import OrderId, Producer, State, send_create, send_pay

model = base.model.extend("round_robin", title="Records dealt around the partitions in turn")


def move_on(s: State, producer: Producer) -> None:
    """The next record of this producer goes to the next partition."""
    s.next_partition[producer] = (s.next_partition[producer] + 1) % s.partition_count


@model.action
def producer_send_create(s: State, producer: Producer, order: OrderId) -> None:
    """A producer sends that an order was created.

    WHO   either producer.
    WHEN  this was not sent.
    THEN  the event is in the partition whose turn it is.
    REF   `RoundRobinPartitioner`.
    """
    # WHEN
    require(not s.order[order].is_create_sent)
    # THEN
    send_create(s, order, s.next_partition[producer])
    move_on(s, producer)


@model.action
def producer_send_pay(s: State, producer: Producer, order: OrderId) -> None:
    """A producer sends that an order was paid.

    WHO   either producer.
    WHEN  it is known that the creation is in the log, and this was not sent.
    THEN  the event is in the partition whose turn it is.
    REF   `RoundRobinPartitioner`.
    """
    # WHEN
    require(s.order[order].is_create_sent)
    require(not s.order[order].is_pay_sent)
    # THEN
    send_pay(s, order, s.next_partition[producer])
    move_on(s, producer)
