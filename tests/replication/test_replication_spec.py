"""The replication models say something: witnesses are reached, mutants are caught, runs go on."""

from typing import Any

import pytest

from kproof_spec.catalog import MODELS
from kproof_spec.lang import Machine, Model, PropertyKind, Struct
from kproof_spec.replication.checks import CHECKS, ENTRIES
from kproof_spec.replication.state import ReplicaId
from replication.oracle import explore

VARIANTS = MODELS["replication"].variants
KIP_320 = VARIANTS["kip_320"]
ASYNC_ISR = MODELS["async_isr"].variants["async_isr"]

TINY = {"replicas": 2, "log_size": 1, "max_records": 1, "max_leader_epoch": 1}

Step = tuple[str, dict[str, Any]]


def names(model: Model[Any], kind: PropertyKind) -> tuple[str, ...]:
    """The properties of one kind."""
    return tuple(claim.name for claim in model.properties.values() if claim.kind is kind)


def run(machine: Machine[Any], steps: list[Step]) -> tuple[Struct, int]:
    """Takes steps until one is refused: the state then, and how many were taken."""
    state = machine.initial_state()
    for i, (action, arguments) in enumerate(steps):
        if not machine.step(state, action, **arguments):
            return state, i
    return state, len(steps)


# Witnesses


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_witness_is_reached_in_every_variant_of_two_replicas(variant: str) -> None:
    machine = VARIANTS[variant].closed(**TINY)
    witnesses = names(machine.model, PropertyKind.SOMETIMES)

    assert set(explore(machine, properties=witnesses).found) == set(witnesses)


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_action_of_every_variant_happens(variant: str) -> None:
    machine = VARIANTS[variant].closed(**{**TINY, "max_records": 2})

    assert [name for name, times in explore(machine).actions.items() if times == 0] == []


def test_every_witness_and_action_of_async_isr_is_reached() -> None:
    machine = ASYNC_ISR.closed(replicas=2, max_offset=1, max_version=2)
    witnesses = names(ASYNC_ISR, PropertyKind.SOMETIMES)

    seen = explore(machine, properties=witnesses)

    assert set(seen.found) == set(witnesses)
    assert 0 not in seen.actions.values()


# Mutants


@pytest.mark.parametrize("model", [KIP_320, ASYNC_ISR], ids=str)
def test_every_invariant_has_a_mutant_that_is_there_to_break_it(model: Model[Any]) -> None:
    assert {m.breaks for m in model.mutants.values()} == {*names(model, PropertyKind.INVARIANT)}


@pytest.mark.parametrize(
    ("model", "mutant", "length"),
    [
        (KIP_320, "controller_shrink_isr_and_keep_leader", 3),
        (KIP_320, "is_leader_by_its_own_word", 5),
        (KIP_320, "controller_elect_leader_unclean", 7),
        (KIP_320, "leader_raise_high_watermark_by_offset", 8),
        (KIP_320, "end_of_shorter_log", 9),
        (KIP_320, "become_leader_of_any_epoch", 6),
        pytest.param(KIP_320, "leader_expand_isr_at_once", 12, marks=pytest.mark.heavy),
        pytest.param(KIP_320, "is_following_any_epoch", 13, marks=pytest.mark.slow),
        (ASYNC_ISR, "high_watermark_over_the_known_isr", 6),
    ],
)
def test_a_mutant_breaks_its_invariant(model: Model[Any], mutant: str, length: int) -> None:
    wrong = model.mutated(mutant)
    broken = model.mutants[mutant].breaks
    machine = wrong.closed(**model.mutants[mutant].scope)

    seen = explore(machine, properties=(broken,), until_found=True)

    assert seen.found == {broken: length}


def test_kip320_a_follower_may_not_truncate_against_a_leader_that_does_not_lead_yet() -> None:
    mutant = "become_follower_of_whoever_is_named"
    scope = KIP_320.mutants[mutant].scope
    steps: list[Step] = [
        ("controller_elect_leader", {"replica": "b0"}),
        ("controller_elect_leader", {"replica": "b2"}),
        ("controller_elect_leader", {"replica": "b0"}),
        ("become_leader", {"leader": "b0", "epoch": 0}),
        ("leader_write", {"leader": "b0"}),
        ("become_follower", {"leader": "b0", "follower": "b1", "epoch": 0}),
        ("follower_fetch", {"leader": "b0", "follower": "b1"}),
        ("become_follower", {"leader": "b0", "follower": "b1", "epoch": 2}),
        ("become_follower", {"leader": "b2", "follower": "b0", "epoch": 1}),
        ("become_leader", {"leader": "b0", "epoch": 2}),
        ("leader_write", {"leader": "b0"}),
        ("leader_shrink_isr", {"leader": "b0", "follower": "b2"}),
        ("leader_raise_high_watermark", {"leader": "b0"}),
    ]

    wrong = KIP_320.mutated(mutant).closed(**scope)
    state, taken = run(wrong, steps)

    assert taken == len(steps)
    assert wrong.breaking(state, wrong.model.properties["weak_isr"]) is not None
    assert run(KIP_320.closed(**scope), steps)[1] == 7


