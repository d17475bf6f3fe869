"""Liveness where the graph is large: on the native engine's edges it is as on NumPy's."""

from typing import Any

import pytest

from kproof_checker.check import check
from kproof_checker.engines import choice
from kproof_checker.options import CheckOptions
from kproof_spec.group import settling as group
from kproof_spec.group import settling_claims as _claims  # noqa: F401 - the model's properties
from kproof_spec.lang import Machine, Model
from kproof_spec.replication import settling as replication
from kproof_spec.replication import settling_claims as _more  # noqa: F401 - the same

MODELS: dict[str, Model[Any]] = {"group": group.model, "replication": replication.model}
CASES = [(name, mutant) for name, model in MODELS.items() for mutant in ["", *model.mutants]]


def machine(name: str, mutant: str) -> Machine[Any]:
    """A model, or a mutant of it, in a scope that shows what it breaks."""
    model = MODELS[name]
    if mutant:
        return model.mutated(mutant).closed(**model.mutants[mutant].scope)
    scope = {"replicas": 2, "log_size": 1, "max_records": 1} if name == "replication" else {}
    return model.closed(**scope)


@pytest.mark.parametrize(("name", "mutant"), CASES)
def test_the_native_engines_edges_give_the_same_verdicts(
    name: str, mutant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("llvmlite")
    subject = machine(name, mutant)
    by_numpy = check(subject, CheckOptions(engine="numpy", sample_seconds=0))
    monkeypatch.setattr(choice, "SWITCH_STATES", 0)
    monkeypatch.setattr(choice, "SWITCH_STATES_A_QUESTION", 0)

    by_native = check(subject, CheckOptions(sample_seconds=0))

    assert by_native.engine == "llvm"
    for claim, found in by_native.properties.items():
        other = by_numpy.properties[claim]
        assert found.verdict is other.verdict
        if found.trace is not None and not found.claim.kind.is_liveness:
            assert other.trace is not None
            assert found.trace.length == other.trace.length
    lively = [p for p in by_native.properties.values() if p.claim.kind.is_liveness]
    assert lively
