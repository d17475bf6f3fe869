"""A made-up model with every kind of field, parameter and failure, to be stored and read back."""

from enum import Enum

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
    constant,
    exists,
    flag,
    history,
    integer,
    maybe,
    member,
    nested,
    pure,
    require,
    seq,
    subset,
    table,
)

clerks = bound("clerks", default=2, low=1, high=4, doc="How many work here.")
pages = bound("pages", default=2, low=1, doc="Pages of a book.")
fee = constant("fee", default=-2, low=-5, doc="What an entry costs.")


class Clerk(Id, size=clerks, symmetric=True, prefix="c"):
    """Somebody who writes."""


class Page(Bounded, low=1, high=pages):
    """A page number, 1-based."""


class Ink(Enum):
    """Colours."""

    BLACK = "black"
    RED = "red"


class Entry(Struct):
    """A line of a book, and a parameter."""

    ink: Ink = choice(Ink, default=Ink.RED)
    is_signed: bool = flag()


class Desk(Struct):
    """What a clerk has."""

    balance: int = integer(fee, 1, default=0)
    book: Seq[Entry] = seq(Entry, pages)
    inks: SetOf[Ink] = subset(Ink)


class State(Struct):
    """One office."""

    desk: Table[Clerk, Desk] = table(Clerk, Desk)
    chief: Clerk = member(Clerk)
    deputy: Clerk = maybe(Clerk)
    template: Entry = nested(Entry)
    numbers: Seq[int] = seq(integer(0, 3), 3)
    open_pages: SetOf[Page] = subset(Page)
    seen: SetOf[Entry] = subset(Entry)
    marks: Table[Ink, int] = table(Ink, integer(-1, 1))
    was_signed: bool = history(flag())


model = Model("every_field", State, constants=[clerks, pages, fee])


@model.init
def begin(s: State, ink: Ink) -> None:
    """The chief has one ink."""
    s.desk[s.chief].inks.add(ink)


@pure
def is_chief(s: State, clerk: Clerk) -> bool:
    """Whether a clerk is the chief."""
    is_the_chief: bool = s.chief == clerk
    return is_the_chief


def need_authority(s: State, clerk: Clerk) -> None:
    """A guard that several actions share."""
    require(is_chief(s, clerk))


@model.action
def write_entry(s: State, clerk: Clerk, entry: Entry) -> None:
    """A clerk writes a line."""
    desk = s.desk[clerk]
    require(desk.book.has_room)
    require(
        desk.book.is_empty
        or (
            entry.ink in desk.inks
            and not exists(desk.book, lambda line: line.is_signed and line.ink == entry.ink)
        )
    )
    desk.book.append(entry)
    s.seen.add(entry)
    if entry.is_signed:
        s.was_signed = True


@model.action
def open_page(s: State, page: Page, ink: Ink, is_first: bool) -> None:
    """Somebody opens a page."""
    require(not exists(Page, lambda other: other in s.open_pages and other > page) or is_first)
    s.open_pages.add(page)
    s.marks[ink] = 1 if is_first else 0
    if s.numbers.end < 3:
        s.numbers.append(page)


@model.action
def tear_out(s: State, clerk: Clerk) -> None:
    """A clerk removes the first line."""
    require(not s.desk[clerk].book.is_empty)
    first = s.desk[clerk].book.pop_first()
    s.template = first
    s.desk[clerk].inks.remove(first.ink)


@model.action
def appoint(s: State, clerk: Clerk) -> None:
    """The chief names a deputy."""
    need_authority(s, clerk)
    s.deputy = clerk if s.deputy == NONE else NONE


@model.action
def pay(s: State, clerk: Clerk) -> None:
    """A clerk pays until there is nothing left, and then the specification is wrong."""
    require(s.deputy == clerk)
    s.desk[clerk].balance -= 1


@model.invariant
def no_debt(s: State, clerk: Clerk) -> bool:
    """Nobody pays what they do not have."""
    desk = s.desk[clerk]
    if desk.balance < 0:  # noqa: SIM103 - how a reading finds the condition is what is tested
        return False
    return True


@model.invariant
def signed_is_seen(s: State) -> bool:
    """What was signed was seen, whoever asks."""
    return not s.was_signed or any(entry.is_signed for entry in s.seen)


@model.invariant
def numbers_stay_small(s: State) -> bool:
    """A property that fails by itself once there are three numbers."""
    return s.numbers.end < 3 or s.numbers[3] == 0


@model.sometimes
def a_page_is_open(s: State, page: Page) -> bool:
    """Pages can be opened."""
    return page in s.open_pages


@model.mutant(replaces=is_chief, breaks=no_debt)
def is_anybody(s: State, clerk: Clerk) -> bool:
    """Anybody has authority."""
    return True
