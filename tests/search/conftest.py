"""What tests of searches may ask for."""

import pytest

from kproof_checker.engines.native import llvm_engine
from kproof_checker.engines.numpy_engine import NumpyEngine


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets a batch be few states, so that there are many moments to stop."""
    monkeypatch.setattr(NumpyEngine, "batch_max", 40)
    monkeypatch.setattr(llvm_engine, "BATCH_MIN", 60)
