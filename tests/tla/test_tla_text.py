"""The text of exported models: readable, complete, and the same in every run."""

import os
import re
from pathlib import Path
from typing import Any

import pytest

from kproof_spec.lang import (
    Id,
    Model,
    Seq,
    SetOf,
    Struct,
    Table,
    bound,
    exists,
    flag,
    integer,
    maybe,
    require,
    seq,
    subset,
    table,
)
from tla.export_of import closed, definition, exported

DATA = Path(__file__).parent / "data"

size = bound("size", default=2, low=1, doc="How many nodes.")


class NodeId(Id, size=size, symmetric=True, prefix="n"):
    """A node."""


class Item(Struct):
    """An entry."""

    number: int = integer(0, 2)
    by: NodeId = maybe(NodeId)


class State(Struct):
    """Some of everything; the names are those that TLA+ has taken already."""

    Init: int = integer(0, 2)
    queue: Seq[Item] = seq(Item, 2)
    key: Table[NodeId, bool] = table(NodeId, flag())
    sent: SetOf[Item] = subset(Item)


def machine_with(action: Any, claim: Any = None) -> Any:
    """A machine with one action and one invariant."""
    model = Model("toy", State, constants=[size])
    model.action(action)
    if claim is not None:
        model.invariant(claim)
    return model.closed()


@pytest.mark.parametrize("suffix", ["tla", "cfg"])
def test_two_phase_commit_reads_as_it_was_last_approved(suffix: str) -> None:
    """KPROOF_REWRITE=1 writes the file anew; then read the difference."""
    found = exported(closed("tutorial"))
    text = found.tla if suffix == "tla" else found.cfg
    path = DATA / f"two_phase_commit.{suffix}"

    if os.environ.get("KPROOF_REWRITE"):
        path.write_text(text)

    assert text == path.read_text()


def test_instances_of_interchangeable_ids_share_one_operator() -> None:
    text = exported(closed("replication", "kip_320", replicas=3)).tla

    assert definition(text, "become_leader") == "\n".join(
        [
            r"become_leader(leader, epoch) ==",
            r"  /\ Len(requests) > epoch",
            r"  /\ LeaderAndIsrAt(requests, epoch).leader = leader",
            r"  /\ replica[leader].leader_epoch < epoch",
            r"  /\ replica' = [replica EXCEPT",
            r"                  ![leader].leader_epoch = epoch,",
            r"                  ![leader].leader = LeaderAndIsrAt(requests, epoch).leader,",
            r"                  ![leader].in_sync_replicas =",
            r"                    LeaderAndIsrAt(requests, epoch).in_sync_replicas]",
            r"  /\ UNCHANGED <<quorum, requests, next_record_id>>",
        ]
    )
    assert r"\E leader \in ReplicaId, epoch \in LeaderEpoch : become_leader(leader, epoch)" in text


def test_an_id_that_is_no_parameter_is_passed_as_another_one() -> None:
    text = exported(closed("replication", "kip_320", replicas=3)).tla

    assert r"\/ leader_raise_high_watermark(b1, b0, b2)" in text
    assert "leader_raise_high_watermark(leader, other, other_2) ==" in text


def test_a_message_that_depends_on_the_state_is_added_as_one_record() -> None:
    text = exported(closed("async_isr")).tla

    assert definition(text, "controller_shrink_isr").endswith(
        r"""
  /\ updates' = updates
                  \cup {[in_sync_followers |-> controller.in_sync_followers \ {follower},
                         version |-> controller.version + 1]}
  /\ UNCHANGED <<leader, pending, leader_end, follower_end, requests>>"""
    )


def test_a_name_that_tla_has_taken_is_changed_everywhere() -> None:
    def count(s: State) -> None:
        require(s.Init < 2)
        s.Init += 1

    text = exported(machine_with(count)).tla

    assert "VARIABLES Init_2, queue, key, sent" in text
    assert r"key = [key_2 \in NodeId |-> FALSE]" in text
    assert "Init_2' = Init_2 + 1" in definition(text, "count")


