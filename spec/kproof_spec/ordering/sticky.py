"""Records without a key: each producer stays with a partition for a batch, then draws another.

Large batches, even load in the long run (KIP-480), and no order.  In a test, where one batch holds
everything, the order looks right: that is what makes this one treacherous.
"""

from kproof_spec.lang import require

from . import base
from .base import OrderId, Partition, Producer, State, send_create, send_pay

model = base.model.extend("sticky", title="Records without a key: one partition for each batch")


@model.action
def producer_begin_batch(s: State, producer: Producer, partition: Partition) -> None:
    """A producer's batch is full, or has waited long enough, and the next one begins.

    WHO   either producer.
    WHEN  always; the partition is another one.
    THEN  what it sends from now on goes there.
    REF   KIP-480, KIP-794.
    """
    # WHEN
    require(partition < s.partition_count)
    require(partition != s.next_partition[producer])
    # THEN
    s.next_partition[producer] = partition


@model.action
def producer_send_create(s: State, producer: Producer, order: OrderId) -> None:
    """A producer sends that an order was created.

    WHO   either producer.
    WHEN  this was not sent.
    THEN  the event is in the partition of the producer's present batch.
    REF   KIP-480.
    """
    # WHEN
    require(not s.order[order].is_create_sent)
    # THEN
    send_create(s, order, s.next_partition[producer])


@model.action
def producer_send_pay(s: State, producer: Producer, order: OrderId) -> None:
    """A producer sends that an order was paid.

    WHO   either producer.
    WHEN  it is known that the creation is in the log, and this was not sent.
    THEN  the event is in the partition of the producer's present batch.
    REF   KIP-480.
    """
    # WHEN
    require(s.order[order].is_create_sent)
    require(not s.order[order].is_pay_sent)
    # THEN
    send_pay(s, order, s.next_partition[producer])
