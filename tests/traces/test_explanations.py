"""What people are told: the story of a trace, and why an action is not possible."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kproof_checker.sources import line_of
from kproof_checker.traces.changes import changes
from kproof_checker.traces.explain import explain
from kproof_checker.traces.trace import Claim, ClaimKind
from kproof_checker.why_not import Refusal, why_not
from kproof_spec.lang import Machine, SpecError
from kproof_spec.lang.keys import shown
from traces.trace_tools import (
    EVERY_FIELD,
    TWO_PHASE_COMMIT,
    machine_of,
    random_run,
    run_to_property,
)

COMMIT = machine_of(TWO_PHASE_COMMIT)
EVERY = machine_of(EVERY_FIELD)
BROKEN = machine_of(TWO_PHASE_COMMIT, "receive_abort_unasked")


def taking(machine: Machine[Any], *labels: str) -> tuple[int, ...]:
    """The state after these steps from the first initial one."""
    state = machine.load(machine.initial_codes()[0])
    for label in labels:
        instance = next(i for i in machine.instances if i.label == label)
        assert machine.attempt(state, instance.definition, instance.arguments)
        machine.store_of(state).commit()
    return machine.codes(state)


def refusal(machine: Machine[Any], codes: tuple[int, ...], label: str) -> Refusal | None:
    """The answer of why_not for an action instance by its label."""
    instance = next(i for i in machine.instances if i.label == label)
    return why_not(machine, codes, instance.definition, instance.arguments)


def entry_writing(machine: Machine[Any], codes: tuple[int, ...], entry: str) -> Refusal | None:
    """The answer of why_not for c0 writing an entry, given as text."""
    for instance in machine.instances:
        arguments = instance.arguments
        if instance.definition.name != "write_entry" or repr(arguments["clerk"]) != "c0":
            continue
        if shown(arguments["entry"]) == entry:
            return why_not(machine, codes, instance.definition, arguments)
    raise AssertionError(f"no such entry: {entry}")


# why_not


def test_the_first_guard_that_fails_is_named_with_its_line_and_values() -> None:
    found = refusal(COMMIT, taking(COMMIT), "manager_receive_prepared(rm=rm1)")

    assert found is not None
    assert found.step == "manager_receive_prepared(rm=rm1)"
    assert found.clause.source == "require(rm in s.prepared_sent)"
    assert line_of(found.clause.path, found.clause.line) == "require(rm in s.prepared_sent)"
    assert dict(found.clause.values) == {
        "rm in s.prepared_sent": "False",
        "rm": "rm1",
        "s.prepared_sent": "{}",
    }
    assert found.chain == ()
    assert found.clause.position in str(found)


def test_an_action_that_is_possible_has_no_refusal() -> None:
    assert refusal(COMMIT, taking(COMMIT), "prepare(rm=rm1)") is None


def test_a_quantifier_names_the_element_that_decides() -> None:
    codes = taking(COMMIT, "prepare(rm=rm0)", "manager_receive_prepared(rm=rm0)")

    found = refusal(COMMIT, codes, "manager_commit()")

    assert found is not None
    assert dict(found.clause.values)["rm in s.prepared"] == "False"
    assert dict(found.clause.values)["rm"] == "rm1"


def test_a_guard_in_a_helper_is_named_with_who_called_it() -> None:
    found = refusal(EVERY, taking(EVERY), "appoint(clerk=c1)")

    assert found is not None
    assert found.clause.source == "require(is_chief(s, clerk))"
    assert [part.split(" ")[0] for part in found.chain] == ["appoint"]
    assert "called by appoint (" in found.message
    values = dict(found.clause.values)
    assert values["is_chief(s, clerk)"] == "False"
    # A local name stands for its expression.
    assert values["is_the_chief"] == "False"
    assert values["s.chief == clerk"] == "False"
    assert (values["s.chief"], values["clerk"]) == ("c0", "c1")


def test_a_guard_over_several_lines_is_shown_whole() -> None:
    entry = "Entry(ink=BLACK, is_signed=False)"
    codes = taking(machine_of(EVERY_FIELD))
    machine = machine_of(EVERY_FIELD)
    state = machine.load(codes)
    black = type(state.template)(ink=state.template.ink, is_signed=True)
    state.desk[state.chief].book.append(black)

    found = entry_writing(machine, machine.codes(state), entry.replace("BLACK", "RED"))

    assert found is not None
    assert found.clause.source.startswith("require(\n")
    assert found.clause.source.endswith("\n)")
    assert "\n" in found.message
    values = dict(found.clause.values)
    assert values["entry.ink in desk.inks"] == "False"
    assert values["desk.book.is_empty"] == "False"
    # What was not looked at the first time is not looked at now.
    assert not any(text.startswith("exists(") for text in values)


def test_a_true_quantifier_under_not_names_its_element() -> None:
    codes = taking(EVERY, "open_page(page=2, ink=RED, is_first=True)")

    found = refusal(EVERY, codes, "open_page(page=1, ink=RED, is_first=False)")

    assert found is not None
    values = dict(found.clause.values)
    assert values["other"] == "2"
    assert values["other in s.open_pages"] == "True"
    assert values["is_first"] == "False"


def test_asking_never_changes_the_answer() -> None:
    """The values are of the state as it was: asked twice, every refusal is the same."""
    choices = random.Random(11)
    for _ in range(10):
        codes = random_run(EVERY, EVERY_FIELD, choices, 8).states[-1]
        state = EVERY.load(codes)
        for instance in EVERY.instances:
            asked = instance.definition, instance.arguments
            try:
                is_possible = EVERY.attempt(state, *asked)
            except SpecError:
                with pytest.raises(SpecError):
                    why_not(EVERY, codes, *asked)
                continue
            EVERY.store_of(state).rollback()
            first, second = why_not(EVERY, codes, *asked), why_not(EVERY, codes, *asked)
            assert (first is None) is is_possible
            assert first == second
            if first is not None:
                assert first.clause.readings
                assert "require(" in first.clause.source


def test_a_part_that_would_change_the_state_is_undone(tmp_path: Path) -> None:
    file = tmp_path / "greedy.py"
    file.write_text(
        "from kproof_spec.lang import Model, Struct, integer, require\n"
        "class State(Struct):\n"
        "    n: int = integer(0, 9)\n"
        "model = Model('greedy', State)\n"
        "def take(s: State) -> int:\n"
        "    s.n += 1\n"
        "    return s.n\n"
        "@model.action\n"
        "def go(s: State) -> None:\n"
        "    require(take(s) > 1 and s.n == 7)\n"
    )
    machine = machine_of(str(file))

    found = refusal(machine, (0,), "go()")

    assert found is not None
    # `take(s)` was called again for its value, and what that call wrote was taken back.
    assert dict(found.clause.values)["s.n"] == "1"
    assert found == refusal(machine, (0,), "go()")


def test_without_the_source_the_line_has_to_do(tmp_path: Path) -> None:
    file = tmp_path / "gone.py"
    file.write_text(
        "from kproof_spec.lang import Model, Struct, flag, require\n"
        "class State(Struct):\n"
        "    on: bool = flag()\n"
        "model = Model('gone', State)\n"
        "@model.action\n"
        "def go(s: State) -> None:\n"
        "    '''Goes.'''\n"
        "    require(s.on)\n"
        "@model.sometimes\n"
        "def is_off(s: State) -> bool:\n"
        "    return not s.on\n"
    )
    machine = machine_of(str(file))
    trace = run_to_property(machine, str(file), "is_off")
    file.unlink()

    found = refusal(machine, (0,), "go()")

    assert found is not None
    assert found.clause.line == 8
    assert "go() is not possible" in found.message
    assert "reaches is_off()" in explain(machine, trace)


# explain


def test_the_story_of_a_counterexample_names_the_clause_that_broke() -> None:
    trace = run_to_property(BROKEN, TWO_PHASE_COMMIT, "outcomes_agree")

    text = explain(BROKEN, trace)

    assert "mutant receive_abort_unasked (resource_managers=3): 10 states" in text
    assert "lost patience" in text
    assert "State 2: prepare(rm=rm0)\n  A resource manager promises to commit" in text
    assert "    vote[rm0]:     WORKING -> PREPARED\n" in text
    assert "    prepared_sent: {}      -> {rm0}\n" in text
    end = text[text.index("State 10 breaks") :]
    assert "State 10 breaks outcomes_agree(a=rm0, b=rm1)\n  No two resource managers" in end
    assert "two_phase_commit.py:" in end
    assert "return not (s.vote[a] == Vote.COMMITTED and s.vote[b] == Vote.ABORTED)" in end
    assert "s.vote[b] == Vote.ABORTED is True: s.vote[b] = ABORTED" in end


def test_return_false_is_explained_by_the_condition_around_it() -> None:
    trace = run_to_property(EVERY, EVERY_FIELD, "no_debt")

    text = explain(EVERY, trace)

    assert "if desk.balance < 0: ..." in text
    assert "desk.balance < 0 is True: desk.balance = -1" in text


def test_whole_fields_are_shown_where_they_are_short() -> None:
    machine = machine_of(EVERY_FIELD)
    before = taking(machine)
    state = machine.load(before)
    state.desk[state.chief].book.append(state.template)
    state.numbers.append(3)

    found = [str(change) for change in changes(machine, before, machine.codes(state))]

    assert found == [
        "desk[c0].book: [] -> [Entry(ink=RED, is_signed=False)]",
        "numbers: [] -> [3]",
    ]


def test_long_fields_are_shown_by_what_they_gain_and_lose() -> None:
    machine = machine_of(EVERY_FIELD, pages=3)
    state = machine.load(taking(machine))
    entry = state.template
    state.desk[state.chief].book.append(entry)
    state.desk[state.chief].book.append(entry)
    state.seen.add(entry)
    before = machine.codes(state)
    state.desk[state.chief].book.append(entry)
    entry.is_signed = True
    state.seen.add(type(entry)(ink=entry.ink, is_signed=True))
    state.seen.add(type(entry)(ink=type(entry.ink).BLACK, is_signed=True))

    found = [str(change) for change in changes(machine, before, machine.codes(state))]

    assert found == [
        "desk[c0].book: gains [Entry(ink=RED, is_signed=False)] at its end, now 3 long",
        "template.is_signed: False -> True",
        "seen: gains Entry(ink=BLACK, is_signed=True), Entry(ink=RED, is_signed=True)",
    ]


def test_every_claim_has_its_words() -> None:
    trace = random_run(EVERY, EVERY_FIELD, random.Random(2), 5)

    def said(claim: Claim) -> str:
        return explain(EVERY, replace(trace, claim=claim))

    assert "breaks" not in said(Claim())
    assert "State 5: nothing is possible" in said(Claim(ClaimKind.DEADLOCKS))
    assert "is an error of the specification" in said(Claim(ClaimKind.FAILS, "gone"))
    assert "The weather." in explain(EVERY, replace(trace, story="The\nweather."))


def test_any_walk_can_be_told() -> None:
    for seed in range(15):
        trace = random_run(EVERY, EVERY_FIELD, random.Random(seed), 12)

        text = explain(EVERY, trace)

        assert text.count("\nState ") == trace.length
        assert "<" not in text.replace("<-", "")
