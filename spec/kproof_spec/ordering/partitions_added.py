"""Records with a key, and the topic gets more partitions: the key moves.

What is in the log stays where it is.  So the creation of an order may wait in its old partition
while its payment goes to the new one (PT6).  Kafka promises nothing else, and moves nothing: who
needs the order makes a new topic, or begins with partitions enough.
"""

from kproof_spec.lang import require

from . import base, by_key
from .base import OrderId, State, max_partitions

model = by_key.model.extend("partitions_added", title="Records with a key, and partitions added")
model.mutants.clear()  # They are the other variant's: here their properties are broken anyway.


@model.action
def operator_add_partition(s: State) -> None:
    """The topic gets one more partition.

    WHO   an operator, by CreatePartitions.
    WHEN  always.
    THEN  producers compute with the new number from now on.
    REF   KIP-195; Kafka, "Operations", Modifying topics.
    """
    # WHEN
    require(s.partition_count < max_partitions)  # Bound.
    # THEN
    s.partition_count += 1


@model.sometimes
def a_key_moves(s: State, order: OrderId) -> bool:
    """Events of one order were sent to two partitions."""
    return s.order[order].history_partitions.size == 2


@model.sometimes
def a_key_stays(s: State, order: OrderId) -> bool:
    """All of an order was sent, some of it after the topic grew, and to one partition."""
    return (
        s.order[order].is_pay_sent
        and s.partition_count > base.partitions
        and s.order[order].history_partitions.size == 1
    )
