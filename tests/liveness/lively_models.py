"""Small models whose liveness is known, and a check that takes no time beside the search."""

from enum import Enum
from typing import Any

from kproof_checker.check import check
from kproof_checker.options import CheckOptions
from kproof_checker.traces.lasso import lasso_problem
from kproof_checker.traces.replay import replay
from kproof_checker.traces.trace import ClaimKind, Trace
from kproof_checker.verdicts import CheckResult, PropertyResult, Verdict
from kproof_spec.lang import (
    NONE,
    Bounded,
    Fairness,
    Id,
    Machine,
    Model,
    Seq,
    SetOf,
    Struct,
    Table,
    bound,
    choice,
    each,
    forall,
    integer,
    maybe,
    require,
    seq,
    subset,
    table,
)

NO, WEAK, STRONG = Fairness.NONE, Fairness.WEAK, Fairness.STRONG

processes = bound("processes", default=2, low=1, doc="Who wants the lock.")
jobs = bound("jobs", default=2, low=1, doc="What there is to do.")
limit = bound("limit", default=3, doc="How far to count.")
seats = bound("seats", default=3, low=2, doc="Philosophers at the table.")


def run(machine: Machine[Any], **options: Any) -> CheckResult:
    """A check without the sample."""
    return check(machine, CheckOptions(**{"sample_seconds": 0, **options}))


def judged(machine: Machine[Any], name: str, **options: Any) -> PropertyResult:
    """What a check says of one property."""
    return run(machine, **options).properties[name]


def lasso(machine: Machine[Any], found: PropertyResult) -> Trace:
    """The trace of a violation, which is replayed."""
    assert found.verdict is Verdict.VIOLATED
    assert found.trace is not None
    assert found.trace.claim.kind is ClaimKind.NEVER
    assert found.trace.claim.name == found.name
    assert lasso_problem(machine, found.trace) is None
    assert replay(machine, found.trace).ok
    return found.trace


def labels(trace: Trace) -> tuple[list[str], list[str]]:
    """The steps of the way in, and those of the circle."""
    steps = [step.label for step in trace.steps]
    return steps[: trace.claim.state], steps[trace.claim.state :]


# Mutual exclusion


class ProcessId(Id, size=processes, symmetric=True, prefix="p"):
    """A process."""


class Wish(Enum):
    """What a process is about."""

    IDLE = 0
    WAITING = 1
    INSIDE = 2


class Lock(Struct):
    """A lock and those who want it."""

    wish: Table[ProcessId, Wish] = table(ProcessId, choice(Wish))
    owner: ProcessId = maybe(ProcessId)


def mutual_exclusion(*, entering: Fairness, leaving: Fairness = WEAK) -> Model[Lock]:
    """Whoever waits enters at last only if entering is strongly fair: others come between."""
    model = Model("mutual_exclusion", Lock, constants=[processes])

    @model.action
    def ask(s: Lock, process: ProcessId) -> None:
        require(s.wish[process] == Wish.IDLE)
        s.wish[process] = Wish.WAITING

    @model.action(fairness=entering)
    def enter(s: Lock, process: ProcessId) -> None:
        require(s.wish[process] == Wish.WAITING and s.owner == NONE)
        s.wish[process] = Wish.INSIDE
        s.owner = process

    @model.action(fairness=leaving)
    def leave(s: Lock, process: ProcessId) -> None:
        require(s.owner == process)
        s.wish[process] = Wish.IDLE
        s.owner = NONE

    @model.invariant
    def one_at_a_time(s: Lock, a: ProcessId, b: ProcessId) -> bool:
        return a == b or not (s.wish[a] == Wish.INSIDE and s.wish[b] == Wish.INSIDE)

    def waits(s: Lock, process: ProcessId) -> bool:
        return s.wish[process] == Wish.WAITING

    @model.leads_to(waits)
    def gets_in(s: Lock, process: ProcessId) -> bool:
        return s.wish[process] == Wish.INSIDE

    @model.mutant(replaces=leave, breaks=gets_in)
    def leave_without_the_key(s: Lock, process: ProcessId) -> None:
        """Who leaves keeps the lock: nobody enters after that."""
        require(s.wish[process] == Wish.INSIDE)
        s.wish[process] = Wish.IDLE

    return model


