"""Reading a trace that a user names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from .refusals import SPEC_ERROR, Refused

if TYPE_CHECKING:
    from kproof_spec.lang import Machine

    from ..traces.trace import Trace


def load_trace(path: Path) -> tuple[Machine[Any], Trace]:
    """The machine and the trace; warns if it was made by another version of the specification."""
    from kproof_spec.lang import ScopeError, SpecError

    from ..models import UnknownModel
    from ..spec_hash import spec_hash
    from ..traces.itf import UnreadableTrace, read_trace

    if path.is_dir():
        raise Refused(
            f"{path} is a folder: expected a trace, a file that ends in .itf.json. "
            f"For all of a folder: kproof replay {path}/*.itf.json"
        )
    try:
        machine, trace = read_trace(path)
    except (UnreadableTrace, UnknownModel, ScopeError) as error:
        text = str(error)
        raise Refused(text if str(path) in text else f"{path}: {text}") from error
    except SpecError as error:
        raise Refused(f"{path}: {error}", SPEC_ERROR) from error
    except OSError as error:
        raise Refused(f"{path} cannot be read: {error.strerror}") from error
    if trace.spec_hash != spec_hash(machine.model):
        typer.echo(
            f"warning: {path} was made by another version of {machine.model!r}: the steps are "
            "tried on the specification as it is now. If they no longer fit, check again: "
            f"kproof check {machine.model.name}",
            err=True,
        )
    return machine, trace
