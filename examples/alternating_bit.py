"""The alternating bit protocol: a queue that loses messages becomes one that does not.

After Bartlett, Scantlebury and Wilkinson (1969).  The sender repeats an item until it hears its bit
back; the receiver takes an item once, when its bit is the one that is due.  Both channels are first
in, first out, hold a few messages, and may lose any of them.

    kproof check examples/alternating_bit.py
    kproof check examples/alternating_bit.py --mutant receive_whatever_comes

Four items and room for three messages in each channel make 236 states; `tests/examples` counts them
again with a program of its own that knows nothing of kproof.
"""

from kproof_spec.lang import (
    Model,
    Seq,
    Struct,
    bound,
    flag,
    forall,
    integer,
    require,
    seq,
    span,
)

items = bound("items", default=4, low=1, doc="How many items are to be sent.")
capacity = bound("capacity", default=3, low=1, doc="Messages that a channel can hold.")


class Frame(Struct):
    """An item on its way, with the bit that tells it from the item before."""

    item: int = integer(0, items - 1)
    bit: bool = flag()


class State(Struct):
    """The sender, the receiver, and the two channels between them."""

    sent: int = integer(0, items)
    """How many items the sender knows to be received: it sends the item of this number."""
    sender_bit: bool = flag()
    received: Seq[int] = seq(integer(0, items - 1), items)
    """The items that the receiver has passed on, in order."""
    receiver_bit: bool = flag()
    """The bit of the item that is due."""
    frames: Seq[Frame] = seq(Frame, capacity)
    acknowledgements: Seq[bool] = seq(flag(), capacity)


model = Model(
    "alternating_bit", State, constants=[items, capacity], title="The alternating bit protocol"
)


@model.action
def send(s: State) -> None:
    """The sender sends the present item, for the first time or again."""
    require(s.sent < items)
    require(s.frames.has_room)
    s.frames.append(Frame(item=s.sent, bit=s.sender_bit))


@model.action
def receive(s: State) -> None:
    """The receiver takes the item if it is the one that is due, and confirms it either way."""
    require(not s.frames.is_empty)
    require(s.acknowledgements.has_room)
    frame = s.frames.pop_first()
    s.acknowledgements.append(frame.bit)
    if frame.bit == s.receiver_bit:
        s.received.append(frame.item)
        s.receiver_bit = not s.receiver_bit


@model.action
def hear(s: State) -> None:
    """The sender hears a bit back; if it is the present one, it goes on to the next item."""
    require(not s.acknowledgements.is_empty)
    if s.acknowledgements.pop_first() == s.sender_bit and s.sent < items:
        s.sent += 1
        s.sender_bit = not s.sender_bit


@model.action
def lose_frame(s: State) -> None:
    """The first frame is lost.  Each is first once, so any may be."""
    require(not s.frames.is_empty)
    s.frames.pop_first()


@model.action
def lose_acknowledgement(s: State) -> None:
    """The first acknowledgement is lost."""
    require(not s.acknowledgements.is_empty)
    s.acknowledgements.pop_first()


@model.invariant
def items_arrive_once_and_in_order(s: State) -> bool:
    """What was received is item 0, item 1, and so on: nothing twice, nothing left out."""
    return forall(span(0, s.received.end), lambda place: s.received[place] == place)


@model.invariant
def sender_is_at_most_one_behind(s: State) -> bool:
    """The receiver has what the sender believes, or one item more."""
    return s.sent <= s.received.end and s.received.end <= s.sent + 1


@model.sometimes
def everything_arrives(s: State) -> bool:
    """All items can get through, and the sender can know it."""
    return s.sent == items


@model.mutant(replaces=receive, breaks=items_arrive_once_and_in_order, scope={"items": 2})
def receive_whatever_comes(s: State) -> None:
    """The receiver does not look at the bit, so that an item that was sent twice arrives twice."""
    require(not s.frames.is_empty)
    require(s.acknowledgements.has_room)
    require(s.received.has_room)
    frame = s.frames.pop_first()
    s.acknowledgements.append(frame.bit)
    s.received.append(frame.item)
