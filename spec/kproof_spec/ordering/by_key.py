"""The partition is the hash of the record's key modulo the number of partitions.

The mutants are what people do to lose the order all the same.
"""

from kproof_spec.lang import pure, require

from . import base
from .base import (
    Event,
    Hash,
    OrderId,
    Partition,
    Producer,
    State,
    a_key_keeps_to_one_partition,
    consumer_process,
    no_order_is_paid_before_it_is_created,
    process,
    send_create,
    send_pay,
)

model = base.model.extend("by_key", title="Records with a key: the hash decides the partition")


@pure
def partition_of(s: State, producer: Producer, order: OrderId, event: Event) -> int:
    """Where an event goes.  Only the order counts: that is the point."""
    del producer, event
    return s.order[order].key_hash % s.partition_count


@model.action
def customer_place_order(s: State, order: OrderId, key_hash: Hash) -> None:
    """An order gets its number, which is its key.

    WHO   a customer.
    WHEN  the order has no number yet.
    THEN  it has one, with whatever hash.
    REF   `kproof_spec.partitioner`: of a key, nothing but its hash matters.
    """
    # WHEN
    require(s.order[order].key_hash == -1)
    # THEN
    s.order[order].key_hash = key_hash


@model.action
def producer_send_create(s: State, producer: Producer, order: OrderId) -> None:
    """A producer sends that an order was created.

    WHO   either producer.
    WHEN  the order is placed, and this was not sent.
    THEN  the event is in the partition of the order's key.
    REF   Kafka, "Design", The Producer: load balancing.
    """
    # WHEN
    require(s.order[order].key_hash >= 0)
    require(not s.order[order].is_create_sent)
    # THEN
    send_create(s, order, partition_of(s, producer, order, Event.CREATE))


@model.action
def producer_send_pay(s: State, producer: Producer, order: OrderId) -> None:
    """A producer sends that an order was paid.

    WHO   either producer.
    WHEN  it is known that the creation is in the log, and this was not sent.
    THEN  the event is in the partition of the order's key.
    REF   Kafka, "Design", The Producer: load balancing.
    """
    # WHEN
    require(s.order[order].is_create_sent)
    require(not s.order[order].is_pay_sent)
    # THEN
    send_pay(s, order, partition_of(s, producer, order, Event.PAY))


# -- mutants -------------------------------------------------------------------------------------

SMALLEST = {"orders": 2, "partitions": 2, "max_partitions": 2, "hashes": 2}


@model.mutant(replaces=partition_of, breaks=no_order_is_paid_before_it_is_created, scope=SMALLEST)
def partition_by_each_clients_default(
    s: State, producer: Producer, order: OrderId, event: Event
) -> int:
    """The shop is written in Java and billing in C, and each leaves the partitioner as it is.

    Java's client hashes with murmur2, librdkafka with CRC32: the same key, two partitions.  (Here
    the next number stands for the other hash.)  REF: librdkafka, `partitioner`, of which
    `murmur2_random` is what Java does.
    """
    del event
    other = 1 if producer == Producer.BILLING else 0
    return (s.order[order].key_hash + other) % s.partition_count


@model.mutant(replaces=partition_of, breaks=a_key_keeps_to_one_partition, scope=SMALLEST)
def partition_by_whole_record(s: State, producer: Producer, order: OrderId, event: Event) -> int:
    """The key holds more than the order: the event too, to make it unique.

    Every record has a key of its own then, and no two of them have an order.  REF: our own.
    """
    del producer
    other = 1 if event == Event.PAY else 0
    return (s.order[order].key_hash + other) % s.partition_count


@model.mutant(
    replaces=producer_send_pay, breaks=no_order_is_paid_before_it_is_created, scope=SMALLEST
)
def producer_send_pay_while_create_is_retried(s: State, producer: Producer, order: OrderId) -> None:
    """Several requests are in flight, and one that failed is sent again behind a later one.

    The creation was sent first, and its first attempt failed; the payment, sent without waiting,
    arrived.  The same key and partition, and the wrong order.  REF: KAFKA-5494; the idempotent
    producer keeps order with up to five requests in flight (`enable.idempotence`).
    """
    require(s.order[order].key_hash >= 0)
    require(not s.order[order].is_pay_sent)
    send_pay(s, order, partition_of(s, producer, order, Event.PAY))


@model.mutant(
    replaces=consumer_process, breaks=no_order_is_paid_before_it_is_created, scope=SMALLEST
)
def consumer_process_by_threads(s: State, partition: Partition) -> None:
    """The consumer hands the records of its partition to whichever thread is idle.

    Of two records the later one may be done first.  REF: our own; see the model of the consumer
    for a pool of workers that keeps the order of each key.
    """
    log = s.log[partition]
    require(not log.is_empty)
    process(s, log.last)
    log.truncate(log.end - 1)
