"""Several workers and one table, as IR: claim, then number, then publish.

A worker that finds a free slot claims it by compare and swap.  The claim says whose it is and which
row of the worker's own buffer holds the state, so another worker that meets it can compare with
that row at once; nobody ever waits for anybody.  When all gathered states are looked up, the worker
takes as many numbers as it has claims, in one addition to the shared count, writes its states side
by side, and publishes each slot.  Had every state been numbered by itself, workers would fight over
the count and, since neighbours share cache lines, over every line that is written.

A row that is compared with may be overwritten meanwhile, once its claim is published.  So the slot
is read again after the comparison: only if it is still the same claim was the row still the state.
"""

from __future__ import annotations

from .frame import COUNT, OWNERS, WORKER, Frame
from .rows_ir import INDEX_BITS, Arrays, is_same, row, write_state
from .text import Function, unsigned

CLAIM = 1 << 31
"""This bit of a slot's index says that it is a claim."""
ROW_BITS = 17
"""A claim is the worker's number above this many bits, and the row in its buffer below."""
WORKERS_MAX = 1 << (31 - ROW_BITS)
TAG_BITS = unsigned(0xFFFFFFFF00000000)


def load_slot(f: Function, address: str) -> str:
    """A slot that other workers may be writing."""
    return f.op(f"load atomic i64, ptr {address} acquire, align 8")


class ClaimWriter:
    """Writes the last pass of `@flush` for several workers."""

    def __init__(self, f: Function, frame: Frame, arrays: Arrays) -> None:
        self.f, self.frame, self.arrays = f, frame, arrays

    def write(self, count: str) -> None:
        """Claims a slot for each gathered state that is new, then numbers and publishes them."""
        f, frame = self.f, self.frame
        mine = f.op(f"shl i64 {f.load('%own', WORKER)}, {ROW_BITS}")
        mine = f.op(f"or i64 {mine}, {CLAIM}")
        claims = f.at("%own", frame.claims)
        f.store(0, claims, 0)
        with f.loop(0, count) as i:
            self._claim(i, mine, claims)
        new = f.load(claims, 0)
        total = f.at("%shared", COUNT)
        first = f.op(f"atomicrmw add ptr {total}, i64 {new} monotonic, align 8")
        with f.loop(0, new) as k:
            place = f.op(f"add i64 {f.op(f'mul i64 {k}, 2')}, 1")
            i = f.load(claims, place)
            position = f.load(claims, f.op(f"add i64 {place}, 1"))
            index = f.op(f"add i64 {first}, {k}")
            write_state(f, frame, self.arrays, i, index)
            mixed = f.load("%own", f.op(f"add i64 {i}, {frame.hashes}"))
            tag = f.op(f"and i64 {mixed}, {TAG_BITS}")
            filled = f.op(f"or i64 {tag}, {f.op(f'add i64 {index}, 1')}")
            slot = f.at(self.arrays.slots, position)
            f.do(f"store atomic i64 {filled}, ptr {slot} release, align 8")

    def _claim(self, i: str, mine: str, claims: str) -> None:
        """Looks gathered state `i` up; claims a slot for it if it is not there."""
        f, frame, arrays = self.f, self.frame, self.arrays
        words = row(f, frame.words, "%own", i, frame.rows)
        mixed = f.load("%own", f.op(f"add i64 {i}, {frame.hashes}"))
        tag = f.op(f"and i64 {mixed}, {TAG_BITS}")
        start = f.op(f"and i64 {mixed}, {arrays.mask}")
        before = f.block
        names = ("probe", "taken", "same", "further", "free", "won", "done")
        probe, taken, same, further, free, won, done = (f.new_block(name) for name in names)
        f.jump(probe)
        f.begin(probe)
        position, following = f"%p.{probe}", f"%q.{probe}"
        phi = len(f.lines)
        f.lines.append("")
        address = f.at(arrays.slots, position)
        slot = load_slot(f, address)
        f.branch(f.op(f"icmp eq i64 {slot}, 0"), free, taken)
        f.begin(taken)
        its_tag = f.op(f"and i64 {slot}, {TAG_BITS}")
        f.branch(f.op(f"icmp eq i64 {its_tag}, {tag}"), same, further)
        f.begin(same)
        again = self._compare(words, slot, address, done, further, probe)
        f.begin(further)
        f.lines.append(f"  {following}.0 = add i64 {position}, 1")
        f.lines.append(f"  {following} = and i64 {following}.0, {arrays.mask}")
        f.jump(probe)
        f.begin(free)
        claim = f.op(f"or i64 {f.op(f'or i64 {tag}, {mine}')}, {i}")
        pair = f.op(f"cmpxchg ptr {address}, i64 0, i64 {claim} acq_rel acquire, align 8")
        # A lost race is looked at again: the winner may have put in the same state.
        f.branch(f.op(f"extractvalue {{ i64, i1 }} {pair}, 1"), won, probe)
        f.begin(won)
        known = f.load(claims, 0)
        place = f.op(f"add i64 {f.op(f'mul i64 {known}, 2')}, 1")
        f.store(i, claims, place)
        f.store(position, claims, f.op(f"add i64 {place}, 1"))
        f.store(f.op(f"add i64 {known}, 1"), claims, 0)
        f.jump(done)
        sources = [f"[ {start}, %{before} ]", f"[ {following}, %{further} ]"]
        sources += [f"[ {position}, %{block} ]" for block in (again, free)]
        f.lines[phi] = f"  {position} = phi i64 {', '.join(sources)}"
        f.begin(done)

    def _compare(
        self, words: list[str], slot: str, address: str, done: str, further: str, probe: str
    ) -> str:
        """Compares with the state of a slot that has our tag; the block that probes again."""
        f, frame = self.f, self.frame
        claimed, known, still = (f.new_block(hint) for hint in ("claimed", "known", "still"))
        index = f.op(f"and i64 {slot}, {INDEX_BITS}")
        is_claim = f.op(f"icmp ne i64 {f.op(f'and i64 {index}, {CLAIM}')}, 0")
        f.branch(is_claim, claimed, known)

        f.begin(known)
        theirs = row(f, frame.words, self.arrays.states, f.op(f"sub i64 {index}, 1"))
        f.branch(is_same(f, words, theirs), done, further)

        f.begin(claimed)
        number = f.op(f"lshr i64 {f.op(f'xor i64 {index}, {CLAIM}')}, {ROW_BITS}")
        owner = f.load("%shared", f.op(f"add i64 {number}, {OWNERS}"))
        buffer = f.op(f"inttoptr i64 {owner} to ptr")
        their_row = f.op(f"and i64 {index}, {(1 << ROW_BITS) - 1}")
        first = f.op(f"add i64 {f.op(f'mul i64 {their_row}, {frame.words}')}, {frame.rows}")
        theirs = []
        for word in range(frame.words):
            place = f.at(buffer, f.op(f"add i64 {first}, {word}"))
            theirs.append(f.op(f"load atomic i64, ptr {place} monotonic, align 8"))
        equal = is_same(f, words, theirs)
        f.do("fence acquire")
        now = f.op(f"load atomic i64, ptr {address} monotonic, align 8")
        f.branch(f.op(f"icmp eq i64 {now}, {slot}"), still, probe)
        f.begin(still)
        f.branch(equal, done, further)
        return claimed
