"""`kproof check`: visit every reachable state and judge every property."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import (
    DEFAULT_TRACE_DIR,
    Json,
    MutantName,
    Properties,
    Quiet,
    Settings,
    TraceDir,
    Variant,
    WitnessTraces,
    parse_memory,
)
from .refusals import Refused


def check(  # noqa: PLR0913, PLR0917 - each is an option
    model: Annotated[
        str,
        typer.Argument(
            metavar="[MODEL]",
            help="A model that `kproof list` names, or a Python file; without, the catalogue.",
        ),
    ] = "",
    variant: Variant = "",
    mutant: MutantName = "",
    settings: Settings = None,
    properties: Properties = None,
    no_properties: Annotated[
        bool, typer.Option("--no-properties", help="Only visit and count.")
    ] = False,
    symmetry: Annotated[
        bool,
        typer.Option("--symmetry/--no-symmetry", help="Count states up to renaming of ids."),
    ] = True,
    scope: Annotated[
        str,
        typer.Option(
            "--scope",
            metavar="SIZE",
            help="Of the catalogue: `small` takes seconds, `medium` minutes; `all` is both.",
        ),
    ] = "",
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="NAME",
            help="`auto` takes the fastest there is; an unknown name lists them.",
        ),
    ] = "auto",
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="Threads of one search.")
    ] = 1,
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            metavar="N",
            min=1,
            help="Checks of the catalogue side by side; without, as many as there are cores.",
        ),
    ] = None,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", metavar="S", min=0, help="Stop after this.")
    ] = None,
    max_memory: Annotated[
        str | None, typer.Option("--max-memory", metavar="SIZE", help="Stop at this, as 2G.")
    ] = None,
    max_states: Annotated[
        int | None, typer.Option("--max-states", metavar="N", min=1, help="Stop at this many.")
    ] = None,
    checkpoint: Annotated[
        Path | None,
        typer.Option(
            "--checkpoint",
            metavar="FILE",
            help="Save the search to this file, and go on from it if it is there.",
        ),
    ] = None,
    profile: Annotated[
        bool, typer.Option("--profile", help="Tell where time and paths go, by action.")
    ] = False,
    as_json: Json = False,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML.")
    ] = None,
    sarif: Annotated[
        Path | None, typer.Option("--sarif", metavar="FILE", help="Write SARIF 2.1.0.")
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Print GitHub annotations at the source lines.")
    ] = False,
    trace_dir: TraceDir = DEFAULT_TRACE_DIR,
    witness_traces: WitnessTraces = False,
    quiet: Quiet = False,
) -> int:
    """Visit every reachable state of a model, or of the whole catalogue.

    Exit code: 0 all good, or all as the catalogue expects; 1 violated, unreachable or not as
    expected; 2 usage, or a file that cannot be written; 3 unknown or a budget used up; 4 the
    specification is in error.
    """
    _refuse_what_does_not_fit(
        model,
        variant or mutant or settings or properties or checkpoint or profile,
        properties,
        no_properties,
        engine,
        scope,
        jobs,
    )
    from ..options import CheckOptions
    from .check_runs import Report, run_catalogue, run_one
    from .jobs import usable_cores
    from .plans import Plan, catalogue
    from .subjects import choose_properties, load_machine, source_of

    report = Report(
        is_json=as_json,
        is_quiet=quiet,
        junit=junit,
        sarif=sarif,
        is_github=github,
        trace_dir=trace_dir,
        witness_traces=witness_traces,
    )
    memory = parse_memory(max_memory)

    def options(chosen: tuple[str, ...] | None) -> CheckOptions:
        return CheckOptions(
            engine=engine,
            workers=workers,
            symmetry=symmetry,
            properties=chosen,
            max_seconds=max_seconds,
            max_memory_bytes=memory,
            max_states=max_states,
            checkpoint=checkpoint,
            profile=profile,
        )

    if not model:
        count = jobs or max(1, usable_cores() // workers)
        return run_catalogue(catalogue(scope or "small"), options(None), report, count)
    machine = load_machine(model, variant, mutant, settings)
    chosen = () if no_properties else choose_properties(machine, properties)
    return run_one(Plan(machine, source=source_of(model)), options(chosen), report)


def _refuse_what_does_not_fit(  # noqa: PLR0917 - options again
    model: str,
    narrowing: object,
    properties: object,
    no_properties: bool,
    engine: str,
    scope: str,
    jobs: int | None,
) -> None:
    if not model and (narrowing or no_properties):
        raise Refused(
            "--variant, --mutant, --set, --property, --no-properties, --checkpoint and --profile "
            "say how to check one model, and none was named. Name it, as in "
            "`kproof check replication`"
        )
    if model and scope:
        raise Refused(
            "--scope chooses among the catalogue's checks; the scope of one model is given by "
            "--set NAME=VALUE"
        )
    if model and jobs:
        raise Refused(
            "--jobs says how many checks of the catalogue run side by side; --workers says how "
            "many threads one search has"
        )
    if properties and no_properties:
        raise Refused("--property and --no-properties exclude each other: give one of them")
    from ..check import ENGINES

    if engine not in ENGINES:
        raise Refused(f"there is no engine {engine}: expected one of {', '.join(ENGINES)}")
