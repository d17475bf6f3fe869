"""Small models of awkward shapes, each for one thing that an engine could get wrong."""

from __future__ import annotations

from enum import Enum
from typing import Any

from kproof_spec.lang import (
    NONE,
    Bounded,
    Id,
    Model,
    Seq,
    SetOf,
    Struct,
    Table,
    bound,
    choice,
    count,
    flag,
    integer,
    maybe,
    member,
    require,
    seq,
    subset,
    table,
)

people = bound("people", default=3, low=1, doc="Interchangeable things.")
rooms = bound("rooms", default=2, low=1, doc="Interchangeable things of another kind.")
size = bound("size", default=3, low=0, doc="How far things go.")


class Person(Id, size=people, symmetric=True, prefix="p"):
    """Somebody."""


class Room(Id, size=rooms, symmetric=True, prefix="r"):
    """A place to be."""


class Number(Bounded, low=0, high=size):
    """A small number."""


class Mood(Enum):
    """How somebody feels."""

    CALM = 0
    GLAD = 1
    CROSS = 2


# -- widths --------------------------------------------------------------------------------------


class Nothing(Struct):
    """A state of no bits at all."""

    always_three: int = integer(3, 3)


nothing = Model("nothing", Nothing)


@nothing.action
def assign_three(s: Nothing) -> None:
    """The only value there is."""
    s.always_three = 3


class Wide(Struct):
    """Fields of all widths, so that words have gaps and one field fills a word alone."""

    low: int = integer(-5, -5 + size)
    fixed: int = integer(7, 7)
    far: int = integer(-(2**40), 2**40, default=0)
    near: int = integer(0, 2**30)
    high: int = integer(0, 2**60)
    moods: Table[Number, Mood] = table(Number, choice(Mood))
    last: int = integer(-(2**20), size, default=0)


wide = Model("wide", Wide, constants=[size])


@wide.action
def climb(s: Wide) -> None:
    """Everything moves, to both ends of its range."""
    require(s.low < -5 + size)
    s.low += 1
    s.far = 2**40 if s.far <= 0 else -(2**40)
    s.high = 2**60 - s.near
    s.last = s.low + 5


