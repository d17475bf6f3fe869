"""Values of fields after a step: copies, records, sets by what was added, sequences by what was
appended or cut, and where nothing simpler is certain, rebuilt part by part.

`possible` says which codes a leaf may have where the step is taken, as far as the conditions
before it tell.  It decides only how a value is written, never what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kproof_spec.lang.domains import SeqDomain, SetDomain, StructDomain, TableDomain
from kproof_spec.lang.scalars import Domain

from ..extraction import terms
from ..extraction.terms import Term
from .docs import Doc
from .expressions import Scribe
from .members import added_member
from .names import field_name
from .schema import FLAG, NUMBER, Place, value_key
from .simplify import simplified

Possible = Mapping[int, frozenset[int]]


class Values:
    """Writes values whose leaves are terms."""

    def __init__(self, scribe: Scribe, possible: Possible) -> None:
        self.scribe, self.possible = scribe, possible
        self.schema, self.press = scribe.schema, scribe.press

    def value(  # noqa: PLR0911 - one for each kind of domain
        self, domain: Domain, codes: Sequence[Term], own: Place | None = None
    ) -> Doc:
        """A value of a domain; `own` is the place that it is for, if it is for one."""
        source = self.schema.place_of(domain, codes)
        if source is not None:
            return self.scribe.place(source)
        named = self._named(domain, codes)
        if named is not None:
            return named
        if isinstance(domain, SeqDomain) and own is not None:
            found = self._by_change(domain, codes, own)
            if found is not None:
                return found
        split = self._split(codes) if own is None and not isinstance(domain, SetDomain) else None
        if split is not None:
            condition, yes, no = split
            return self.press.choice(
                self.scribe.truth(simplified(condition)),
                self.value(domain, yes),
                self.value(domain, no),
            )
        match domain:
            case StructDomain():
                return self.press.record(
                    {
                        field_name(name): self.value(inner, part, self._inside(own, inner, offset))
                        for name, inner, part, offset in self._parts(domain, codes)
                    }
                )
            case TableDomain():
                return self._table(domain, codes)
            case SetDomain():
                return self._set(domain, codes, own)
            case SeqDomain():
                return self._sequence(domain, codes)
        return self.scribe.scalar(domain, simplified(codes[0]))

    def _inside(self, own: Place | None, domain: Domain, offset: int) -> Place | None:
        return None if own is None else self.schema.place_at(own.at + offset, domain)

    def _parts(
        self, domain: StructDomain | TableDomain, codes: Sequence[Term]
    ) -> Iterator[tuple[Any, Domain, Sequence[Term], int]]:
        """The fields, or the entries, each with its codes and where they begin."""
        if isinstance(domain, StructDomain):
            inner = list(domain.fields.items())
        else:
            inner = [(key, domain.element) for key in domain.keys.values()]
        at = 0
        for key, element in inner:
            size = self.schema.size(element)
            yield key, element, codes[at : at + size], at
            at += size

    def _named(self, domain: Domain, codes: Sequence[Term]) -> Doc | None:
        """The name of a struct or set of constants, if it has one here."""
        if not isinstance(domain, StructDomain | SetDomain) or not self.scribe.named:
            return None
        if any(code.op != "const" for code in codes):
            return None
        value = self.schema.plain_value(domain, [code.value for code in codes])
        try:
            name = self.scribe.named.get(value_key(value))
        except (TypeError, ValueError):  # It holds what cannot be a parameter.
            return None
        return None if name is None else self.press.atom(name)

    @staticmethod
    def _split(codes: Sequence[Term]) -> tuple[Term, list[Term], list[Term]] | None:
        """A condition on which several leaves depend, and the codes on either side of it."""
        conditions = [code.args[0] for code in codes if code.op == "ite"]
        for condition in conditions:
            if conditions.count(condition) > 1:
                both = [
                    (c.args[1], c.args[2]) if c.op == "ite" and c.args[0] is condition else (c, c)
                    for c in codes
                ]
                return condition, [yes for yes, _ in both], [no for _, no in both]
        return None

    # -- tables --------------------------------------------------------------------------------

    def _table(self, domain: TableDomain, codes: Sequence[Term]) -> Doc:
        entries = [(key, self.value(inner, c)) for key, inner, c, _ in self._parts(domain, codes)]
        first = entries[0][1]
        if all(doc is first for _, doc in entries):
            keys = self.scribe.set_of([key for key, _ in entries])
            return self.press.form(f"[{self.schema.bound(domain)} \\in {{}} |-> {{}}]", keys, first)
        press = self.press
        simple = ("atom", "form", "record", "except")
        pairs = [
            press.form("{} :> {}" if doc.kind in simple else "{} :> ({})", *docs)
            for key, doc in entries
            for docs in [(self.scribe.constant(key), doc)]
        ]
        return press.form("(" + " @@ ".join(["{}"] * len(pairs)) + ")", *pairs)

    # -- sets ----------------------------------------------------------------------------------

    def _set(self, domain: SetDomain, codes: Sequence[Term], own: Place | None) -> Doc:
        if all(code.op == "const" for code in codes):
            chosen = [m for m, c in zip(domain.elements, codes, strict=True) if c.value == 1]
            return self.scribe.set_of(self.scribe.in_order(chosen))
        union = self._with_member(domain, codes, own) or self._union(domain, codes)
        if union is not None:
            return union
        base = self._base(domain, codes, own)
        added, removed, asked = [], [], []
        for j, (member, code) in enumerate(zip(domain.elements, codes, strict=True)):
            before = None if base is None else self.schema.leaf_terms[base.at + j]
            if code is before:
                continue
            if code.op != "const":
                asked.append((member, code))
            elif code.value == 1 and not self._is(before, 1):
                added.append(member)
            elif code.value == 0 and not self._is(before, 0):
                removed.append(member)
        press, scribe = self.press, self.scribe
        gone = [] if base is None else scribe.in_order(removed + [m for m, _ in asked])
        doc = press.atom("{}") if base is None else scribe.place(base)
        if gone:
            doc = press.infix("\\", doc, scribe.set_of(gone))
        if added:
            more = scribe.set_of(scribe.in_order(added))
            doc = more if doc.head == "{}" else press.infix("\\cup", doc, more)
        by_member = {value_key(member): code for member, code in asked}
        for member in scribe.in_order([m for m, _ in asked]):
            is_in = scribe.number(simplified(by_member[value_key(member)]), FLAG)
            part = press.choice(is_in, scribe.set_of([member]), press.atom("{}"))
            doc = part if doc.head == "{}" else press.infix("\\cup", doc, part)
        return doc

    def _with_member(
        self, domain: SetDomain, codes: Sequence[Term], own: Place | None
    ) -> Doc | None:
        """The set as it was, with one member that depends on the state."""
        if own is None:
            return None
        before = self.schema.leaf_terms[own.at : own.at + own.size]
        member = added_member(domain, before, codes)
        if member is None:
            return None
        new = self.press.form("{{}}", self.value(domain.element, member))
        return self.press.infix("\\cup", self.scribe.place(own), new)

    def _is(self, leaf: Term | None, code: int) -> bool:
        """Whether a leaf is known to have this code."""
        if leaf is None:
            return code == 0
        if leaf.op == "leaf":
            return self.possible.get(leaf.value) == frozenset([code])
        return leaf.value == code

    def _base(self, domain: SetDomain, codes: Sequence[Term], own: Place | None) -> Place | None:
        """The set that most of the members come from."""
        found: dict[int, int] = {} if own is None else {own.at: 0}
        for j, code in enumerate(codes):
            if code.op == "leaf":
                found[code.value - j] = found.get(code.value - j, 0) + 1
        places = {at: self._set_at(domain, at) for at in found}
        known = [at for at, place in places.items() if place is not None]
        if not known:
            return None
        best = max(known, key=lambda at: (found[at], own is not None and at == own.at))
        return places[best]

    def _set_at(self, domain: SetDomain, at: int) -> Place | None:
        return self.schema.place_at(at, domain)

    def _union(self, domain: SetDomain, codes: Sequence[Term]) -> Doc | None:
        """The union of two sets of the state, if the codes are one.

        Members may be left out of either, or be in it for certain.
        """
        pair: tuple[int, int] | None = None
        for j, code in enumerate(codes):
            leaves = _either_leaf(code)
            if leaves is not None:
                pair = leaves[0] - j, leaves[1] - j
                break
        if pair is None:
            return None
        places = [self._set_at(domain, at) for at in pair]
        if None in places or places[0] is places[1]:
            return None
        without: tuple[list[Any], list[Any]] = ([], [])
        certain = []
        for j, (member, code) in enumerate(zip(domain.elements, codes, strict=True)):
            if code.op == "leaf" and code.value - j in pair:
                without[1 - pair.index(code.value - j)].append(member)
            elif code is terms.const(1):
                certain.append(member)
            elif _either_leaf(code) != (pair[0] + j, pair[1] + j):
                return None
        docs = []
        for place, gone in zip(places, without, strict=True):
            assert place is not None
            doc = self.scribe.place(place)
            if gone:
                doc = self.press.infix("\\", doc, self.scribe.set_of(self.scribe.in_order(gone)))
            docs.append(doc)
        union = self.press.infix("\\cup", *docs)
        if certain:
            more = self.scribe.set_of(self.scribe.in_order(certain))
            union = self.press.infix("\\cup", union, more)
        return union

    # -- sequences -----------------------------------------------------------------------------

    def _sequence(self, domain: SeqDomain, codes: Sequence[Term]) -> Doc:
        """A sequence by its elements."""
        end, slots = codes[0], self._slots(domain, codes)
        element = domain.element
        press = self.press
        if end is terms.const(0):
            return press.atom("<<>>")
        if end.op == "const":
            items = [self.value(element, slot) for slot in slots[: end.value]]
            return press.form("<<" + ", ".join(["{}"] * len(items)) + ">>", *items)
        items = [self.value(element, slot) for slot in slots]
        whole = press.form("<<" + ", ".join(["{}"] * len(items)) + ">>", *items)
        return press.form("SubSeq({}, 1, {})", whole, self.scribe.number(simplified(end), NUMBER))

    def _slots(self, domain: SeqDomain, codes: Sequence[Term]) -> list[Sequence[Term]]:
        size = self.schema.size(domain.element)
        return [codes[1 + i * size : 1 + (i + 1) * size] for i in range(domain.slots)]

    def _by_change(self, domain: SeqDomain, codes: Sequence[Term], own: Place) -> Doc | None:
        """A sequence by what happened to it, if that can be told."""
        press, here = self.press, self.scribe.place(own)
        now = self.schema.leaf_terms[own.at : own.at + own.size]
        end, slots = codes[0], self._slots(domain, codes)
        old_end, before = now[0], self._slots(domain, now)
        changed = [i for i, slot in enumerate(slots) if not _is_same(slot, before[i])]
        empty = [terms.const(code) for code in self.schema.initial_codes(domain.element)]
        if end is old_end:
            new = [(i, self.value(domain.element, slots[i])) for i in changed]
            edits = [self.edit(f"![{i + 1}]", [], doc) for i, doc in new]
            return press.make("except", "", [here, *edits])
        ends = self.possible.get(own.at, frozenset(range(domain.slots + 1)))
        if end.op == "const" and ends == {end.value - 1} and set(changed) <= {end.value - 1}:
            last = end.value - 1
            added = [
                nothing if code is old else code
                for code, old, nothing in zip(slots[last], before[last], empty, strict=True)
            ]
            return press.form("Append({}, {})", here, self._appended(domain, own, last, added))
        if self._is_popped(end, old_end, ends) and all(
            _is_same(slot, next_one)
            for slot, next_one in zip(slots, [*before[1:], empty], strict=True)
        ):
            return press.form("Tail({})", here)
        # An end beyond the present one is no cut.  Where it is computed, it can only be taken for
        # a cut if the elements have something that is reset.
        is_cut = end.value <= min(ends) if end.op == "const" else _has_leaf(before)
        if is_cut and all(
            _is_same(slots[i], self._cut(i, end, before[i], empty))
            or (end.op == "const" and i >= max(ends) and i not in changed)
            for i in range(domain.slots)
        ):
            if end is terms.const(0):
                return press.atom("<<>>")
            kept = self.scribe.number(simplified(end), NUMBER)
            return press.form("SubSeq({}, 1, {})", here, kept)
        return None

    @staticmethod
    def _is_popped(end: Term, old_end: Term, ends: frozenset[int]) -> bool:
        """Whether a sequence is shorter by one."""
        if end.op == "const":
            return ends == {end.value + 1}
        return end is terms.add(old_end, terms.const(-1))

    @staticmethod
    def _cut(i: int, end: Term, before: Sequence[Term], empty: Sequence[Term]) -> list[Term]:
        keep = terms.lt(terms.const(i), end)
        return [terms.ite(keep, old, new) for old, new in zip(before, empty, strict=True)]

    def _appended(self, domain: SeqDomain, own: Place, last: int, codes: Sequence[Term]) -> Doc:
        """A new element; one that is copied from the same index elsewhere says so."""
        source = self.schema.place_of(domain.element, codes)
        if source is not None and source.path[-1].what == "slot" and source.path[-1].key == last:
            inner = self.scribe.place(source)
            if inner.kind == "form":
                return self.press.form(inner.head, inner.parts[0], self.scribe.length(own))
        return self.value(domain.element, codes)

    # -- changes -------------------------------------------------------------------------------

    def edit(self, text: str, keys: Sequence[Doc], value: Doc) -> Doc:
        """One change of an EXCEPT."""
        return self.press.make("edit", f"{text} = {{}}", [*keys, value])

    def after(self, place: Place, changes: Mapping[int, Term]) -> Doc:
        """The value of a place after a step that changes leaves."""
        now = self.schema.leaf_terms[place.at : place.at + place.size]
        codes = [changes.get(place.at + i, term) for i, term in enumerate(now)]
        domain = place.domain
        if isinstance(domain, StructDomain | TableDomain):
            changed = sum(a is not b for a, b in zip(now, codes, strict=True))
            if changed < len(codes):
                edits = list(self._edits(place.domain, place.at, codes, "!", []))
                return self.press.make("except", "", [self.scribe.place(place), *edits])
        return self.value(domain, codes, place)

    def _edits(
        self, domain: Domain, at: int, codes: Sequence[Term], text: str, keys: list[Doc]
    ) -> Iterator[Doc]:
        now = self.schema.leaf_terms[at : at + len(codes)]
        if _is_same(now, codes):
            return
        is_inner = isinstance(domain, StructDomain | TableDomain)
        if is_inner and any(a is b for a, b in zip(now, codes, strict=True)):
            assert isinstance(domain, StructDomain | TableDomain)
            for key, inner, part, offset in self._parts(domain, codes):
                is_field = isinstance(domain, StructDomain)
                step = f".{field_name(key)}" if is_field else "[{}]"
                more = keys if is_field else [*keys, self.scribe.constant(key)]
                yield from self._edits(inner, at + offset, part, text + step, more)
            return
        own = self.schema.place_at(at, domain)
        yield self.edit(text, keys, self.value(domain, codes, own))


def _is_same(a: Sequence[Term], b: Sequence[Term]) -> bool:
    return all(x is y for x, y in zip(a, b, strict=True))


def _has_leaf(slots: Sequence[Sequence[Term]]) -> bool:
    return any(code.op == "leaf" for slot in slots for code in slot)


def _either_leaf(code: Term) -> tuple[int, int] | None:
    """The two flags of which a flag is the disjunction, lower index first."""
    if code.op != "ite" or (code.args[1].value, code.args[2].value) != (1, 0):
        return None
    condition = code.args[0]
    if condition.op != "or" or len(condition.args) != 2:
        return None
    found = []
    for part in condition.args:
        if part.op != "eq" or part.args[0].op != "leaf" or part.args[1] is not terms.const(1):
            return None
        found.append(part.args[0].value)
    return min(found), max(found)


__all__ = ["Possible", "Values"]
