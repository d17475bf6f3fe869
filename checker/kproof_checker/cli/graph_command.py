"""`kproof graph`: the states and steps of a small scope, drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import ModelName, MutantName, Settings, Variant


def graph(  # noqa: PLR0917 - each is an option
    model: ModelName,
    variant: Variant = "",
    mutant: MutantName = "",
    settings: Settings = None,
    dot: Annotated[
        Path | None, typer.Option("--dot", metavar="FILE", help="Write Graphviz DOT.")
    ] = None,
    svg: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="Write a drawing.")
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="States at most.")
    ] = 2000,
) -> int:
    """Draw the state graph of a small scope. Without --dot or --svg, DOT is printed."""
    from kproof_spec.lang import SpecError

    from ..graph import TooLarge, state_graph, to_dot, to_svg
    from ..reports.files import CannotWrite, write_report
    from ..reports.wording import counted
    from .refusals import SPEC_ERROR, Refused
    from .subjects import load_machine

    machine = load_machine(model, variant, mutant, settings)
    try:
        found = state_graph(machine, limit=limit)
    except TooLarge as error:
        raise Refused(str(error)) from error
    except SpecError as error:
        raise Refused(f"{machine!r}: the specification is in error: {error}", SPEC_ERROR) from error
    if dot is None and svg is None:
        typer.echo(to_dot(found).rstrip("\n"))
        return 0
    try:
        if dot is not None:
            write_report(dot, to_dot(found))
        if svg is not None:
            write_report(svg, to_svg(found))
    except CannotWrite as error:
        raise Refused(str(error)) from error
    steps = counted(found.number_of_edges(), "step")
    written = " and ".join(str(path) for path in (dot, svg) if path is not None)
    typer.echo(f"{counted(found.number_of_nodes(), 'state')}, {steps}: {written}")
    return 0
