"""`kproof explain`: a trace told as a story: who did what, what changed, which clause broke."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def explain(
    trace: Annotated[Path, typer.Argument(metavar="TRACE", help="A file that ends in .itf.json.")],
) -> int:
    """Tell a trace step by step: who did what, what changed, and which clause broke."""
    from kproof_spec.lang import SpecError

    from ..traces.explain import explain as explained
    from .refusals import Refused
    from .trace_files import load_trace

    machine, loaded = load_trace(trace)
    try:
        text = explained(machine, loaded)
    except (ValueError, SpecError) as error:
        raise Refused(
            f"{trace} cannot be explained: {error}. See where it fails: kproof replay {trace}"
        ) from error
    typer.echo(text.rstrip("\n"))
    return 0
