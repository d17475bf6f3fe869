"""`kproof tour`: drive a broker through every step of a small scope, and compare at each."""

from __future__ import annotations

import json
import time
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .arguments import Json, Quiet, Settings

if TYPE_CHECKING:
    from ..conformance.tour_run import Coverage

SMALLEST = {"members": 2, "partitions": 1, "max_generation": 1, "max_failovers": 0}
"""The scope where `--set` says nothing."""


class Way(StrEnum):
    """How requests come to the broker."""

    SOCKETS = "sockets"
    CORE = "core"


SEARCH_SECONDS_MIN = 5.0
"""A tour that is cut short is still to tell what there was to drive."""


def tour(
    model: Annotated[
        str, typer.Argument(metavar="[MODEL]", help="Only group has tours: its variant eager.")
    ] = "group",
    settings: Settings = None,
    over: Annotated[
        Way, typer.Option(help="Through TCP connections and a gate, or into the broker's core.")
    ] = Way.SOCKETS,
    max_seconds: Annotated[
        float | None, typer.Option("--max-seconds", metavar="S", min=0, help="Stop after this.")
    ] = None,
    as_json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Drive a broker through every step of a small scope of a model, and compare after each.

    The scope is two members, one partition, one generation and no failover; --set changes it. Steps
    that no single broker can be brought to are counted, with the reason. Exit code: 0 all others
    were driven and every state was the model's, 1 the broker did something else, 2 there are no
    tours of this model, 3 cut short.
    """
    from ..conformance.court import Court
    from ..conformance.tour_run import new_group_driver, take_tours, tours_of_group
    from ..conformance.tours import CutShort
    from ..reports.outcome import ExitCode
    from ..reports.progress import ProgressLine
    from .arguments import parse_settings
    from .refusals import Refused
    from .subjects import load_model, machine_of

    if model not in ("group", "group/eager"):
        raise Refused(f"{model}: there are tours of the model group only. Try `kproof tour group`")
    eager = load_model("group", "eager")
    known = [constant.name for constant in eager.constants]
    machine = machine_of(eager, {**SMALLEST, **parse_settings(settings, known, "group")})
    begin = time.monotonic()
    progress = None if quiet or as_json else ProgressLine("tour")

    def has_time(seconds: float) -> bool:
        return max_seconds is None or time.monotonic() - begin < max(max_seconds, seconds)

    def searches_on(states: int) -> bool:
        if progress is not None and progress.is_due():
            progress.show(f"tour: {states:,} states searched for steps")
        return has_time(SEARCH_SECONDS_MIN)

    def goes_on(coverage: Coverage) -> bool:
        if progress is not None and progress.is_due():
            progress.show(_so_far(coverage))
        return has_time(0.0)

    try:
        tours = tours_of_group(machine, searches_on)
        if not tours.edges:
            raise Refused("the model has no step in this scope, so there is nothing to drive")
        found = take_tours(machine, tours, new_group_driver(over.value, Court), goes_on)
    except CutShort as error:
        reason = f"the time was over before the steps were known: {error}; give a smaller scope"
        raise Refused(reason, ExitCode.UNKNOWN) from error
    finally:
        if progress is not None:
            progress.close()
    seconds = time.monotonic() - begin
    if as_json:
        typer.echo(json.dumps(_as_object(found, over, seconds)))
    else:
        typer.echo("\n".join(_lines(found, over, seconds)))
    if found.parted:
        return int(ExitCode.BAD)
    return int(ExitCode.GOOD if found.is_complete else ExitCode.UNKNOWN)


def _so_far(found: Coverage) -> str:
    return (
        f"tour: {len(found.driven):,} of {found.tours.edges:,} steps driven, "
        f"{found.tours_taken:,} of {len(found.tours.tours):,} tours"
    )


def _lines(found: Coverage, over: Way, seconds: float) -> list[str]:
    from ..reports.wording import counted, duration

    driven, edges = len(found.driven), found.tours.edges
    through = "over sockets" if over is Way.SOCKETS else "into the core"
    steps = f"{driven:,} of {counted(edges, 'step')} driven {through}, {_percent(driven, edges)}"
    taken = f"{counted(found.tours_taken, 'tour')}, {counted(found.steps_taken, 'step')} taken"
    lines = [f"{steps}: {taken}, {duration(seconds)}"]
    if found.parted:
        lines += ["the broker did something else", f"  {found.parted}", "  at the end of"]
        lines += [f"    {number}. {label}" for number, label in enumerate(found.way, 1)]
        return lines
    if not found.is_complete:
        lines.append(f"cut short: {found.tours.toured - driven:,} more can be driven")
    else:
        lines.append("after each the broker had the state that the model has")
    lines += [
        f"  not driven: {count:,} of {action}: {reason}"
        for (action, reason), count in found.not_driven().items()
    ]
    return lines


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %".replace("100.0", "100")


def _as_object(found: Coverage, over: Way, seconds: float) -> dict[str, Any]:
    return {
        "over": over.value,
        "verdict": "parted" if found.parted else "driven" if found.is_complete else "cut short",
        "states": found.tours.states,
        "edges": found.tours.edges,
        "edges_driven": len(found.driven),
        "tours": len(found.tours.tours),
        "tours_taken": found.tours_taken,
        "steps_taken": found.steps_taken,
        "not_driven": [
            {"action": action, "reason": reason, "edges": count}
            for (action, reason), count in found.not_driven().items()
        ],
        "parted": found.parted or None,
        "way": found.way,
        "seconds": round(seconds, 3),
    }
