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

from ..extraction.extract import Extracted, extract
from ..options import CheckOptions
from ..trust import compare
from .base import Engine, Problem

ENGINES = ("auto", "llvm", "numpy", "python")
SWITCH_STATES = 200_000
"""From so many states on, compiling costs less than going on with NumPy (see bench/crossing.py)."""


def has_llvm() -> bool:
    """Whether llvmlite can be imported here."""
    return importlib.util.find_spec("llvmlite") is not None


class Choice:
    """The engine of a check, and the one to go over to if the scope is large."""

    def __init__(self, problem: Problem, options: CheckOptions, warnings: list[str]) -> None:
        if options.engine not in ENGINES:
            raise ValueError(
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
        if options.engine == "llvm" and not has_llvm():
            raise ValueError("engine llvm needs the package llvmlite, which cannot be imported")
        if options.checkpoint is not None and options.engine == "python":
            raise ValueError("engine python keeps no checkpoints: use --engine llvm or numpy")
        is_auto = options.engine == "auto"
        self.may_switch = is_auto and has_llvm() and options.checkpoint is None
        """Whether `larger` is there for scopes of more than `SWITCH_STATES`."""
        if is_auto and not has_llvm():
            warnings.append("llvmlite cannot be imported: engine numpy is used, which is slower")
        if options.workers > 1 and options.engine in ("numpy", "python"):
            warnings.append(f"engine {options.engine} works on one core: --workers has no effect")

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
            case "auto" if has_llvm() and self.options.checkpoint is not None:
                # Whoever wants a checkpoint expects a long search, and its states are one engine's.
                return self.larger()
        from .numpy_engine import NumpyEngine

        assert self.extracted is not None
        return NumpyEngine(self.problem, self.extracted)

    def without_symmetry(self) -> Engine:
        """A NumPy engine that visits every state for itself."""
        from .numpy_engine import NumpyEngine

        assert self.extracted is not None
        return NumpyEngine(replace(self.problem, symmetry=None), self.extracted)

    def larger(self) -> Engine:
        """The native engine."""
        from .native.llvm_engine import LlvmEngine

        assert self.extracted is not None
        with self._timed("compilation"):
            return LlvmEngine(
                self.problem,
                self.extracted,
                workers=self.options.workers,
                max_memory_bytes=self.options.max_memory_bytes,
            )
