"""Checks of the catalogue side by side: processes that each take the next check when they are free.

Checks do not know of each other, so they can run on as many cores as there are.  A process is given
a check by name and gives back what was found; models, which are functions, stay where they are.

**Order.**  One process goes through the checks in their order, so that there is something to tell
from the beginning.  The others take the largest first, so that no core is left with a long one at
the end.  Whoever reads the results gets them as they come, and puts them in order.

**Memory.**  What may be used is shared among the processes.  A check for which a share is too
little is run once more at the end, alone and with all of it: how many run side by side changes no
verdict.

**Ctrl-C** ends the processes at once; a check that was not finished then was not run.
"""

from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import signal
import traceback
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from typing import Any

from kproof_spec.catalog_types import Check
from kproof_spec.lang import NONE, Id, Machine, Property

from ..layout import layout_of
from ..options import CheckOptions, Progress
from ..reports.progress import ProgressLine
from ..reports.wording import counted, number
from ..verdicts import CheckResult, Stop
from .plans import Plan, plan_of, run_check
from .refusals import UNKNOWN, Refused

SIZE_WEIGHT_MUTANT = 0.1
"""What a mutant counts beside a model without: its search often ends early."""


def usable_cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@dataclass
class Worker:
    """A process and what it is at."""

    process: SpawnProcess
    pipe: Connection
    plan: int = -1
    """The number of its check; -1 if it waits for one."""
    is_alone: bool = False
    """Whether the check has all the memory to itself."""
    distinct: int = 0
    """The states that it has found so far."""


