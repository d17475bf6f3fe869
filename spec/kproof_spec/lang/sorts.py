"""Sorts: the finite kinds of thing that a specification speaks of.

    class ReplicaId(Id, size=replicas, symmetric=True, prefix="b"):
        '''A broker that holds a replica of the partition.'''

    class Offset(Bounded, low=0, high=log_size - 1):
        '''An offset in the log, 0-based.'''

An `Id` has a name and nothing else.  Ids of a symmetric sort are interchangeable: comparing them
for order, calculating with them or naming one by a literal would tell them apart, so it raises.
That is what makes symmetry reduction sound without an argument by the author.

A `Bounded` is a plain `int` at run time; the class says which ones parameters range over.

In an open scope ids grow by name: `scope.id(MemberId, "consumer-1-5f0c")`.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar, NoReturn, Self, cast

from .errors import Misuse
from .symbolic import Symbolic, Tracing


class Id:
    """One thing of a sort.  Two ids are the same thing or they are not; nothing else is asked."""

    __slots__ = ("_index", "name")

    size: ClassVar[Any] = 0
    """How many there are: a number or a constant."""
    symmetric: ClassVar[bool] = False
    prefix: ClassVar[str] = ""
    _known: ClassVar[dict[int, Any]]

    _index: int
    name: str

    def __init_subclass__(
        cls, *, size: Any, symmetric: bool = False, prefix: str = "", **rest: Any
    ) -> None:
        super().__init_subclass__(**rest)
        cls.size, cls.symmetric = size, symmetric
        cls.prefix = prefix or cls.__name__.removesuffix("Id").lower()
        cls._known = {}

    def __init__(self, index: int, name: str) -> None:
        self._index, self.name = index, name

    @classmethod
    def numbered(cls, index: int) -> Self:
        """The id with this number in closed scopes; the same object each time.

        For tests and tools: a specification that names a symmetric id by a number is refused.
        """
        if Tracing.current is not None and cls.symmetric:
            raise Misuse(
                f"{cls.__name__}.numbered({index}) names an id of a symmetric sort, but such ids "
                "are interchangeable: pass it as a parameter"
            )
        return cls._numbered(index)

    @classmethod
    def _numbered(cls, index: int) -> Self:
        known: Self | None = cls._known.get(index)
        if known is None:
            known = cls._known[index] = cls(index, f"{cls.prefix}{index}")
        return known

    def __repr__(self) -> str:
        return self.name

    def __hash__(self) -> int:
        return self._index

    def _member_key(self) -> int:
        return self._index

    def __eq__(self, other: object) -> Any:
        if self is other:
            return True
        if isinstance(other, Symbolic):
            return NotImplemented
        if type(other) is type(self) or other is NONE or self is NONE:
            return False
        raise Misuse(
            f"{self.name} is a {type(self).__name__} and was compared with {other!r}: an id can "
            "be compared with ids of its own sort and with NONE. Pass ids as parameters, not as "
            "literals"
        )

    def __ne__(self, other: object) -> Any:
        equal = self.__eq__(other)
        return equal if equal is NotImplemented else not equal

    def _compared(self, other: object, holds: Callable[[int, int], bool]) -> Any:
        if self.symmetric:
            self._refuse("order")
        if isinstance(other, Symbolic):
            return NotImplemented
        if not isinstance(other, type(self)):
            raise Misuse(f"{self!r} cannot be ordered against {other!r}")
        return holds(self._index, other._index)

    def __lt__(self, other: Any) -> bool:
        return cast(bool, self._compared(other, operator.lt))

    def __le__(self, other: Any) -> bool:
        return cast(bool, self._compared(other, operator.le))

    def __gt__(self, other: Any) -> bool:
        return cast(bool, self._compared(other, operator.gt))

    def __ge__(self, other: Any) -> bool:
        return cast(bool, self._compared(other, operator.ge))

    def _refuse(self, what: str) -> NoReturn:
        sort = type(self).__name__
        kind = "ids of a symmetric sort are interchangeable" if self.symmetric else "it is an id"
        raise Misuse(f"{what} was asked of {self.name}, a {sort}, but {kind}")

    def _no_arithmetic(self, other: Any = None) -> NoReturn:
        self._refuse("arithmetic")

    def __bool__(self) -> NoReturn:
        raise Misuse(f"{self.name} was used as a truth value: write `== NONE` or `!= NONE`")

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __mod__ = _no_arithmetic
    __index__ = __int__ = __neg__ = __floordiv__ = _no_arithmetic


class _Nobody(Id, size=0):
    """The sort of `NONE`."""

    __slots__ = ()


NONE: Any = _Nobody(-1, "NONE")
"""No id: the value of an optional field (`maybe`) that names nobody.  Compare with `==`."""


class Bounded(int):
    """A sort of whole numbers, `low..high` inclusive.  Its values are plain ints."""

    low: ClassVar[Any] = 0
    high: ClassVar[Any] = 0

    def __init_subclass__(cls, *, low: Any = 0, high: Any, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        cls.low, cls.high = low, high
