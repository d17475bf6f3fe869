"""Writing LLVM IR as text: one function at a time, block by block."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class Function:
    """The body of one function.  Every value is an i64, a pointer or an i1, by name."""

    def __init__(self, header: str) -> None:
        self.header = header
        self.lines: list[str] = []
        self._values = self._blocks = 0
        self.block = "entry"

    def op(self, text: str) -> str:
        """An instruction that gives a value; its name."""
        self._values += 1
        name = f"%v{self._values}"
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """An instruction that gives no value."""
        self.lines.append(f"  {text}")

    def new_block(self, hint: str = "b") -> str:
        """A name for a block that is not begun yet."""
        self._blocks += 1
        return f"{hint}{self._blocks}"

    def begin(self, block: str) -> None:
        """Begins a block."""
        self.lines.append(f"{block}:")
        self.block = block

    def jump(self, block: str) -> None:
        """Goes to a block."""
        self.do(f"br label %{block}")

    def branch(self, condition: str, yes: str, no: str) -> None:
        """Goes to one of two blocks."""
        self.do(f"br i1 {condition}, label %{yes}, label %{no}")

    # -- memory ------------------------------------------------------------------------------

    def at(self, base: str, index: str | int, kind: str = "i64") -> str:
        """The address of element `index` of an array of `kind`."""
        return self.op(f"getelementptr inbounds {kind}, ptr {base}, i64 {index}")

    def load(self, base: str, index: str | int, kind: str = "i64") -> str:
        """Element `index` of an array."""
        return self.op(f"load {kind}, ptr {self.at(base, index, kind)}")

    def load_pointer(self, base: str, index: int) -> str:
        """The pointer that is kept as an integer in element `index`."""
        return self.op(f"inttoptr i64 {self.load(base, index)} to ptr")

    def store(self, value: str | int, base: str, index: str | int, kind: str = "i64") -> None:
        """Writes element `index` of an array."""
        self.do(f"store {kind} {value}, ptr {self.at(base, index, kind)}")

    def increment(self, base: str, index: str | int, by: str | int = 1) -> str:
        """Adds to element `index` of an array; its former value."""
        address = self.at(base, index)
        former = self.op(f"load i64, ptr {address}")
        self.do(f"store i64 {self.op(f'add i64 {former}, {by}')}, ptr {address}")
        return former

    # -- loops -------------------------------------------------------------------------------

    @contextmanager
    def loop(self, start: str | int, end: str | int) -> Iterator[str]:
        """A loop over `start..end - 1`; gives the counter's name to its body."""
        before, head, body, after = (
            self.block,
            self.new_block("head"),
            self.new_block("body"),
            self.new_block("after"),
        )
        self.jump(head)
        self.begin(head)
        counter, following = f"%i.{head}", f"%n.{head}"
        place = len(self.lines)
        self.lines.append("")
        self.branch(self.op(f"icmp slt i64 {counter}, {end}"), body, after)
        self.begin(body)
        yield counter
        self.lines.append(f"  {following} = add i64 {counter}, 1")
        self.lines[place] = (
            f"  {counter} = phi i64 [ {start}, %{before} ], [ {following}, %{self.block} ]"
        )
        self.jump(head)
        self.begin(after)

    def __str__(self) -> str:
        body = "\n".join(self.lines)
        return f"{self.header} {{\nentry:\n{body}\n}}\n"


def unsigned(value: int) -> int:
    """A 64-bit word as LLVM writes it: signed."""
    value &= 0xFFFFFFFFFFFFFFFF
    return value - (1 << 64) if value >> 63 else value