@wide.action
def feel(s: Wide, number: Number) -> None:
    """A table by number, and arithmetic that goes below zero."""
    require(s.moods[number] != Mood.CROSS)
    s.moods[number] = Mood.GLAD if s.moods[number] == Mood.CALM else Mood.CROSS
    s.near = max(0, s.near * 3 + number)
    s.last = (s.far // 7) % (size + 1) - number


@wide.invariant
def low_is_low(s: Wide) -> bool:
    """Violated, at some depth."""
    return s.low + s.last < -2 + size


# -- symmetry ------------------------------------------------------------------------------------


class House(Struct):
    """Two symmetric sorts, ids that are NONE, sets of ids, and a queue of ids."""

    place: Table[Person, Room] = table(Person, maybe(Room))
    friend: Table[Person, Person] = table(Person, maybe(Person))
    open_rooms: SetOf[Room] = subset(Room)
    queue: Seq[Person] = seq(maybe(Person), 2)
    host: Person = maybe(Person)


house = Model("house", House, constants=[people, rooms])


@house.action
def enter(s: House, person: Person, room: Room) -> None:
    """Somebody goes into an open room; the first one is the host."""
    require(s.place[person] == NONE)
    require(room in s.open_rooms)
    s.place[person] = room
    if s.host == NONE:
        s.host = person


@house.action
def open_room(s: House, room: Room) -> None:
    """A room is opened, if not all are."""
    require(room not in s.open_rooms)
    s.open_rooms.add(room)


@house.action
def leave(s: House, person: Person) -> None:
    """Somebody leaves the house, and the room is closed behind them if nobody is left."""
    room = s.place[person]
    require(room != NONE)
    s.place[person] = NONE
    if s.host == person:
        s.host = s.friend[person]
    if count(Person, lambda other: s.place[other] == room) == 0:
        s.open_rooms.remove(room)


@house.action
def befriend(s: House, one: Person, other: Person) -> None:
    """Two in the same room become friends, in one direction."""
    require(one != other)
    require(s.place[one] != NONE)
    require(s.place[one] == s.place[other])
    s.friend[one] = other


@house.action
def call(s: House, person: Person) -> None:
    """Somebody's friend, or nobody, is put into the queue."""
    require(s.queue.has_room)
    require(s.place[person] != NONE)
    s.queue.append(s.friend[person])


@house.action
def answer(s: House) -> None:
    """The first in the queue is the host now, whoever it is."""
    require(not s.queue.is_empty)
    s.host = s.queue.pop_first()


@house.invariant
def host_is_at_home(s: House) -> bool:
    """Violated: a friend who has left becomes the host."""
    return not (s.host != NONE and s.place[s.host] == NONE)


@house.sometimes
def friendship_is_mutual(s: House, one: Person, other: Person) -> bool:
    """Needs two steps of one action with its parameters exchanged."""
    if one == other:
        return False
    return not (s.friend[one] != other or s.friend[other] != one)


# -- initial states ------------------------------------------------------------------------------


class Start(Struct):
    """As many initial states as a scope wants."""

    number: int = integer(0, size)
    person: Person = member(Person)
    is_done: bool = flag()


start = Model("start", Start, constants=[size, people])


@start.init
def anywhere(s: Start, number: Number, person: Person) -> None:
    """Begins at any even number, with anybody."""
    require(number % 2 == 0)
    s.number = number
    s.person = person


@start.action
def finish(s: Start) -> None:
    """One step, and no other."""
    require(not s.is_done)
    s.is_done = True
    s.number = s.number // 2


@start.invariant
def ends_early(s: Start) -> bool:
    """Violated in an initial state."""
    return s.number + 1 < size


# -- errors --------------------------------------------------------------------------------------


class Counter(Struct):
    """Counts up, until something breaks."""

    number: int = integer(0, size)
    is_ready: bool = flag()


def counter(action: Any = None, claim: Any = None) -> Model[Counter]:
    """A counter, with an action or an invariant more."""
    made = Model("counter", Counter, constants=[size])

    @made.action
    def rise(s: Counter) -> None:
        require(s.number < size)
        s.number += 1

    @made.action
    def get_ready(s: Counter) -> None:
        require(s.number == 2)
        s.is_ready = True

    if action is not None:
        made.action(action)
    if claim is not None:
        made.invariant(claim)
    return made


def go_too_far(s: Counter, number: Number) -> None:
    """Leaves the range, for some of its numbers."""
    require(s.is_ready)
    s.number += number


def divide(s: Counter) -> None:
    """Raises, in a state that is three steps away."""
    require(s.is_ready)
    s.number = 2 // (s.number - 2)


def is_known(s: Counter, number: Number) -> bool:
    """A property that raises, in a state that is three steps away."""
    if s.is_ready and s.number + number > 4:
        raise ValueError("this number is not known")
    return True


# -- one long road -------------------------------------------------------------------------------


class Grid(Struct):
    """Many states by few actions."""

    x: int = integer(0, size)
    y: int = integer(0, size)
    z: int = integer(0, 2)


grid = Model("grid", Grid, constants=[size])


@grid.action
def go_right(s: Grid) -> None:
    """Right, around the edge."""
    s.x = (s.x + 1) % (size + 1)


@grid.action
def go_up(s: Grid) -> None:
    """Up, around the edge; the third coordinate follows."""
    s.y = (s.y + 1) % (size + 1)
    s.z = (s.x * s.y) % 3


@grid.invariant
def corner_is_far(s: Grid) -> bool:
    """Violated at the greatest distance."""
    return not (s.x == size and s.y == size)