# A pool of workers


class JobId(Id, size=jobs, prefix="j"):
    """Something to do."""


class Pool(Struct):
    """Jobs that wait, are worked at, and are done."""

    running: SetOf[JobId] = subset(JobId)
    done: SetOf[JobId] = subset(JobId)


def pool(*, working: Fairness = WEAK) -> Model[Pool]:
    """Every job is done at last, if workers work."""
    model = Model("pool", Pool, constants=[jobs])

    @model.action(fairness=WEAK)
    def take(s: Pool, job: JobId) -> None:
        require(job not in s.running and job not in s.done)
        s.running.add(job)

    @model.action(fairness=working)
    def finish(s: Pool, job: JobId) -> None:
        require(job in s.running)
        s.running.remove(job)
        s.done.add(job)

    @model.eventually
    def all_are_done(s: Pool) -> bool:
        return forall(JobId, lambda job: job in s.done)

    @model.mutant(replaces=finish, breaks=all_are_done)
    def finish_and_forget(s: Pool, job: JobId) -> None:
        """The result is lost, so the job is taken again, for ever."""
        require(job in s.running)
        s.running.remove(job)

    return model


# Dining philosophers


class Seat(Id, size=seats, prefix="s"):
    """A philosopher, and the fork to the left."""


class Dinner(Struct):
    """Who holds which fork."""

    holder: Table[Seat, Seat] = table(Seat, maybe(Seat))
    ate: SetOf[Seat] = subset(Seat)


def philosophers(*, last_is_left_handed: bool) -> Model[Dinner]:
    """All may take their left fork and starve, unless one begins with the right."""
    model = Model("philosophers", Dinner, constants=[seats])

    def forks(seat: Seat) -> tuple[Seat, Seat]:
        all_seats = each(Seat)
        here = all_seats.index(seat)
        left, right = seat, all_seats[(here + 1) % len(all_seats)]
        swapped = last_is_left_handed and here == len(all_seats) - 1
        return (right, left) if swapped else (left, right)

    @model.action(fairness=STRONG)
    def take_first(s: Dinner, seat: Seat) -> None:
        first, _ = forks(seat)
        require(s.holder[first] == NONE)
        s.holder[first] = seat

    @model.action(fairness=STRONG)
    def take_second(s: Dinner, seat: Seat) -> None:
        first, second = forks(seat)
        require(s.holder[first] == seat and s.holder[second] == NONE)
        s.holder[second] = seat

    @model.action(fairness=WEAK)
    def eat(s: Dinner, seat: Seat) -> None:
        first, second = forks(seat)
        require(s.holder[first] == seat and s.holder[second] == seat)
        s.holder[first] = NONE
        s.holder[second] = NONE
        s.ate.add(seat)

    @model.eventually
    def everyone_eats(s: Dinner, seat: Seat) -> bool:
        return seat in s.ate

    return model


# Counting


class Start(Bounded, low=0, high=2):
    """Where to begin."""


class Count(Struct):
    """A number, and what was seen of it."""

    n: int = integer(0, 9)
    seen: Seq[int] = seq(integer(0, 9), limit)


class Grid(Struct):
    """For counting alone."""

    n: int = integer(0, 9)


def ring(size: int, *, fairness: Fairness = WEAK) -> Model[Grid]:
    """Counts round and round."""
    model = Model("ring", Grid)

    @model.action(fairness=fairness)
    def turn(s: Grid) -> None:
        s.n = 0 if s.n == size - 1 else s.n + 1

    return model
