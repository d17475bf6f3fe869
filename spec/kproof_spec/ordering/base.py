"""The shop, its topic and the consumers: what all ways to choose a partition share."""

from enum import Enum

from kproof_spec.lang import (
    Bounded,
    Id,
    Model,
    Seq,
    SetOf,
    Struct,
    Table,
    bound,
    choice,
    constant,
    exists,
    flag,
    forall,
    history,
    integer,
    maybe,
    require,
    seq,
    subset,
    table,
)

# -- bounds and sorts ----------------------------------------------------------------------------

orders = bound("orders", default=2, low=1, doc="Orders; each has a key of its own.")
partitions = constant("partitions", default=2, low=1, doc="Partitions when the topic is created.")
max_partitions = bound("max_partitions", default=3, low=1, doc="To how many the topic may grow.")
hashes = bound("hashes", default=6, low=1, doc="Different hashes of keys.")


class OrderId(Id, size=orders, symmetric=True, prefix="o"):
    """An order of the shop: the key of its events."""


class Producer(Enum):
    """A program that sends events.  Either may send any."""

    SHOP = 0
    BILLING = 1


class Event(Enum):
    """What happens to an order, in this order."""

    CREATE = 0
    PAY = 1


class Partition(Bounded, low=0, high=max_partitions - 1):
    """A partition of the topic."""


class Hash(Bounded, low=0, high=hashes - 1):
    """The hash of a key.  As many as the least common multiple of partition counts are enough."""


_PARTITION: type[int] = Partition
"""For the type checker: a partition that was computed is an int, and no less a partition."""


# -- state ---------------------------------------------------------------------------------------


class Record(Struct):
    """An event in a partition."""

    order: OrderId = maybe(OrderId)
    """Its key."""
    event: Event = choice(Event)


class Order(Struct):
    """What became of an order."""

    key_hash: int = integer(-1, hashes - 1)
    """What its key hashes to; -1 before the order is placed, and where no key is used."""
    is_create_sent: bool = flag()
    """Whether a producer has sent its creation, and knows that it is in the log."""
    is_pay_sent: bool = flag()
    """The same of its payment."""
    is_created: bool = flag()
    """Whether a consumer has processed its creation."""
    is_paid: bool = flag()
    """Whether a consumer has processed its payment."""
    history_partitions: SetOf[int] = history(subset(_PARTITION))
    """Where its events went."""


class State(Struct):
    """A topic, and what its producers and consumers know."""

    partition_count: int = integer(1, max_partitions)
    """How many partitions the topic has now."""
    log: Table[int, Seq[Record]] = table(_PARTITION, seq(Record, 2 * orders))
    """What is not consumed yet of each partition, in the order of its writing."""
    order: Table[OrderId, Order] = table(OrderId, Order)
    next_partition: Table[Producer, int] = table(Producer, integer(0, max_partitions - 1))
    """Where a producer without keys sends its next record, or all of the present batch."""


model = Model(
    "ordering",
    State,
    constants=[orders, partitions, max_partitions, hashes],
    title="The order of events over several partitions",
)


@model.init
def topic_is_created(s: State) -> None:
    """The topic is there and empty."""
    s.partition_count = partitions


# -- changes -------------------------------------------------------------------------------------


def send_create(s: State, order: OrderId, partition: int) -> None:
    """The creation of an order is appended to a partition, and acknowledged."""
    s.log[partition].append(Record(order=order, event=Event.CREATE))
    s.order[order].is_create_sent = True
    s.order[order].history_partitions.add(partition)


def send_pay(s: State, order: OrderId, partition: int) -> None:
    """The payment of an order is appended to a partition, and acknowledged."""
    s.log[partition].append(Record(order=order, event=Event.PAY))
    s.order[order].is_pay_sent = True
    s.order[order].history_partitions.add(partition)


def process(s: State, record: Record) -> None:
    """A consumer does what an event asks."""
    if record.event == Event.CREATE:
        s.order[record.order].is_created = True
    else:
        s.order[record.order].is_paid = True


# -- actions -------------------------------------------------------------------------------------


@model.action
def consumer_process(s: State, partition: Partition) -> None:
    """The consumer of a partition processes its next record.

    WHO   the member of the group that has the partition.
    WHEN  there is a record.  Nothing else: it does not know what others have processed.
    THEN  the event has taken effect.
    REF   Kafka, "Design", The Consumer.
    """
    # WHEN
    require(not s.log[partition].is_empty)
    # THEN
    process(s, s.log[partition][0])
    s.log[partition].pop_first()


# -- properties ----------------------------------------------------------------------------------


@model.invariant
def no_order_is_paid_before_it_is_created(s: State, order: OrderId) -> bool:
    """Events of one key take effect in the order in which they were sent (PT3)."""
    return s.order[order].is_created or not s.order[order].is_paid


@model.invariant
def a_key_keeps_to_one_partition(s: State, order: OrderId) -> bool:
    """All events of one key are in one partition (PT1): only there is an order between them."""
    return s.order[order].history_partitions.size <= 1


@model.sometimes
def every_order_is_paid(s: State) -> bool:
    """Everything was sent and processed."""
    return forall(OrderId, lambda order: s.order[order].is_created and s.order[order].is_paid)


@model.sometimes
def keys_share_a_partition(s: State, a: OrderId, b: OrderId, partition: Partition) -> bool:
    """Events of two orders wait in one partition: a key has a partition, not the reverse."""
    return (
        a != b
        and exists(s.log[partition], lambda record: record.order == a)
        and exists(s.log[partition], lambda record: record.order == b)
    )


@model.sometimes
def a_later_order_overtakes(s: State, a: OrderId, b: OrderId) -> bool:
    """One order is paid while the creation of another, sent and acknowledged, still waits."""
    return s.order[a].is_paid and s.order[b].is_create_sent and not s.order[b].is_created
