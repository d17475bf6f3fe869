"""`kproof why-not`: why an action is not possible in a state."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .arguments import ModelName, MutantName, Settings, Variant, parse_parameters

if TYPE_CHECKING:
    from kproof_spec.lang import Machine


def why_not(  # noqa: PLR0917 - each is an option
    model: ModelName,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="The action to ask about.")],
    parameters: Annotated[
        list[str] | None,
        typer.Option(
            "--param", metavar="NAME=VALUE", help="A parameter, as leader=b0. Repeatable."
        ),
    ] = None,
    trace: Annotated[
        Path | None, typer.Option("--trace", metavar="FILE", help="Ask in a state of this trace.")
    ] = None,
    state: Annotated[
        int | None,
        typer.Option("--state", metavar="N", help="Which: 1 is the initial one; the last if left."),
    ] = None,
    variant: Variant = "",
    mutant: MutantName = "",
    settings: Settings = None,
) -> int:
    """Say which condition of an action fails: its line and the values, in one state.

    Without --trace the state is the initial one.
    """
    from kproof_spec.lang import SpecError

    from ..why_not import why_not as ask
    from .refusals import SPEC_ERROR, Refused, no_such

    if trace is None:
        if state is not None:
            raise Refused("--state counts the states of a trace: name it with --trace FILE")
        machine, codes, where = _initial(model, variant, mutant, settings)
    else:
        if settings:
            raise Refused("--set and --trace exclude each other: a trace brings its own scope")
        machine, codes, where = _of_trace(model, variant, mutant, trace, state)
    definition = machine.model.actions.get(action)
    if definition is None:
        raise no_such("action", action, machine.model.actions, repr(machine.model))
    arguments = parse_parameters(machine, definition, parameters)
    try:
        refusal = ask(machine, codes, definition, arguments)
    except SpecError as error:
        raise Refused(
            f"{action}, {where}: the specification is in error: {error}", SPEC_ERROR
        ) from (error)
    from kproof_spec.lang.keys import shown_arguments

    where = where[:1].upper() + where[1:]
    if refusal is None:
        typer.echo(f"{where}: {action}({shown_arguments(arguments)}) is possible.")
    else:
        typer.echo(f"{where}: {refusal}")
    return 0


def _initial(
    model: str, variant: str, mutant: str, settings: list[str] | None
) -> tuple[Machine[Any], tuple[int, ...], str]:
    from .refusals import Refused
    from .subjects import load_machine

    machine = load_machine(model, variant, mutant, settings)
    initial = machine.initial_codes()
    if not initial:
        raise Refused(f"{machine!r} has no initial state: give another scope with --set")
    which = "in the initial state" if len(initial) == 1 else "in the first initial state"
    return machine, initial[0], which


def _of_trace(
    model: str, variant: str, mutant: str, path: Path, state: int | None
) -> tuple[Machine[Any], tuple[int, ...], str]:
    from .refusals import Refused
    from .subjects import load_family
    from .trace_files import load_trace

    machine, trace = load_trace(path)
    own = machine.model
    wanted = load_family(model)
    if own.name != wanted.variant().name:
        raise Refused(f"{path} is a trace of model {own.name}, not of {model}: name that model")
    for what, asked, there in (
        ("variant", variant, own.variant),
        ("mutant", mutant, own.mutant_name),
    ):
        if asked and asked != there:
            raise Refused(
                f"{path} is a trace of {own!r}, not of {what} {asked}: leave out --{what}"
            )
    chosen = trace.length if state is None else state
    if not 1 <= chosen <= trace.length:
        raise Refused(f"--state {chosen}: {path} has the states 1 to {trace.length}")
    return machine, trace.states[chosen - 1], f"in state {chosen} of {path}"
