"""Make the gallery of known data-loss bugs, or hold it against the specification of today.

    python tools/make_gallery.py             are the files what the specification gives?
    python tools/make_gallery.py --rewrite   write them anew; then read the difference

A story needs its steps to be chosen: of several shortest counterexamples, which one a search meets
first depends on the engine, and is not always the one that is best told.  So the steps are written
down here, the specification takes them in CPython, and a search confirms that none is shorter.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from gallery_stories import STORIES, Story
from kproof_checker.check import check
from kproof_checker.models import find_model
from kproof_checker.options import CheckOptions
from kproof_checker.spec_hash import spec_hash
from kproof_checker.traces.itf import trace_text
from kproof_checker.traces.replay import replay
from kproof_checker.traces.trace import Claim, ClaimKind, Trace, TraceStep
from kproof_spec.lang import Machine

GALLERY = Path(__file__).resolve().parent.parent / "traces" / "gallery"
VERSION = re.compile(r'^ *"kproof_version": .*$', re.MULTILINE)
"""Not a fact about the specification: a new release alone changes no trace."""


class NotAsTold(Exception):
    """The specification does not take the steps of a story, or they do not show what it says."""


def machine_of(story: Story) -> Machine[Any]:
    """The machine in whose scope a story happens."""
    return find_model(story.model, story.variant, story.mutant).closed(**story.constants)


def trace_of(story: Story, machine: Machine[Any]) -> Trace:
    """The run that a story tells, taken by the specification in CPython and replayed."""
    instances = {instance.label: instance for instance in machine.instances}
    state = machine.initial_state()
    states = [machine.codes(state)]
    steps: list[TraceStep] = []
    for label in story.steps:
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
    broken = machine.breaking(state, machine.model.properties[story.breaks])
    if broken is None:
        raise NotAsTold(f"{story.name}: {story.breaks} still holds after the last step")
    trace = Trace(
        model=story.model,
        variant=story.variant,
        mutant=story.mutant,
        constants=machine.scope.constants,
        spec_hash=spec_hash(machine.model),
        states=tuple(states),
        steps=tuple(steps),
        claim=Claim(ClaimKind.VIOLATES, story.breaks, broken),
        story=story.text,
    )
    result = replay(machine, trace)
    if not result.ok:
        raise NotAsTold(f"{story.name}: {result.message}")
    return trace


def shortest(story: Story, machine: Machine[Any]) -> int:
    """How many states the shortest counterexample has, found by a search."""
    options = CheckOptions(engine="numpy", properties=(story.breaks,), sample_seconds=0)
    found = check(machine, options).properties[story.breaks].trace
    if found is None:
        raise NotAsTold(f"{story.name}: a search finds nothing that breaks {story.breaks}")
    return found.length


def text_of(story: Story) -> str:
    """The file of a story; a `NotAsTold` error if there is a shorter counterexample."""
    machine = machine_of(story)
    trace = trace_of(story, machine)
    least = shortest(story, machine)
    if trace.length != least:
        raise NotAsTold(f"{story.name}: told in {trace.length} states, and {least} are enough")
    return trace_text(replace(trace, claim=replace(trace.claim, state=trace.length - 1)), machine)


def is_current(story: Story) -> bool:
    """Whether the file of a story is what the specification of today gives."""
    path = GALLERY / story.file
    if not path.is_file():
        return False
    stored = path.read_text(encoding="utf-8")
    return VERSION.sub("", stored) == VERSION.sub("", text_of(story))


def main(arguments: list[str]) -> int:
    """Verify the gallery, or rewrite it; 0 if all is well, 1 if a file is not current, 2 usage."""
    if arguments not in ([], ["--rewrite"]):
        print("usage: python tools/make_gallery.py [--rewrite]", file=sys.stderr)
        return 2
    stale = 0
    try:
        for story in STORIES:
            path = GALLERY / story.file
            shown = path.relative_to(GALLERY.parent.parent)
            if is_current(story):
                print(f"  {shown}: as the specification gives it")
            elif arguments:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text_of(story), encoding="utf-8")
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