def test_a_table_inside_another_has_a_bound_name_of_its_own() -> None:
    class Shelf(Struct):
        """A table of things."""

        on: Table[NodeId, bool] = table(NodeId, flag())

    class Shop(Struct):
        """A table of tables."""

        shelf: Table[NodeId, Shelf] = table(NodeId, Shelf)

    model = Model("shop", Shop, constants=[size])

    text = exported(model.closed()).tla

    assert r"shelf = [key_2 \in NodeId |-> [on |-> [key \in NodeId |-> FALSE]]]" in definition(
        text, "Init"
    )


def test_append_pop_and_truncate_are_written_as_such() -> None:
    def push(s: State, node: NodeId) -> None:
        require(s.queue.has_room)
        s.queue.append(Item(number=s.Init, by=node))

    def pop(s: State) -> None:
        require(not s.queue.is_empty)
        s.queue.pop_first()

    def cut(s: State) -> None:
        require(s.Init < s.queue.end)
        s.queue.truncate(s.Init)

    texts = {f.__name__: exported(machine_with(f)).tla for f in (push, pop, cut)}

    assert "Append(queue, [number |-> Init_2, by |-> node])" in definition(texts["push"], "push")
    assert "queue' = Tail(queue)" in definition(texts["pop"], "pop")
    assert "queue' = SubSeq(queue, 1, Init_2)" in definition(texts["cut"], "cut")


def test_where_the_specification_is_in_error_an_invariant_says_so() -> None:
    def count(s: State) -> None:
        s.Init += 1

    text = exported(machine_with(count)).tla

    assert definition(text, "count_fails") == "count_fails ==\n  Init_2 = 2"
    assert definition(text, "NoSpecError") == "NoSpecError ==\n  /\\ ~count_fails"
    assert "Init_2 # 2" in definition(text, "count")


def test_a_disjunction_in_a_guard_stays_one_step() -> None:
    def count(s: State) -> None:
        require(exists(NodeId, lambda node: s.key[node]))
        require(s.Init < 2)
        s.Init += 1

    text = exported(machine_with(count)).tla

    assert r"/\ Holds(key[n0] \/ key[n1])" in definition(text, "count")


def test_what_is_never_possible_is_there_and_false() -> None:
    def never(s: State) -> None:
        require(s.Init > 2)

    text = exported(machine_with(never)).tla

    assert definition(text, "never") == "never == FALSE"
    assert "UNCHANGED vars" in definition(text, "Next")


def test_the_configuration_asks_for_every_property() -> None:
    found = exported(closed("replication", "kip_320"))

    assert re.findall(r"(?m)^INVARIANT (\w+)$", found.cfg) == [
        "TypeOK",
        "NoSpecError",
        "strong_isr",
        "weak_isr",
        "leader_in_isr",
        "epochs_never_go_down",
    ]
    assert "\\* INVARIANT Never_a_record_is_committed\n" in found.cfg
    assert "CHECK_DEADLOCK FALSE" in found.cfg


def test_symmetry_is_asked_for_only_if_it_is_wanted() -> None:
    machine = closed("tutorial")

    assert "\n\\* SYMMETRY Symmetry\n" in exported(machine).cfg
    assert "\nSYMMETRY Symmetry\n" in exported(machine, symmetry=True).cfg


def test_no_id_that_can_be_renamed_is_a_string() -> None:
    found = exported(closed("tutorial"))

    assert "CONSTANTS rm0, rm1, rm2" in found.tla
    assert "  rm1 = rm1\n" in found.cfg


def test_all_text_is_ascii_and_comments_are_narrow() -> None:
    text = exported(closed("replication", "kip_320", replicas=3)).tla

    assert text.isascii()
    assert [line for line in text.split("\n") if line.startswith("\\*") and len(line) > 100] == []
