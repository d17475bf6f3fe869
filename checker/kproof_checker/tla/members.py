"""What was added to a set, where the new member depends on the state.

A set has a leaf for each possible member, so adding `controller` to a set of messages changes all
of them: this one is in if it was, or if the controller's version is 1 and so on.  Here the member
is found again by a guess that is then proved: what adding the guess does to each leaf must be,
term by term, what was done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kproof_spec.lang.domains import SetDomain

from ..extraction import terms
from ..extraction.terms import FALSE, TRUE, Term


def added_member(
    domain: SetDomain, before: Sequence[Term], after: Sequence[Term]
) -> list[Term] | None:
    """The codes of the one member that was added; None if that is not what happened."""
    matches: list[Term] = []
    for old, new in zip(before, after, strict=True):
        match = _match(old, new)
        if match is None:
            return None
        matches.append(match)
    if sum(match is not FALSE for match in matches) < 2:
        return None
    members: list[list[int]] = []
    for member in domain.elements:
        codes: list[int] = []
        domain.element.write(member, codes)
        members.append(codes)
    guess: list[Term] = []
    for k in range(len(members[0])):
        term = _guess([codes[k] for codes in members], matches)
        if term is None:
            return None
        guess.append(term)
    for codes, match in zip(members, matches, strict=True):
        if _equal(guess, codes) is not match:
            return None
    return guess


def _match(old: Term, new: Term) -> Term | None:
    """When the member of this leaf is the one that was added."""
    if new is old:
        return FALSE
    if new.op != "ite" or (new.args[1].value, new.args[2].value) != (1, 0):
        return None
    condition, was_in = new.args[0], terms.eq(old, terms.const(1))
    if condition.op != "or" or was_in not in condition.args:
        return None
    return terms.either(part for part in condition.args if part is not was_in)


def _equal(guess: Sequence[Term], codes: Sequence[int]) -> Term:
    return terms.both(
        terms.eq(term, terms.const(code)) for term, code in zip(guess, codes, strict=True)
    )


def _guess(codes: Sequence[int], matches: Sequence[Term]) -> Term | None:
    """A term that is the k-th code of the member wherever that matches."""
    matched = [
        (code, match) for code, match in zip(codes, matches, strict=True) if match is not FALSE
    ]
    values = {code for code, _ in matched}
    if len(values) == 1:
        return terms.const(values.pop())
    for candidate in dict.fromkeys(_candidates(*matched[0])):
        if all(_is_part(terms.eq(candidate, terms.const(c)), match) for c, match in matched):
            return candidate
    return None


def _candidates(code: int, match: Term) -> Iterator[Term]:
    """Terms that have this code if `match` holds, as one of its parts says."""
    for part in _parts(match):
        is_not = part.op == "not"
        inner = part.args[0] if is_not else part
        if inner.op == "eq" and inner.args[1].op == "const":
            number, value = inner.args[0], inner.args[1].value
            if not is_not:
                yield terms.add(number, terms.const(code - value))
            elif number.high - number.low == 1:
                other = number.low + number.high - value
                yield terms.add(number, terms.const(code - other))
        if code in (0, 1):
            is_one = part if code == 1 else terms.negate(part)
            yield terms.ite(is_one, terms.const(1), terms.const(0))


def _parts(term: Term) -> tuple[Term, ...]:
    return term.args if term.op == "and" else (term,)


def _is_part(term: Term, whole: Term) -> bool:
    return term is TRUE or set(_parts(term)) <= set(_parts(whole))
