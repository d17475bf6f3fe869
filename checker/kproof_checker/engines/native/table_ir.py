"""The table of states and the loop around it, as IR.

Open addressing, linear probing.  A slot is 64 bits: 32 of the state's hash, and its index plus one;
zero is free.  Whatever the hash says, two states are taken for the same only when all their words
are equal.  How several workers share the table is in `claim_ir`.
"""

from __future__ import annotations

from .claim_ir import CLAIM, ClaimWriter, load_slot
from .frame import (
    BUFFERED,
    CHUNK,
    COUNT,
    CURSOR,
    FLUSH_AT,
    LIMIT,
    MASK,
    OPEN,
    PARENTS,
    STATES,
    STEPS,
    TABLE,
    UNTIL,
    Frame,
)
from .rows_ir import INDEX_BITS, Arrays, hashed, is_same, row, write_state
from .text import Function, unsigned


class TableWriter:
    """Writes `@flush`, `@run` and `@rehash` for one worker or for several."""

    def __init__(self, frame: Frame, *, is_shared: bool, has_symmetry: bool) -> None:
        self.frame, self.is_shared, self.has_symmetry = frame, is_shared, has_symmetry

    def write(self) -> str:
        """The functions as IR."""
        return "\n".join([self._flush(), self._run(), self._rehash(), self._edges()])

    def _row(self, f: Function, base: str, number: str, offset: int = 0) -> list[str]:
        return row(f, self.frame.words, base, number, offset)

    def _flush(self) -> str:
        """Looks up what was gathered, and adds what is new.

        Three passes, so that the cache misses of many look-ups overlap: hash and fetch the slots;
        fetch the states that slots point to; compare and insert.
        """
        f = Function("define internal void @flush(ptr %shared, ptr %own)")
        frame = self.frame
        count = f.load("%own", BUFFERED)
        slots, mask = f.load_pointer("%shared", TABLE), f.load("%shared", MASK)
        states = f.load_pointer("%shared", STATES)
        parents, steps = f.load_pointer("%shared", PARENTS), f.load_pointer("%shared", STEPS)
        arrays = Arrays(slots, mask, states, parents, steps)
        with f.loop(0, count) as i:
            words = self._row(f, "%own", i, frame.rows)
            if self.has_symmetry:
                place = f.op(f"add i64 {f.op(f'mul i64 {i}, {frame.words}')}, {frame.rows}")
                f.do(f"call void @canonical(ptr {f.at('%own', place)})")
                words = self._row(f, "%own", i, frame.rows)
            mixed = hashed(f, words)
            f.store(mixed, "%own", f.op(f"add i64 {i}, {frame.hashes}"))
            home = f.at(slots, f.op(f"and i64 {mixed}, {mask}"))
            f.do(f"call void @llvm.prefetch.p0(ptr {home}, i32 1, i32 3, i32 1)")
        with f.loop(0, count) as i:
            mixed = f.load("%own", f.op(f"add i64 {i}, {frame.hashes}"))
            slot = self._slot(f, f.at(slots, f.op(f"and i64 {mixed}, {mask}")))
            index = f.op(f"sub i64 {f.op(f'and i64 {slot}, {INDEX_BITS}')}, 1")
            index = f.op(f"call i64 @llvm.smax.i64(i64 {index}, i64 0)")
            # A claim of another worker is no index; what is fetched then is not used.
            index = f.op(f"and i64 {index}, {CLAIM - 1}")
            state = f.at(states, f.op(f"mul i64 {index}, {frame.words}"))
            f.do(f"call void @llvm.prefetch.p0(ptr {state}, i32 0, i32 3, i32 1)")
        if self.is_shared:
            ClaimWriter(f, frame, arrays).write(count)
        else:
            with f.loop(0, count) as i:
                self._insert(f, i, arrays)
        f.store(0, "%own", BUFFERED)
        f.do("ret void")
        return str(f)

    def _slot(self, f: Function, address: str) -> str:
        return load_slot(f, address) if self.is_shared else f.op(f"load i64, ptr {address}")

    def _insert(self, f: Function, i: str, arrays: Arrays) -> None:
        """Adds gathered state `i` unless it is there."""
        frame = self.frame
        slots, mask, states = arrays.slots, arrays.mask, arrays.states
        words = self._row(f, "%own", i, frame.rows)
        mixed = f.load("%own", f.op(f"add i64 {i}, {frame.hashes}"))
        tag = f.op(f"and i64 {mixed}, {unsigned(0xFFFFFFFF00000000)}")
        start = f.op(f"and i64 {mixed}, {mask}")
        before = f.block
        probe, taken, same, further, free, done = (
            f.new_block(hint) for hint in ("probe", "taken", "same", "further", "free", "done")
        )
        f.jump(probe)
        f.begin(probe)
        position, following = f"%p.{probe}", f"%q.{probe}"
        phi = len(f.lines)
        f.lines.append("")
        address = f.at(slots, position)
        slot = self._slot(f, address)
        f.branch(f.op(f"icmp eq i64 {slot}, 0"), free, taken)

        f.begin(taken)
        its_tag = f.op(f"and i64 {slot}, {unsigned(0xFFFFFFFF00000000)}")
        f.branch(f.op(f"icmp eq i64 {its_tag}, {tag}"), same, further)

        f.begin(same)
        index = f.op(f"and i64 {slot}, {INDEX_BITS}")
        theirs = self._row(f, states, f.op(f"sub i64 {index}, 1"))
        f.branch(is_same(f, words, theirs), done, further)

        f.begin(further)
        f.lines.append(f"  {following}.0 = add i64 {position}, 1")
        f.lines.append(f"  {following} = and i64 {following}.0, {mask}")
        f.jump(probe)

        f.begin(free)
        count_address = f.at("%shared", COUNT)
        new = f.op(f"load i64, ptr {count_address}")
        f.do(f"store i64 {f.op(f'add i64 {new}, 1')}, ptr {count_address}")
        write_state(f, self.frame, arrays, i, new)
        filled = f.op(f"or i64 {tag}, {f.op(f'add i64 {new}, 1')}")
        f.do(f"store i64 {filled}, ptr {address}")
        f.jump(done)
        sources = [f"[ {start}, %{before} ]", f"[ {following}, %{further} ]"]
        f.lines[phi] = f"  {position} = phi i64 {', '.join(sources)}"
        f.begin(done)

    def _run(self) -> str:
        """Takes chunks of states and visits them until there are none, or too many were found."""
        f = Function("define void @run(ptr %shared, ptr %own)")
        f.jump("take")
        f.begin("take")
        cursor, until = f.at("%shared", CURSOR), f.load("%shared", UNTIL)
        count = f.op(f"load atomic i64, ptr {f.at('%shared', COUNT)} monotonic, align 8")
        is_full = f.op(f"icmp sgt i64 {count}, {f.load('%shared', LIMIT)}")
        f.branch(is_full, "finish", "chunk")
        f.begin("chunk")
        first = f.op(f"atomicrmw add ptr {cursor}, i64 {CHUNK} monotonic, align 8")
        f.branch(f.op(f"icmp sge i64 {first}, {until}"), "finish", "work")
        f.begin("work")
        last = f.op(f"add i64 {first}, {CHUNK}")
        last = f.op(f"call i64 @llvm.smin.i64(i64 {last}, i64 {until})")
        states, open_ = f.load_pointer("%shared", STATES), f.load("%shared", OPEN)
        with f.loop(first, last) as i:
            words = ", ".join(f"i64 {word}" for word in self._row(f, states, i))
            f.do(f"call void @visit({words}, i64 {i}, ptr %own, i64 {open_})")
            gathered = f.load("%own", BUFFERED)
            flush, after = f.new_block("flush"), f.new_block("after")
            f.branch(f.op(f"icmp sge i64 {gathered}, {FLUSH_AT}"), flush, after)
            f.begin(flush)
            f.do("call void @flush(ptr %shared, ptr %own)")
            f.jump(after)
            f.begin(after)
        f.jump("take")
        f.begin("finish")
        f.do("call void @flush(ptr %shared, ptr %own)")
        f.do("ret void")
        return str(f)

    def _rehash(self) -> str:
        """Puts states `first..last - 1` into the table, which has none of them.

        Workers may each take a part of the states.  Slots are fetched ahead so that misses overlap.
        """
        f = Function("define void @rehash(ptr %shared, i64 %first, i64 %last)")
        slots, mask = f.load_pointer("%shared", TABLE), f.load("%shared", MASK)
        states = f.load_pointer("%shared", STATES)
        ahead = 16
        with f.loop("%first", "%last") as i:
            soon = f.op(f"add i64 {i}, {ahead}")
            end = f.op("sub i64 %last, 1")
            soon = f.op(f"call i64 @llvm.smin.i64(i64 {soon}, i64 {end})")
            later = hashed(f, self._row(f, states, soon))
            home = f.at(slots, f.op(f"and i64 {later}, {mask}"))
            f.do(f"call void @llvm.prefetch.p0(ptr {home}, i32 1, i32 3, i32 1)")
            mixed = hashed(f, self._row(f, states, i))
            start = f.op(f"and i64 {mixed}, {mask}")
            before, probe, further, free = (
                f.block,
                f.new_block("probe"),
                f.new_block("further"),
                f.new_block("free"),
            )
            f.jump(probe)
            f.begin(probe)
            position, following = f"%p.{probe}", f"%q.{probe}"
            f.lines.append(
                f"  {position} = phi i64 [ {start}, %{before} ], [ {following}, %{further} ]"
            )
            address = f.at(slots, position)
            slot = f.op(f"load i64, ptr {address}")
            f.branch(f.op(f"icmp eq i64 {slot}, 0"), free, further)
            f.begin(further)
            f.lines.append(f"  {following}.0 = add i64 {position}, 1")
            f.lines.append(f"  {following} = and i64 {following}.0, {mask}")
            f.jump(probe)
            f.begin(free)
            tag = f.op(f"and i64 {mixed}, {unsigned(0xFFFFFFFF00000000)}")
            filled = f.op(f"or i64 {tag}, {f.op(f'add i64 {i}, 1')}")
            if self.is_shared:
                done = f.new_block("done")
                pair = f.op(f"cmpxchg ptr {address}, i64 0, i64 {filled} monotonic monotonic")
                # A slot that another worker took first is passed over like any other.
                f.branch(f.op(f"extractvalue {{ i64, i1 }} {pair}, 1"), done, further)
                f.begin(done)
            else:
                f.do(f"store i64 {filled}, ptr {address}")
        f.do("ret void")
        return str(f)

    def _edges(self) -> str:
        """Gathers the steps of states until a buffer is full, and finds where they lead.

        Only for states whose successors are all in the table; nothing is inserted.
        """
        f = Function("define i64 @edges(ptr %shared, ptr %own, i64 %first, i64 %last)")
        frame = self.frame
        slots, mask = f.load_pointer("%shared", TABLE), f.load("%shared", MASK)
        states = f.load_pointer("%shared", STATES)
        f.jump("more")
        f.begin("more")
        f.lines.append("  %state = phi i64 [ %first, %entry ], [ %next, %more ]")
        words = ", ".join(f"i64 {word}" for word in self._row(f, states, "%state"))
        f.do(f"call void @visit({words}, i64 %state, ptr %own, i64 0)")
        f.lines.append("  %next = add i64 %state, 1")
        count = f.load("%own", BUFFERED)
        is_full = f.op(f"icmp sge i64 {count}, {FLUSH_AT}")
        is_last = f.op("icmp sge i64 %next, %last")
        f.branch(f.op(f"or i1 {is_full}, {is_last}"), "found", "more")
        f.begin("found")
        with f.loop(0, count) as i:
            if self.has_symmetry:
                place = f.op(f"add i64 {f.op(f'mul i64 {i}, {frame.words}')}, {frame.rows}")
                f.do(f"call void @canonical(ptr {f.at('%own', place)})")
            mine = self._row(f, "%own", i, frame.rows)
            start = f.op(f"and i64 {hashed(f, mine)}, {mask}")
            before, probe, further, match = (
                f.block,
                f.new_block("probe"),
                f.new_block("further"),
                f.new_block("match"),
            )
            f.jump(probe)
            f.begin(probe)
            position, following = f"%p.{probe}", f"%q.{probe}"
            f.lines.append(
                f"  {position} = phi i64 [ {start}, %{before} ], [ {following}, %{further} ]"
            )
            slot = f.load(slots, position)
            index = f.op(f"sub i64 {f.op(f'and i64 {slot}, {INDEX_BITS}')}, 1")
            # A free slot gives -1, which is where a state that is not there "leads" to.
            is_free = f.op(f"icmp eq i64 {slot}, 0")
            safe = f.op(f"call i64 @llvm.smax.i64(i64 {index}, i64 0)")
            theirs = self._row(f, states, safe)
            equal = "true"
            for a, b in zip(mine, theirs, strict=True):
                equal = f.op(f"and i1 {equal}, {f.op(f'icmp eq i64 {a}, {b}')}")
            same = f.op(f"or i1 {is_free}, {equal}")
            f.branch(same, match, further)
            f.begin(further)
            f.lines.append(f"  {following}.0 = add i64 {position}, 1")
            f.lines.append(f"  {following} = and i64 {following}.0, {mask}")
            f.jump(probe)
            f.begin(match)
            f.store(index, "%own", f.op(f"add i64 {i}, {frame.hashes}"))
        f.do("ret i64 %next")
        return str(f)
