"""`list`, `walk`, `explain`, `why-not`, `graph`, and how the program starts and ends."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from xml.etree import ElementTree

import pytest

Kproof = Callable[..., CompletedProcess[str]]

PROGRAM = "from kproof_checker.cli.main import run; run()"


def test_list_names_every_model_with_its_default(kproof: Kproof) -> None:
    done = kproof("list")

    assert done.returncode == 0
    assert "replication: " in done.stdout
    assert "kip_320  " in done.stdout
    assert "(default)" in done.stdout


def test_list_of_a_model_shows_constants_properties_and_mutants(kproof: Kproof) -> None:
    done = kproof("list", "toy.py")

    assert "resource_managers=3  How many have to agree. [1 or more]" in done.stdout
    assert "outcomes_agree (invariant)" in done.stdout
    assert "receive_abort_unasked breaks outcomes_agree" in done.stdout


def test_list_as_json_has_a_line_for_each_model(kproof: Kproof) -> None:
    lines = kproof("list", "--json").stdout.splitlines()

    told = {entry["model"]: entry for entry in map(json.loads, lines)}
    assert told["replication"]["default"] == "kip_320"
    variant = told["replication"]["variants"]["kip_320"]
    assert variant["constants"]["replicas"]["low"] == 1
    assert variant["properties"]["strong_isr"]["kind"] == "invariant"


def test_a_walk_that_sees_nothing_wrong_says_so_with_its_bounds(kproof: Kproof) -> None:
    done = kproof("walk", "toy.py", "--walks", "20", "--depth", "30")

    assert done.returncode == 0
    assert "walked       outcomes_agree: 20 walks" in done.stdout
    assert "Good: 1 property not violated on any walk" in done.stdout


def test_a_walk_finds_the_fault_of_a_mutant(kproof: Kproof) -> None:
    done = kproof("walk", "toy.py", "--mutant", "receive_abort_unasked", "--json")

    told = json.loads(done.stdout)
    assert done.returncode == told["exit_code"] == 1
    assert kproof("replay", told["properties"]["outcomes_agree"]["trace"]).returncode == 0


def test_a_witness_that_no_walk_met_is_unknown_if_it_was_asked_for(kproof: Kproof) -> None:
    short = ("walk", "toy.py", "--walks", "5", "--depth", "2")

    assert kproof(*short).returncode == 0
    assert kproof(*short, "--property", "everyone_commits").returncode == 3


def test_why_not_names_the_condition_and_its_values(kproof: Kproof) -> None:
    done = kproof("why-not", "toy.py", "receive_commit", "--param", "rm=rm1")

    assert done.returncode == 0
    assert "In the initial state: receive_commit(rm=rm1) is not possible" in done.stdout
    assert "s.commit_sent is False" in done.stdout


def test_why_not_in_a_state_of_a_trace(kproof: Kproof) -> None:
    kproof("check", "toy.py", "--witness-traces", "--trace-dir", ".")
    trace = "two_phase_commit-everyone_commits.itf.json"
    ask = ("why-not", "toy.py", "prepare", "--param", "rm=rm0", "--trace", trace)

    assert "prepare(rm=rm0) is possible" in kproof(*ask, "--state", "1").stdout
    assert "Vote.WORKING" in kproof(*ask).stdout
    assert "has the states 1 to 11" in kproof(*ask, "--state", "12").stderr


def test_explain_numbers_states_as_check_does(kproof: Kproof) -> None:
    done = kproof("check", "toy.py", "--mutant", "receive_abort_unasked")
    last = next(line.strip() for line in done.stdout.splitlines() if line.startswith("    10  "))

    told = kproof(
        "explain", ".kproof/traces/two_phase_commit-receive_abort_unasked-outcomes_agree.itf.json"
    )

    assert f"State 10: {last.split(maxsplit=1)[1]}" in told.stdout


def test_graph_writes_dot_and_a_drawing(kproof: Kproof) -> None:
    small = ("graph", "toy.py", "--set", "resource_managers=1")

    assert kproof(*small).stdout.startswith("digraph")
    done = kproof(*small, "--dot", "g.dot", "--svg", "g.svg")
    assert done.returncode == 0
    assert "g.dot and g.svg" in done.stdout
    assert Path("g.dot").read_text().startswith("digraph")
    assert ElementTree.parse("g.svg").getroot().tag.endswith("svg")


def test_without_a_command_help_is_shown_and_the_code_is_2(kproof: Kproof) -> None:
    done = kproof()

    assert done.returncode == 2
    assert "why-not" in done.stdout


def test_version_is_one_line(kproof: Kproof) -> None:
    done = kproof("--version")

    assert done.returncode == 0
    assert done.stdout.startswith("kproof")
    assert done.stdout.count("\n") == 1


@pytest.mark.parametrize("command", ["list", "--help"])
def test_what_is_quick_loads_neither_numpy_nor_networkx(command: str) -> None:
    program = (
        "import atexit, sys\n"
        "heavy = {'numpy', 'networkx'}\n"
        "atexit.register(lambda: print('LOADED', sorted(heavy & set(sys.modules))))\n" + PROGRAM
    )

    done = subprocess.run(
        [sys.executable, "-c", program, command], capture_output=True, text=True, check=True
    )

    assert done.stdout.splitlines()[-1] == "LOADED []"


def test_a_closed_pipe_is_silent() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "list", "replication"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()

    assert process.wait(timeout=60) == 141
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "list"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    assert done.returncode == 2
    assert done.stderr == "kproof: the output could not be written: No space left on device.\n"
