"""Nothing acknowledged is lost by kill -9: ten rounds here, a hundred by `make soak`."""

import os
from pathlib import Path

import pytest


@pytest.mark.heavy
@pytest.mark.interop
def test_ten_kills_under_load_lose_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    pytest.importorskip("confluent_kafka", reason="needs the client of Confluent")
    from soak import run_soak  # noqa: PLC0415 - It needs the client.

    seed = int.from_bytes(os.urandom(4))

    found = run_soak(10, seed, tmp_path)

    assert found == [], f"seed {seed}; data, broker.log and history.jsonl are in {tmp_path}"
