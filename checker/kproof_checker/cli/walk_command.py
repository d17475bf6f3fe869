"""`kproof walk`: random walks, for what is too large to exhaust."""

from __future__ import annotations

from typing import Annotated

import typer

from .arguments import (
    DEFAULT_TRACE_DIR,
    Json,
    ModelName,
    MutantName,
    Properties,
    Quiet,
    Settings,
    TraceDir,
    Variant,
    WitnessTraces,
)


def walk(  # noqa: PLR0913, PLR0917 - each is an option
    model: ModelName,
    variant: Variant = "",
    mutant: MutantName = "",
    settings: Settings = None,
    properties: Properties = None,
    walks: Annotated[int, typer.Option("--walks", metavar="N", min=1, help="How many.")] = 200,
    depth: Annotated[
        int, typer.Option("--depth", metavar="N", min=1, help="Steps of each at most.")
    ] = 100,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", help="The same seed gives the same walks.")
    ] = 0,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", metavar="S", min=0, help="Stop after this.")
    ] = None,
    as_json: Json = False,
    trace_dir: TraceDir = DEFAULT_TRACE_DIR,
    witness_traces: WitnessTraces = False,
    quiet: Quiet = False,
) -> int:
    """Follow random runs of a model and judge every state they meet.

    Walks find faults; they never show that there is none. Exit code: 0 nothing wrong was seen,
    1 violated, 3 cut short, or a witness that was asked for by name was not met, 4 the
    specification is in error.
    """
    from kproof_spec.lang import ScopeError, SpecError

    from ..options import Reporter
    from ..reports.files import TraceFolder
    from ..reports.outcome import Outcome, failed_before_search
    from ..reports.progress import ProgressLine
    from ..walk import walk as take_walks
    from .check_runs import Report, tell_one
    from .refusals import Refused
    from .subjects import choose_properties, load_machine, source_of

    machine = load_machine(model, variant, mutant, settings)
    chosen = choose_properties(machine, properties)
    progress = ProgressLine("walks")
    reporter: Reporter | None = None if quiet else progress
    try:
        result = take_walks(
            machine,
            walks=walks,
            depth=depth,
            seed=seed,
            properties=chosen,
            max_seconds=max_seconds,
            report=reporter,
        )
    except SpecError as error:
        result = failed_before_search(machine, error, "walk")
    except ScopeError as error:
        raise Refused(f"{machine.model!r}: {error}") from error
    finally:
        progress.close()
    traces = TraceFolder(trace_dir, witnesses=witness_traces, source=source_of(model))
    outcome = Outcome(result, traces=traces.save(result), asked=chosen or (), walks=walks)
    report = Report(is_json=as_json, is_quiet=quiet, trace_dir=trace_dir)
    return tell_one(outcome, report, traces)
