"""`kproof export`: a model as text for another checker, which is then an outside oracle."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .arguments import ModelName, MutantName, Properties, Settings, Variant


def export(  # noqa: PLR0917 - each is an option
    model: ModelName,
    tla: Annotated[
        bool, typer.Option("--tla", help="As TLA+, for TLC. The only form yet.")
    ] = False,
    variant: Variant = "",
    mutant: MutantName = "",
    settings: Settings = None,
    properties: Properties = None,
    symmetry: Annotated[
        bool,
        typer.Option(
            "--symmetry", help="Make TLC count states up to renaming of the symmetric ids."
        ),
    ] = False,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where the two files are written.")
    ] = Path("."),
) -> int:
    """Write a model as a TLA+ module and its configuration, MODEL_VARIANT.tla and .cfg."""
    from kproof_spec.lang import PropertyKind, SpecError

    from ..extraction.extract import extract
    from ..reports.wording import near, subject
    from ..tla import export as written
    from ..traces.files import CannotWrite, write_text
    from .refusals import SPEC_ERROR, Refused
    from .subjects import choose_properties, load_machine

    if not tla:
        raise Refused("say in which form: kproof export MODEL --tla")
    machine = load_machine(model, variant, mutant, settings)
    chosen = choose_properties(machine, properties)
    searched = (PropertyKind.INVARIANT, PropertyKind.SOMETIMES)
    claims = [
        claim
        for claim in machine.model.properties.values()
        if claim.kind in searched and (chosen is None or claim.name in chosen)
    ]
    try:
        if not machine.initial_codes():
            raise Refused(f"{machine!r} has no initial state: give another scope with --set")
        found = written(machine, extract(machine, claims), symmetry=symmetry, version=_version())
    except SpecError as error:
        raise Refused(
            f"{subject(machine)}: the specification is in error: {error}", SPEC_ERROR
        ) from error
    if out.exists() and not out.is_dir():
        raise Refused(f"--out {out} is a file: expected a folder, which is made if need be")
    try:
        write_text(out / f"{found.name}.tla", found.tla)
        write_text(out / f"{found.name}.cfg", found.cfg)
    except CannotWrite as error:
        raise Refused(str(error)) from error
    module = near(str(out / f"{found.name}.tla"))
    typer.echo(f"Written: {module} and {found.name}.cfg beside it.")
    typer.echo(f"Check them with: java -cp tla2tools.jar tlc2.TLC {module}")
    return 0


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("kproof")
    except PackageNotFoundError:
        return ""
