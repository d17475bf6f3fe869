"""Make the gallery of known bugs, or hold it against the specification of today.

    python tools/make_gallery.py             are the files what the specification gives?
    python tools/make_gallery.py --rewrite   write them anew; then read the difference

Of several shortest counterexamples, which one a search meets first depends on the engine, and is
not always the one that is best told.  So the steps are written down, in the story or in the file
itself; the specification takes them in CPython, and a search confirms that none is shorter, and
that the model without the fault holds in the same scope.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from gallery_stories import STORIES, Story
from kproof_checker.check import check
from kproof_checker.models import find_model
from kproof_checker.options import CheckOptions
from kproof_checker.spec_hash import spec_hash
from kproof_checker.traces.itf import UnreadableTrace, read_trace, trace_text
from kproof_checker.traces.replay import replay
from kproof_checker.traces.trace import Claim, ClaimKind, Trace, TraceStep
from kproof_checker.verdicts import Verdict
from kproof_spec.lang import Machine

GALLERY = Path(__file__).resolve().parent.parent / "traces" / "gallery"
VERSION = re.compile(r'^ *"kproof_version": .*$', re.MULTILINE)
"""Not a fact about the specification: a new release alone changes no trace."""


class NotAsTold(Exception):
    """The specification does not take the steps of a story, or they do not show what it says."""


def machine_of(story: Story) -> Machine[Any]:
    """The machine in whose scope a story happens."""
    return find_model(story.model, story.variant, story.mutant).closed(**story.constants)


def stored_trace(story: Story) -> Trace | None:
    """What a story's file has; None if there is no file that can be read."""
    try:
        return read_trace(GALLERY / story.file)[1]
    except (OSError, UnreadableTrace):
        return None


def trace_of(story: Story, machine: Machine[Any], like: Trace | None = None) -> Trace:
    """The run that a story tells, taken by the specification in CPython and replayed.

    It begins as `like` does, and takes its steps if the story has none; else as the file does.
    """
    like = like or stored_trace(story)
    labels = story.steps or (tuple(step.label for step in like.steps) if like else ())
    instances = {instance.label: instance for instance in machine.instances}
    initial = machine.initial_codes()
    state = machine.load(like.states[0] if like and like.states[0] in initial else initial[0])
    states = [machine.codes(state)]
    steps: list[TraceStep] = []
    for label in labels:
        if label not in instances:
            raise NotAsTold(f"{story.name}: no step is called {label}")
        instance = instances[label]
        if not machine.step(state, instance.definition.name, **instance.arguments):
            raise NotAsTold(
                f"{story.name}: {label}, step {len(steps) + 1}, is not possible; "
                f"ask `kproof why-not {story.model} {instance.definition.name}`"
            )
        states.append(machine.codes(state))
        steps.append(TraceStep(instance.definition.name, dict(instance.arguments)))
    if len(states) != story.states:
        raise NotAsTold(f"{story.name}: {len(states)} states, and the story says {story.states}")
    trace = Trace(
        model=story.model,
        variant=story.variant,
        mutant=story.mutant,
        constants=machine.scope.constants,
        spec_hash=spec_hash(machine.model),
        states=tuple(states),
        steps=tuple(steps),
        claim=_claim(story, machine, states, like),
        story=story.text,
    )
    result = replay(machine, trace)
    if not result.ok:
        raise NotAsTold(f"{story.name}: {result.message}")
    return trace


def _claim(
    story: Story, machine: Machine[Any], states: list[tuple[int, ...]], like: Trace | None
) -> Claim:
    """What the run shows: its last state breaks an invariant, or leads back to where it was."""
    broken = machine.model.properties[story.breaks]
    if broken.kind.is_liveness:
        arguments = like.claim.arguments if like else {}
        return Claim(ClaimKind.NEVER, story.breaks, arguments, states.index(states[-1]))
    found = machine.breaking(machine.load(states[-1]), broken)
    if found is None:
        raise NotAsTold(f"{story.name}: {story.breaks} still holds after the last step")
    return Claim(ClaimKind.VIOLATES, story.breaks, found, len(states) - 1)


def searched(story: Story, machine: Machine[Any]) -> tuple[Trace, int]:
    """A shortest counterexample, and how many states were found on the way to it.

    States are counted one by one, without symmetry, so that the ids are those of the trace.
    """
    options = CheckOptions(
        engine="numpy", symmetry=False, properties=(story.breaks,), sample_seconds=0
    )
    result = check(machine, options)
    found = result.properties[story.breaks].trace
    if found is None:
        raise NotAsTold(f"{story.name}: a search finds nothing that breaks {story.breaks}")
    return found, result.distinct


def validate_search(story: Story) -> None:
    """A `NotAsTold` error if a counterexample is shorter, or there is one without the fault."""
    found, _ = searched(story, machine_of(story))
    if found.length != story.states:
        raise NotAsTold(
            f"{story.name}: told in {story.states} states, and a shortest has {found.length}"
        )
    sound = find_model(story.model, story.sound_variant)
    options = CheckOptions(properties=(story.breaks,), sample_seconds=0)
    verdict = check(sound.closed(**story.constants), options).properties[story.breaks].verdict
    if verdict is not Verdict.EXHAUSTED:
        raise NotAsTold(f"{story.name}: without the fault, {story.breaks} is {verdict.value}")


def text_of(story: Story) -> str:
    """The file of a story, by its own steps; a `NotAsTold` error if they are not possible."""
    machine = machine_of(story)
    return trace_text(trace_of(story, machine), machine)


def text_of_found(story: Story) -> str:
    """The file of a story whose steps were not stored, or are no longer what they were."""
    machine = machine_of(story)
    found, _ = searched(story, machine)
    return trace_text(trace_of(story, machine, found), machine)


def is_current(story: Story) -> bool:
    """Whether the file of a story is what the specification of today gives."""
    path = GALLERY / story.file
    if not path.is_file():
        return False
    stored = path.read_text(encoding="utf-8")
    return VERSION.sub("", stored) == VERSION.sub("", text_of(story))


def is_stale(story: Story) -> bool:
    """The same for the command, where steps that are not possible any more are no error."""
    try:
        return not is_current(story)
    except NotAsTold:
        if story.steps:
            raise
        return True


def write(story: Story) -> None:
    """Writes the file of a story: with its stored steps if they still do, else with new ones."""
    try:
        text = text_of(story)
    except NotAsTold:
        if story.steps:
            raise
        text = text_of_found(story)
    path = GALLERY / story.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Verify the gallery, or rewrite it; 0 if all is well, 1 if a file is not current, 2 usage."""
    if arguments not in ([], ["--rewrite"]):
        print("usage: python tools/make_gallery.py [--rewrite]", file=sys.stderr)
        return 2
    stale = 0
    try:
        for story in STORIES:
            shown = (GALLERY / story.file).relative_to(GALLERY.parent.parent)
            validate_search(story)
            if not is_stale(story):
                print(f"  {shown}: as the specification gives it")
            elif arguments:
                write(story)
                print(f"  {shown}: written; read the difference before you commit it")
            else:
                print(f"  {shown}: not what the specification gives", file=sys.stderr)
                stale += 1
    except NotAsTold as error:
        print(f"make_gallery: {error}", file=sys.stderr)
        return 1
    if stale:
        print("rewrite them on purpose: python tools/make_gallery.py --rewrite", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
