"""Which engine a check runs on.

`auto` begins with NumPy, which is ready at once, and goes over to the native engine where the scope
turns out to be larger than what compiling costs.  It says which engine gave the answer.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from kproof_spec.lang import ScopeError

from ..equivariance import check_symmetry
from ..extraction.extract import Extracted, extract
from ..options import CheckOptions
from ..trust import compare
from .base import Engine, EngineRefused, Problem

ENGINES = ("auto", "llvm", "numpy", "python")
SWITCH_STATES = 150_000
SWITCH_STATES_A_QUESTION = 600
"""From so many states on, compiling costs less than going on with NumPy (see bench/crossing.py).

What compiling costs goes with the number of questions in the decision DAGs.
"""


def has_llvm() -> bool:
    """Whether llvmlite can be imported here."""
    return importlib.util.find_spec("llvmlite") is not None


class Choice:
    """The engine of a check, and the one to go over to if the scope is large."""

    def __init__(self, problem: Problem, options: CheckOptions, warnings: list[str]) -> None:
        if options.engine not in ENGINES:
            raise EngineRefused(
                f"no engine is called {options.engine}: there are {', '.join(ENGINES)}"
            )
        if not problem.machine.initial_codes():
            raise ScopeError(f"{problem.machine!r} has no initial state: init refuses every choice")
        self.problem, self.options, self.warnings = problem, options, warnings
        self.extracted: Extracted | None = None
        self.phases: dict[str, float] = {}
        """Seconds that went into getting ready, by what for."""
        if options.engine != "python":
            with self._timed("extraction"):
                self.extracted = extract(problem.machine, problem.properties)
            if options.sample_seconds > 0:
                with self._timed("comparison with CPython"):
                    compare(self.extracted, seed=0, max_seconds=options.sample_seconds)
        if problem.symmetry is not None and options.sample_seconds > 0:
            with self._timed("test of symmetry"):
                seconds = options.sample_seconds / 2
                check_symmetry(problem.machine, seed=0, max_seconds=seconds)
        if options.engine == "llvm" and not has_llvm():
            raise EngineRefused("engine llvm needs the package llvmlite, which cannot be imported")
        if options.checkpoint is not None and options.engine == "python":
            raise EngineRefused("engine python keeps no checkpoints: use --engine llvm or numpy")
        is_auto = options.engine == "auto"
        self.may_switch = is_auto and options.checkpoint is None and self._can_be_native()
        """Whether `larger` is there for scopes of more than `switch_states`."""
        if is_auto and not has_llvm():
            warnings.append("llvmlite cannot be imported: engine numpy is used, which is slower")
        if options.workers > 1 and options.engine in ("numpy", "python"):
            warnings.append(f"engine {options.engine} works on one core: --workers has no effect")

    def _can_be_native(self) -> bool:
        if not has_llvm():
            return False
        from .native.llvm_engine import objection

        return not objection(self.problem)

    @property
    def switch_states(self) -> int | None:
        """From how many states on the native engine takes over; None if it never does."""
        if not self.may_switch or self.extracted is None:
            return None
        return max(SWITCH_STATES, self.extracted.questions * SWITCH_STATES_A_QUESTION)

    @contextmanager
    def _timed(self, phase: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.phases[phase] = self.phases.get(phase, 0.0) + time.perf_counter() - started

    def first(self) -> Engine:
        """The engine to begin with."""
        match self.options.engine:
            case "python":
                from .python_engine import PythonEngine

                return PythonEngine(self.problem)
            case "llvm":
                return self.larger()
            case "auto" if self.options.checkpoint is not None and self._can_be_native():
                # Whoever wants a checkpoint expects a long search, and its states are one engine's.
                return self.larger()
        from .numpy_engine import NumpyEngine

        assert self.extracted is not None
        return NumpyEngine(self.problem, self.extracted)

    def without_symmetry(self) -> Engine:
        """A NumPy engine that visits every state for itself, and judges nothing."""
        from .numpy_engine import NumpyEngine

        assert self.extracted is not None
        return NumpyEngine(self.bare, self.extracted)

    @property
    def bare(self) -> Problem:
        """The machine alone: no symmetry and no properties."""
        return replace(self.problem, properties=(), symmetry=None)

    def larger_without_symmetry(self) -> Engine:
        """The native engine that does so."""
        return self._native(self.bare)

    def larger(self) -> Engine:
        """The native engine."""
        return self._native(self.problem)

    def _native(self, problem: Problem) -> Engine:
        from .native.llvm_engine import LlvmEngine

        assert self.extracted is not None
        try:
            with self._timed("compilation"):
                return LlvmEngine(
                    problem,
                    self.extracted,
                    workers=self.options.workers,
                    max_memory_bytes=self.options.max_memory_bytes,
                )
        except MemoryError as error:
            raise EngineRefused(
                "engine llvm cannot get the memory to begin with: allow more with --max-memory, "
                "use fewer --workers, or use --engine numpy"
            ) from error
