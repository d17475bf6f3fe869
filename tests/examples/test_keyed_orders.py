"""The story of the orders runs and is as it should be; and its checks find what they are for."""

import subprocess
import sys
from importlib import util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "orders" / "keyed_orders.py"
ORDERS = ["order-1"]

pytest.importorskip("confluent_kafka", reason="the story is told with Confluent's client")


@pytest.fixture(scope="module")
def story() -> ModuleType:
    """The script as a module."""
    spec = util.spec_from_file_location("keyed_orders", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.heavy
@pytest.mark.interop
def test_three_share_the_partitions_one_is_killed_and_nothing_is_lost_or_out_of_order() -> None:
    done = subprocess.run(
        [sys.executable, str(SCRIPT)], capture_output=True, text=True, timeout=120, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "kill -9" in done.stdout
    assert "in this order, in both groups" in done.stdout


def test_orders_whose_events_come_in_order_are_as_they_should_be(story: ModuleType) -> None:
    events = [story.Event(0, at, "order-1", step) for at, step in enumerate(story.STEPS)]

    assert story.disorders("group", events, ORDERS) == []
    assert story.disorders("group", [*events, events[1]], ORDERS) == []


def test_an_order_that_is_shipped_before_it_is_paid_is_found(story: ModuleType) -> None:
    steps = ("created", "shipped", "paid", "delivered")
    events = [story.Event(0, at, "order-1", step) for at, step in enumerate(steps)]

    assert "came as ['created', 'shipped'" in story.disorders("group", events, ORDERS)[0]


def test_an_order_that_lacks_an_event_is_found(story: ModuleType) -> None:
    events = [story.Event(0, 0, "order-1", "created")]

    assert story.disorders("group", events, ORDERS) != []


def test_an_order_in_two_partitions_is_found(story: ModuleType) -> None:
    events = [story.Event(at % 2, at, "order-1", step) for at, step in enumerate(story.STEPS)]

    assert "is in partitions [0, 1]" in story.disorders("group", events, ORDERS)[0]


def test_an_event_is_handled_twice_only_if_it_was_not_committed(story: ModuleType) -> None:
    events = [story.Event(0, at, "order-1", step) for at, step in enumerate(story.STEPS)]
    lost = SimpleNamespace(handled=events[:3], committed={0: 2}, uncommitted=set())
    heir = SimpleNamespace(handled=events[2:], committed={0: 4}, uncommitted=set())
    greedy = SimpleNamespace(handled=events[1:], committed={0: 4}, uncommitted=set())

    assert story.repeats([lost, heir], lost) == (1, [])
    assert story.repeats([lost, greedy], lost) == (
        2,
        ["partition 0 offset 1 was committed, and handled 2 times"],
    )
