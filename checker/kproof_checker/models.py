"""Finding the model that a user names: one of the catalogue, or one in a file of their own."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kproof_spec.lang import Model


class UnknownModel(ValueError):
    """No such model, variant or mutant; the message lists what there is."""


@dataclass(frozen=True)
class Family:
    """A model with its variants.  A model without variants has one, named like the model."""

    name: str
    title: str
    variants: dict[str, Model[Any]]
    default: str
    """The variant that is checked when none is named: the correct protocol."""

    def variant(self, name: str = "") -> Model[Any]:
        """The variant with this name, or the default; an `UnknownModel` error lists them."""
        wanted = name or self.default
        if wanted not in self.variants:
            raise UnknownModel(
                f"model {self.name} has no variant {wanted}: it has {', '.join(self.variants)}"
            )
        return self.variants[wanted]


def families() -> dict[str, Family]:
    """The models of the catalogue, by name."""
    from kproof_spec.catalog import MODELS

    return {
        name: Family(name, entry.title, dict(entry.variants), entry.default)
        for name, entry in MODELS.items()
    }


def find_family(name: str) -> Family:
    """The family called `name`: a model of the catalogue, or a path to a file that has a `model`.

    A file may hold several models, as `model` or in a list `models`.
    """
    if name.endswith(".py") or "/" in name:
        return _from_file(Path(name))
    known = families()
    if name not in known:
        raise UnknownModel(
            f"no model is called {name}: there are {', '.join(known)}. "
            "A model of your own is named by its file, as in examples/two_phase_commit.py"
        )
    return known[name]


def find_model(name: str, variant: str = "", mutant: str = "") -> Model[Any]:
    """The model named by the user, with a variant or mutant of it if one is named."""
    model = find_family(name).variant(variant)
    if mutant:
        if mutant not in model.mutants:
            known = ", ".join(model.mutants) or "none"
            raise UnknownModel(f"{model!r} has no mutant {mutant}: it has {known}")
        model = model.mutated(mutant)
    return model


def _from_file(path: Path) -> Family:
    if not path.is_file():
        raise UnknownModel(f"there is no file {path}: expected a Python file that has a `model`")
    name = f"kproof_model_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UnknownModel(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise UnknownModel(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    found = [*getattr(module, "models", []), getattr(module, "model", None)]
    models = [m for m in found if isinstance(m, Model)]
    if not models:
        raise UnknownModel(f"{path} has no model: expected a variable `model` of type Model")
    variants = {m.variant or m.name: m for m in models}
    return Family(str(path), models[-1].title, variants, next(reversed(variants)))