def test_kip320_a_fetch_in_another_epoch_is_fenced() -> None:
    scope = KIP_320.mutants["is_following_any_epoch"].scope
    steps: list[Step] = [
        ("controller_elect_leader", {"replica": "b0"}),
        ("become_leader", {"leader": "b0", "epoch": 0}),
        ("become_follower", {"leader": "b0", "follower": "b1", "epoch": 0}),
        ("controller_elect_leader", {"replica": "b2"}),
        ("controller_elect_leader", {"replica": "b0"}),
        ("become_leader", {"leader": "b0", "epoch": 2}),
        ("leader_write", {"leader": "b0"}),
        ("follower_fetch", {"leader": "b0", "follower": "b1"}),
    ]

    assert run(KIP_320.mutated("is_following_any_epoch").closed(**scope), steps)[1] == 8
    assert run(KIP_320.closed(**scope), steps)[1] == 7


# Epochs along a log


TWO_EPOCHS = {"replicas": 2, "log_size": 2, "max_records": 3, "max_leader_epoch": 2}


def epochs(machine: Machine[Any], state: Any, replica: str) -> list[int]:
    """The epochs of a replica's records, in their order."""
    log = state.replica[machine.scope.id(ReplicaId, replica)].log
    return [log[offset].leader_epoch for offset in range(log.end)]


def test_a_log_can_have_records_of_two_epochs() -> None:
    steps: list[Step] = [
        ("controller_elect_leader", {"replica": "b0"}),
        ("become_leader", {"leader": "b0", "epoch": 0}),
        ("leader_write", {"leader": "b0"}),
        ("become_follower", {"leader": "b0", "follower": "b1", "epoch": 0}),
        ("follower_fetch", {"leader": "b0", "follower": "b1"}),
        ("controller_elect_leader", {"replica": "b1"}),
        ("become_leader", {"leader": "b1", "epoch": 1}),
        ("leader_write", {"leader": "b1"}),
    ]

    machine = KIP_320.closed(**TWO_EPOCHS)
    state, taken = run(machine, steps)

    assert taken == len(steps)
    assert epochs(machine, state, "b1") == [0, 1]


@pytest.mark.parametrize(("mutant", "kept"), [("", [0, 0]), ("end_of_shorter_log", [1, 0])])
def test_a_record_that_is_kept_by_mistake_breaks_the_order_of_epochs(
    mutant: str, kept: list[int]
) -> None:
    steps: list[Step] = [
        ("controller_elect_leader", {"replica": "b0"}),
        ("become_leader", {"leader": "b0", "epoch": 0}),
        ("leader_write", {"leader": "b0"}),
        ("leader_write", {"leader": "b0"}),
        ("controller_elect_leader", {"replica": "b1"}),
        ("become_leader", {"leader": "b1", "epoch": 1}),
        ("leader_write", {"leader": "b1"}),
        ("controller_elect_leader", {"replica": "b0"}),
        ("become_leader", {"leader": "b0", "epoch": 2}),
        ("become_follower", {"leader": "b0", "follower": "b1", "epoch": 2}),
        ("follower_fetch", {"leader": "b0", "follower": "b1"}),
        ("follower_fetch", {"leader": "b0", "follower": "b1"}),
    ]

    model = KIP_320.mutated(mutant) if mutant else KIP_320
    machine = model.closed(**TWO_EPOCHS)
    state, taken = run(machine, steps)

    assert taken == (11 if mutant else 12)
    assert epochs(machine, state, "b1") == kept
    claim = model.properties["epochs_never_go_down"]
    assert (machine.breaking(state, claim) is not None) is bool(mutant)


# Open scope


def test_a_long_run_is_followed_in_an_open_scope() -> None:
    machine = KIP_320.open()
    for name in ("broker-1", "broker-2"):
        machine.scope.id(ReplicaId, name)
    pair = {"leader": "broker-1", "follower": "broker-2"}
    round_of_one_record: list[Step] = [
        ("leader_write", {"leader": "broker-1"}),
        ("follower_fetch", pair),
        ("leader_raise_high_watermark", {"leader": "broker-1"}),
    ]
    steps: list[Step] = [
        ("controller_elect_leader", {"replica": "broker-1"}),
        ("become_leader", {"leader": "broker-1", "epoch": 0}),
        ("become_follower", {**pair, "epoch": 0}),
        *(round_of_one_record * 1_000),
    ]

    state, taken = run(machine, steps)

    assert taken == len(steps)
    assert "high_watermark=1000, leader_epoch=0" in repr(state)


# The catalogue


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: f"{check.variant}{check.mutant}")
def test_a_check_of_the_catalogue_can_be_run(check: Any) -> None:
    entry = MODELS[check.model]
    model = entry.variants[check.variant or entry.default]
    model = model.mutated(check.mutant) if check.mutant else model

    machine = model.closed(**check.constants)

    assert len(machine.initial_codes()) == 1
    assert [*check.constants] == [constant.name for constant in model.constants]
    assert [*check.expected] == [*model.properties]


def test_the_catalogue_runs_every_variant_and_every_mutant_of_the_defaults() -> None:
    run_here = {(c.model, c.variant or MODELS[c.model].default, c.mutant) for c in CHECKS}
    for name, entry in ENTRIES.items():
        wanted = {(name, variant, "") for variant in entry.variants}
        wanted |= {(name, entry.default, m) for m in entry.variants[entry.default].mutants}

        assert wanted <= run_here


def test_the_catalogue_expects_each_mutant_to_break_what_it_is_there_for() -> None:
    for check in CHECKS:
        model = MODELS[check.model].variants[check.variant or MODELS[check.model].default]
        if check.mutant:
            assert check.expected[model.mutants[check.mutant].breaks] == "violated"
        else:
            is_wrong = check.variant not in ("", "kip_320")
            assert ("violated" in check.expected.values()) is is_wrong
