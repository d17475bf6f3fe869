"""Machines, and what they are in TLA+."""

from pathlib import Path
from typing import Any

from kproof_checker.extraction.extract import extract
from kproof_checker.models import find_model
from kproof_checker.tla import Exported, export
from kproof_spec.lang import Machine

TUTORIAL = str(Path(__file__).resolve().parents[2] / "examples" / "two_phase_commit.py")


def closed(name: str, variant: str = "", mutant: str = "", **constants: int) -> Machine[Any]:
    """A model of the catalogue, or the tutorial's, in a scope."""
    model = find_model(TUTORIAL if name == "tutorial" else name, variant, mutant)
    return model.closed(**constants)


def exported(machine: Machine[Any], *, symmetry: bool = False) -> Exported:
    """A machine in TLA+, with all of its properties that can be searched for."""
    claims = [c for c in machine.model.properties.values() if not c.kind.is_liveness]
    return export(machine, extract(machine, claims), symmetry=symmetry)


def definition(text: str, name: str) -> str:
    """The definition of an operator, up to the next empty line."""
    lines = text.split("\n")
    start = next(i for i, line in enumerate(lines) if line.startswith((f"{name}(", f"{name} ==")))
    end = next(i for i in range(start, len(lines)) if not lines[i])
    return "\n".join(lines[start:end])