@dataclass
class Jobs:
    """The checks that are to be run, side by side in some processes."""

    plans: Sequence[Plan]
    options: CheckOptions
    count: int
    is_quiet: bool = False
    _in_order: deque[int] = field(default_factory=deque)
    _by_size: list[int] = field(default_factory=list)
    """The same, the largest last."""
    _given: set[int] = field(default_factory=set)
    _again: list[int] = field(default_factory=list)
    """Those that a share of the memory was too little for."""
    _done: int = 0

    def results(self) -> Iterator[tuple[int, CheckResult | Exception]]:
        """The number of each check with its result, or with what it raised, as they come."""
        self._in_order = deque(range(len(self.plans)))
        self._by_size = sorted(self._in_order, key=lambda i: _size(self.plans[i]))
        line = ProgressLine()
        workers: list[Worker] = []
        try:
            for _ in range(min(self.count, len(self.plans))):
                workers += [Worker(*_started())]
            while self._done < len(self.plans):
                for worker in workers:
                    self._give(worker, workers)
                for pipe in wait([w.pipe for w in workers if w.plan >= 0], timeout=0.2):
                    worker = next(w for w in workers if w.pipe is pipe)
                    yield from self._take(worker)
                if not self.is_quiet and line.is_due():
                    line.show(self._told(workers))
        finally:
            line.close()
            for worker in workers:
                worker.process.kill()
            for worker in workers:
                worker.process.join()

    def _give(self, worker: Worker, workers: list[Worker]) -> None:
        """Gives a worker that is free the next check, if there is one that may run now."""
        if worker.plan >= 0:
            return
        options = self.options
        following = self._next(is_in_order=worker is workers[0])
        if following is not None:
            worker.plan, worker.is_alone = following, len(workers) == 1
            memory = options.max_memory_bytes or _physical_memory_bytes()
            if not worker.is_alone:
                options = replace(options, max_memory_bytes=memory // len(workers))
        elif self._again and all(other.plan < 0 for other in workers):
            worker.plan, worker.is_alone = self._again.pop(0), True
        else:
            return
        worker.distinct = 0
        worker.pipe.send((self.plans[worker.plan].check, options))

    def _next(self, *, is_in_order: bool) -> int | None:
        """A check that nobody has been given, if there is one left."""
        while self._in_order and self._by_size:
            plan = self._in_order.popleft() if is_in_order else self._by_size.pop()
            if plan not in self._given:
                self._given.add(plan)
                return plan
        return None

    def _take(self, worker: Worker) -> Iterator[tuple[int, CheckResult | Exception]]:
        plan = worker.plan
        answer: CheckResult | Exception
        try:
            said = worker.pipe.recv()
        except (EOFError, ConnectionResetError):
            answer = self._lost(worker)
            worker.process, worker.pipe = _started()
        else:
            if isinstance(said, Progress):
                worker.distinct = said.distinct
                return
            answer = said if isinstance(said, Exception) else unpacked(said, self.plans[plan])
        worker.plan = -1
        if not worker.is_alone and _was_short(answer):
            self._again.append(plan)
            return
        self._done += 1
        yield plan, answer

    def _lost(self, worker: Worker) -> Exception:
        worker.process.join()
        code = worker.process.exitcode or 0
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        usual = ": the system may be short of memory" if -code == signal.SIGKILL else ""
        return Refused(
            f"the process that ran the check of {_label(self.plans[worker.plan])} {how}{usual}. "
            "Run it by itself to see more, or everything with --jobs 1",
            UNKNOWN,
        )

    def _told(self, workers: list[Worker]) -> str:
        """`12 of 133 checks; eager 120,000 states, kip_320 4,096 states`."""
        at_work = [
            f"{_label(self.plans[w.plan])} {number(w.distinct)} states"
            for w in workers
            if w.plan >= 0
        ]
        done = f"{self._done} of {counted(len(self.plans), 'check')}"
        return f"{done}; {', '.join(at_work)}" if at_work else done


def _label(plan: Plan) -> str:
    model = plan.machine.model
    name = model.variant or model.name
    return f"{name} + {model.mutant_name}" if model.mutant_name else name


def _size(plan: Plan) -> float:
    """A guess at how large a check is: what is asked in a state, times the bits of a state."""
    machine = plan.machine
    weight = SIZE_WEIGHT_MUTANT if machine.model.mutant_name else 1.0
    bits = sum(place.bits for place in layout_of(machine.leaves).places)
    return weight * len(machine.instances) * bits


def _was_short(answer: CheckResult | Exception) -> bool:
    """Whether more memory could make another answer."""
    if isinstance(answer, CheckResult):
        return answer.stop is Stop.MEMORY
    return isinstance(answer, Refused | MemoryError)


def _physical_memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def _started() -> tuple[SpawnProcess, Connection]:
    """A process that waits for checks, and the pipe to it."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(theirs,), daemon=True)
    # A terminal sends Ctrl-C to all processes.  Ours ends the others, so they begin deaf to it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()
    return process, ours


# -- in the processes ----------------------------------------------------------------------------


def _work(pipe: Connection) -> None:
    """Checks what it is told to, until nobody asks any more."""
    while True:
        try:
            asked, options = pipe.recv()
        except EOFError:
            return
        pipe.send(_answer(pipe, asked, options))


def _answer(pipe: Connection, asked: Check, options: CheckOptions) -> bytes | Exception:
    try:
        plan = plan_of(asked)
        return packed(run_check(plan.machine, options, pipe.send))
    except Exception as error:  # It is raised again where the command runs.
        error.add_note("".join(traceback.format_exception(error)))
        return _that_can_be_sent(error)


def _that_can_be_sent(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


# -- results on their way ------------------------------------------------------------------------


class _Packer(pickle.Pickler):
    """Writes the name of what the other process has itself: the machine, its properties, ids."""

    def persistent_id(self, thing: Any) -> tuple[Any, ...] | None:
        """What stands for a thing, or None if it is written out."""
        match thing:
            case Machine():
                return ("machine",)
            case Property():
                return ("property", thing.name)
            case Id():
                return ("nobody",) if thing is NONE else ("id", type(thing), thing._index)
        return None


class _Unpacker(pickle.Unpickler):
    def __init__(self, data: bytes, plan: Plan) -> None:
        super().__init__(io.BytesIO(data))
        self._plan = plan

    def persistent_load(self, name: tuple[Any, ...]) -> Any:
        """The thing itself."""
        match name:
            case ("machine",):
                return self._plan.machine
            case ("property", property_name):
                return self._plan.machine.model.properties[property_name]
            case ("nobody",):
                return NONE
            case ("id", sort, index):  # Ids are compared by what they are, not by what they hold.
                return sort.numbered(index)
        raise pickle.UnpicklingError(f"{name} stands for nothing")


def packed(result: CheckResult) -> bytes:
    """A result as bytes, without its machine."""
    data = io.BytesIO()
    _Packer(data).dump(result)
    return data.getvalue()


def unpacked(data: bytes, plan: Plan) -> CheckResult:
    """The result, of the machine of a plan."""
    result = _Unpacker(data, plan).load()
    assert isinstance(result, CheckResult)
    return result
