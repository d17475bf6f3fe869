"""The loop around an engine: batches, budgets, progress and checkpoints."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import cast

from .checkpoint import CheckpointFile, Knowledge
from .engines.base import Batch, Engine, Fault, Finding, Problem, Resumable, Rows
from .interrupts import Uninterrupted
from .options import CheckOptions, Progress, Reporter
from .verdicts import Stop


@dataclass
class Search:
    """The loop around an engine, and what it has seen so far."""

    problem: Problem
    engine: Engine
    options: CheckOptions
    report: Reporter | None
    started: float
    checkpoint: CheckpointFile | None = None
    findings: dict[str, Finding] = field(default_factory=dict)
    fault: Fault | None = None
    enabled: dict[int, int] = field(default_factory=dict)
    generated: int = 0
    deadlocks: int = 0
    first_deadlock: int | None = None
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._saved = self.started

    def run(self, switch_states: int | None) -> Stop | None:
        """Visits states until there is a reason to stop, or until there are `switch_states`."""
        if self.generated == 0:
            self.generated = self.engine.distinct
        open_claims = {
            claim.name: None for claim in self.problem.properties if claim.name not in self.findings
        }
        try:
            while self.engine.visited < self.engine.distinct:
                if self.problem.properties and not open_claims:
                    return Stop.SETTLED
                stop = self._over_budget()
                if stop is not None:
                    return stop
                if switch_states is not None and self.engine.distinct > switch_states:
                    return None
                self._save_if_due()
                with Uninterrupted() as interrupted:
                    self._take(self.engine.expand(self.engine.batch_max, list(open_claims)))
                if self.fault is not None:
                    return Stop.SPEC_ERROR
                for name in self.findings:
                    open_claims.pop(name, None)
                if interrupted.was:
                    return Stop.INTERRUPTED
                self._tell()
        except KeyboardInterrupt:
            return Stop.INTERRUPTED
        except MemoryError:
            return Stop.MEMORY
        return Stop.EXHAUSTED

    def _take(self, batch: Batch) -> None:
        for instance, count in batch.enabled.items():
            self.enabled[instance] = self.enabled.get(instance, 0) + count
            self.generated += count
        for finding in batch.findings:
            self.findings.setdefault(finding.name, finding)
        if batch.faults:
            self.fault = min(batch.faults, key=lambda fault: fault.state)
        self.deadlocks += batch.deadlocks
        if self.first_deadlock is None:
            self.first_deadlock = batch.first_deadlock

    def _over_budget(self) -> Stop | None:
        options = self.options
        elapsed = time.perf_counter() - self.started
        if options.max_seconds is not None and elapsed > options.max_seconds:
            return Stop.TIME
        if options.max_states is not None and self.engine.distinct >= options.max_states:
            return Stop.STATES
        limit = options.max_memory_bytes
        if limit is not None and self.engine.memory_bytes > limit:
            return Stop.MEMORY
        return None

    def _tell(self) -> None:
        if self.report is not None:
            engine = self.engine
            self.report(
                Progress(
                    distinct=engine.distinct,
                    generated=self.generated,
                    frontier=engine.distinct - engine.visited,
                    depth=engine.depth,
                    seconds=time.perf_counter() - self.started,
                    memory_bytes=engine.memory_bytes,
                )
            )

    # -- checkpoints -------------------------------------------------------------------------

    def resume(self) -> bool:
        """Takes up the search that the checkpoint holds; False if it holds none yet."""
        assert self.checkpoint is not None
        engine = cast(Resumable, self.engine)
        last: list[Knowledge] = []

        def rows(checkpoint: CheckpointFile) -> Iterator[Rows]:
            for knowledge, part in checkpoint.read():
                last[:] = [knowledge]
                yield part

        parts = rows(self.checkpoint)
        first = next(parts, None)
        if first is None:
            return False
        engine.fill(itertools.chain([first], parts))
        known = last[0]
        engine.go_on(known.visited, known.depth, known.level_end)
        self.generated, self.deadlocks = known.generated, known.deadlocks
        self.first_deadlock = known.first_deadlock
        self.enabled = {int(instance): count for instance, count in known.enabled.items()}
        self.findings = {name: Finding(name, {}, at) for name, at in known.findings.items()}
        return True

    def _save_if_due(self) -> None:
        if self.checkpoint is not None:
            now = time.perf_counter()
            if now - self._saved >= self.options.checkpoint_seconds:
                self.save()

    def save(self) -> None:
        """Writes what is new to the checkpoint; a failure is a warning, and the search goes on."""
        if self.checkpoint is None or self.fault is not None:
            return  # Whoever goes on must meet the error again.
        engine = cast(Resumable, self.engine)
        knowledge = Knowledge(
            visited=engine.visited,
            depth=engine.depth,
            level_end=engine.level_end,
            generated=self.generated,
            enabled={str(instance): count for instance, count in self.enabled.items()},
            findings={name: finding.state for name, finding in self.findings.items()},
            deadlocks=self.deadlocks,
            first_deadlock=self.first_deadlock,
            seconds=time.perf_counter() - self.started,
        )
        try:
            self.checkpoint.append(knowledge, engine.rows_from(self.checkpoint.count))
        except OSError as error:
            said = f"no checkpoint was written to {self.checkpoint.path}: {error.strerror or error}"
            if said not in self.warnings:
                self.warnings.append(said)
        self._saved = time.perf_counter()
