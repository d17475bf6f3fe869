"""Replaying a trace: the specification itself, in CPython, says whether it is a run.

Nothing in a trace is believed: each step is taken again, and what the trace claims to show must be
true at the state where it says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from kproof_spec.lang import Definition, Machine, Property, PropertyKind, SpecError
from kproof_spec.lang.domains import domain_of
from kproof_spec.lang.keys import shown_arguments

from ..why_not import why_not
from .changes import changes
from .itf_values import WrongValue, decode, encode
from .lasso import lasso_problem
from .trace import ClaimKind, Trace

DIFFERENCES_MAX = 3
"""How many differences between two states a message names."""


@dataclass(frozen=True)
class ReplayResult:
    """Whether a trace is what it says."""

    ok: bool
    message: str
    """For people: what it shows, or where and how it goes wrong."""
    failed_at: int | None = None
    """The state, 0-based, that is wrong or that the claim is wrong about; None if all is well."""


class _Differs(Exception):
    """The trace and the specification part at a state."""

    def __init__(self, state: int, message: str) -> None:
        super().__init__(message)
        self.state, self.message = state, message


def replay(machine: Machine[Any], trace: Trace) -> ReplayResult:
    """Takes every step of a trace again, then looks whether its claim is true."""
    try:
        _validate_shape(machine, trace)
        _start(machine, trace)
        for index in range(1, trace.length):
            _take_step(machine, trace, index)
        return ReplayResult(True, _confirm_claim(machine, trace))
    except _Differs as found:
        return ReplayResult(False, found.message, found.state)


def _at(trace: Trace, index: int) -> str:
    return f"state {index + 1} of {trace.length}"


def _validate_shape(machine: Machine[Any], trace: Trace) -> None:
    if not trace.states or len(trace.steps) != trace.length - 1:
        raise _Differs(
            0, f"{trace.length} states and {len(trace.steps)} steps: expected one step fewer"
        )
    for index, codes in enumerate(trace.states):
        if len(codes) != len(machine.leaves):
            raise _Differs(
                index,
                f"{_at(trace, index)} has {len(codes)} numbers, expected {len(machine.leaves)}: "
                "is this a trace of another scope or variant?",
            )
        for code, leaf in zip(codes, machine.leaves, strict=True):
            if not leaf.domain.low <= code <= leaf.domain.high:
                raise _Differs(
                    index,
                    f"{_at(trace, index)} has the code {code} for {leaf.label}, "
                    f"expected {leaf.domain.low} to {leaf.domain.high}",
                )
    if not -trace.length <= trace.claim.state < trace.length:
        raise _Differs(
            trace.length - 1,
            f"the claim is about state {trace.claim.state}, of {trace.length} counted from 0",
        )


def _start(machine: Machine[Any], trace: Trace) -> None:
    try:
        initial = machine.initial_codes()
    except SpecError as error:
        raise _Differs(0, f"no initial state: {error}") from error
    first = trace.states[0]
    if first in initial:
        return
    if not initial:
        raise _Differs(0, "the model has no initial state in this scope")
    nearest = min(initial, key=lambda codes: sum(map(int.__ne__, codes, first)))
    raise _Differs(0, f"state 1 is not an initial state: {_differences(machine, first, nearest)}")


def _differences(machine: Machine[Any], stored: tuple[int, ...], right: tuple[int, ...]) -> str:
    """As in `vote[rm0] is WORKING in the trace, expected PREPARED`."""
    found = changes(machine, right, stored)
    if not found:
        return "its codes are not the ones of its value"
    said = [
        f"{change.label} is {change.after} in the trace, expected {change.before}"
        if change.before
        else f"{change.label}, against what was expected, {change.after}"
        for change in found[:DIFFERENCES_MAX]
    ]
    more = len(found) - DIFFERENCES_MAX
    return "; ".join([*said, f"and {more} more"] if more > 0 else said)


def _values(
    machine: Machine[Any], definition: Definition, arguments: Mapping[str, Any], at: int
) -> dict[str, Any]:
    """The arguments in the order of the parameters, as values of this machine's own sorts.

    A model in a file has new sorts each time it is loaded, and ids of two loads are not equal.
    """
    if arguments.keys() != definition.parameters.keys():
        given = ", ".join(arguments) or "none"
        expected = ", ".join(definition.parameters) or "none"
        raise _Differs(at, f"{definition.name} was given {given}, expected {expected}")
    values = {}
    for name, sort in definition.parameters.items():
        domain = domain_of(sort, machine.scope)
        where = f"argument {name} of {definition.name}"
        try:
            values[name] = decode(domain, encode(domain, arguments[name]), machine.scope, where)
        except WrongValue as error:
            raise _Differs(at, str(error)) from error
        except (AttributeError, TypeError, ValueError, SpecError) as error:
            raise _Differs(at, f"{where} is {arguments[name]!r}, expected {domain!r}") from error
    return values


def _take_step(machine: Machine[Any], trace: Trace, index: int) -> None:
    step, before = trace.steps[index - 1], trace.states[index - 1]
    definition = machine.model.actions.get(step.action)
    if definition is None:
        raise _Differs(index, f"the model has no action {step.action}, before {_at(trace, index)}")
    arguments = _values(machine, definition, step.arguments, index)
    label = f"{step.action}({shown_arguments(arguments)})"
    state = machine.load(before)
    try:
        happened = machine.attempt(state, definition, arguments)
        after = machine.codes(state)
    except SpecError as error:
        raise _Differs(
            index, f"{label}, which should lead to {_at(trace, index)}, is an error: {error}"
        ) from error
    if not happened:
        refusal = why_not(machine, before, definition, arguments)
        why = refusal.message if refusal else f"{label} is not possible"
        raise _Differs(index, f"{_at(trace, index)} cannot be reached: {why}")
    if after != trace.states[index]:
        differs = _differences(machine, trace.states[index], after)
        raise _Differs(index, f"{label} does not lead to {_at(trace, index)}: {differs}")


# -- the claim -----------------------------------------------------------------------------------


def _confirm_claim(machine: Machine[Any], trace: Trace) -> str:
    claim, at = trace.claim, trace.claim.state % trace.length
    where = _at(trace, at)
    match claim.kind:
        case ClaimKind.RUN:
            return f"is a run of {trace.length} states"
        case ClaimKind.VIOLATES | ClaimKind.REACHES:
            return _confirm_property(machine, trace, at)
        case ClaimKind.DEADLOCKS:
            try:
                possible = next(machine.successors(trace.states[at]), None)
            except SpecError as error:
                raise _Differs(at, f"an action is an error at {where}: {error}") from error
            if possible is not None:
                instance = possible[0]
                label = f"{instance.definition.name}({shown_arguments(instance.arguments)})"
                raise _Differs(at, f"{where} is no deadlock: {label} is possible")
            return f"nothing is possible at {where}"
        case ClaimKind.FAILS:
            return _confirm_failure(machine, trace, at)
        case ClaimKind.NEVER:
            return _confirm_lasso(machine, trace, at)


def _confirm_lasso(machine: Machine[Any], trace: Trace, at: int) -> str:
    claimed = _claimed_property(machine, trace, at)
    arguments = _values(machine, claimed.definition, trace.claim.arguments, at)
    own = replace(trace, claim=replace(trace.claim, arguments=arguments, state=at))
    try:
        problem = lasso_problem(machine, own)
    except SpecError as error:
        raise _Differs(at, f"{claimed.name}, or an action, is an error: {error}") from error
    if problem is not None:
        raise _Differs(at, f"is no run on which {claimed.name} never comes true: {problem}")
    given = f" ({shown_arguments(arguments)})" if arguments else ""
    return f"goes round for ever from {_at(trace, at)}, and {claimed.name}{given} never comes true"


def _claimed_property(machine: Machine[Any], trace: Trace, at: int) -> Property:
    kinds = {
        ClaimKind.VIOLATES: (PropertyKind.INVARIANT,),
        ClaimKind.REACHES: (PropertyKind.SOMETIMES,),
        ClaimKind.NEVER: (PropertyKind.EVENTUALLY, PropertyKind.LEADS_TO),
    }
    wanted = kinds[trace.claim.kind]
    claimed = machine.model.properties.get(trace.claim.name)
    if claimed is None or claimed.kind not in wanted:
        names = [n for n, c in machine.model.properties.items() if c.kind in wanted]
        raise _Differs(
            at,
            f"{trace.claim.name} is no {wanted[0].value} property of the model: "
            f"it has {', '.join(names) or 'none'}",
        )
    return claimed


def _confirm_property(machine: Machine[Any], trace: Trace, at: int) -> str:
    claimed = _claimed_property(machine, trace, at)
    name, where = claimed.name, _at(trace, at)
    arguments = _values(machine, claimed.definition, trace.claim.arguments, at)
    given = f" ({shown_arguments(arguments)})" if arguments else ""
    is_invariant = claimed.kind is PropertyKind.INVARIANT
    try:
        if is_invariant:
            for index in range(at):
                broken = machine.breaking(machine.load(trace.states[index]), claimed)
                if broken is not None:
                    there = f" ({shown_arguments(broken)})" if broken else ""
                    raise _Differs(
                        index,
                        f"breaks {name} at {_at(trace, index)}{there} already, not at {where}",
                    )
        state = machine.load(trace.states[at])
        holds = machine.holds(state, claimed.definition, arguments)
    except SpecError as error:
        raise _Differs(at, f"{name} is an error: {error}") from error
    if holds is is_invariant:
        verb = "break" if is_invariant else "reach"
        raise _Differs(at, f"does not {verb} {name} at {where}{given}: it is {holds} there")
    return f"{'breaks' if is_invariant else 'reaches'} {name} at {where}{given}"


def _confirm_failure(machine: Machine[Any], trace: Trace, at: int) -> str:
    model, claim, where = machine.model, trace.claim, _at(trace, at)
    state = machine.load(trace.states[at])
    try:
        if claim.name in model.actions:
            action = model.actions[claim.name]
            arguments = _values(machine, action, claim.arguments, at)
            happened = machine.attempt(state, action, arguments)
            if happened:
                # A result that no code can stand for is an error too.
                machine.codes(state)
            instead = "is possible" if happened else "is not possible"
        elif claim.name in model.properties:
            definitions = model.properties[claim.name].definitions
            arguments = _values(machine, definitions[-1], claim.arguments, at)
            holds = [machine.holds(state, definition, arguments) for definition in definitions]
            instead = f"is {holds[-1]}"
        else:
            raise _Differs(at, f"the model has neither an action nor a property {claim.name}")
    except SpecError as error:
        return f"{claim.name}({shown_arguments(claim.arguments)}) fails at {where}: {error}"
    label = f"{claim.name}({shown_arguments(arguments)})"
    raise _Differs(at, f"{label} does not fail at {where}: it {instead} there")
