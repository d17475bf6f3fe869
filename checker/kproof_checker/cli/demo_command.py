"""`kproof demo`: a broker, a real client and the specification, live."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from .refusals import UNKNOWN, Refused

if TYPE_CHECKING:
    from ..demo.story import Story


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> int:
    """Run a broker and a group of real consumers, kill one, and verify every step of the broker.

    It needs kafka-python. Exit code: 0 all went as it has to, 1 the broker took a step that the
    specification does not allow, 2 there is no client, 3 the story did not come to its end.
    """
    from ..conformance.lockstep import Divergence
    from ..demo.story import Failed, Story, has_client

    if not has_client():
        raise Refused("the demonstration needs a Kafka client: pip install 'kproof[demo]'")
    story = Story(tell=_silent if as_json else typer.echo)
    try:
        story.run()
    except Divergence:
        report = story.judge.report()
        assert report is not None
        if as_json:
            typer.echo(json.dumps({"verdict": "diverged", **report.as_json()}))
        else:
            typer.echo(report.text())
        return 1
    except Failed as error:
        raise Refused(str(error), UNKNOWN) from error
    _tell_end(story, as_json=as_json)
    return 0


def _silent(_: str) -> None:
    """What happens is not told where the end is one JSON object."""


def _tell_end(story: Story, *, as_json: bool) -> None:
    steps = dict(story.judge.steps)
    total = sum(steps.values())
    if as_json:
        seconds = round(story.seconds, 3)
        typer.echo(json.dumps({"verdict": "allowed", "steps": total, **steps, "seconds": seconds}))
        return
    logs, groups = steps.get("log", 0), total - steps.get("log", 0)
    typer.echo(
        f"{total} steps verified, {logs} of logs and {groups} of the group, in "
        f"{story.seconds:.1f} s: all as the specification allows"
    )
