"""The page on properties: it forgets none of those that were asked for, and names what exists."""

import re
from pathlib import Path

import pytest

from kproof_spec.catalog import MODELS

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "properties.md").read_text(encoding="utf-8")
WRITTEN = PAGE.split("## Every property")[0]
CODE = re.compile(r"`([a-z]+(?:_[a-z0-9]+)+)`")
NOT_OURS = {"kip_320", "async_isr", "require_stable"}
"""Names of variants, a model and a field of Kafka's."""

NUMBERS = {"L": 10, "PT": 6, "RT": 6, "CP": 9, "R": 16, "RL": 8, "C": 10, "GR": 13, "CC": 7}


def numbers_told() -> set[str]:
    """Every number that the hand-written part speaks of; `A1 to A4` are four."""
    said = set(re.findall(r"\b[A-Z]+\d+'?(?!\w)", WRITTEN))
    for first, low, last, high in re.findall(r"\b([A-Z]+)(\d+) to ([A-Z]+)(\d+)\b", WRITTEN):
        assert first == last
        said |= {f"{first}{number}" for number in range(int(low), int(high) + 1)}
    return said


@pytest.mark.parametrize(("letters", "count"), NUMBERS.items())
def test_no_number_of_the_list_is_passed_over(letters: str, count: int) -> None:
    asked = {f"{letters}{number}" for number in range(1, count + 1)}

    assert asked - numbers_told() == set()


def test_the_properties_and_mutants_that_the_page_names_exist() -> None:
    models = [model for entry in MODELS.values() for model in entry.variants.values()]
    known = {name for model in models for name in (*model.properties, *model.mutants)}

    assert set(CODE.findall(WRITTEN)) - known - NOT_OURS == set()
