"""Formulas between arrays as trees: worked out, written down in anybody's orientation, and taken apart.

Inside, every example is a row and every weight matrix is (in, out). Who has columns, or (out, in), reads the same
formula with its factors transposed and exchanged: (X·W)ᵀ = Wᵀ·Xᵀ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple

from tutor.trace.precision import Bounded, BoundedSystem

Array = Any


class Role(NamedTuple):
    """What an array is: `W` of layer 1, `Z` of layer 2; what has no layer has 0, and the examples are `A` of layer 0.
    A state of an optimizer names its parameter: `m.W`, and `m.W_new` after the update."""

    kind: str
    layer: int = 0


Values = Callable[[Role], Bounded]


class Rows(NamedTuple):
    """Some rows of what has `all` of them. A vector, or a single row, stands beside each and is not cut."""

    at: slice
    all: int

    def of(self, whole: Bounded) -> Bounded:
        shape = whole.shape
        return whole[self.at] if len(shape) == 2 and shape[0] == self.all else whole


RowsOf = Callable[[Role, Rows], Bounded]


Spelling = Callable[[Role, bool], str]
"""The writer's name of an array, for it or for its transpose as it stands inside."""


class Node:
    """A formula. `tag` says what part it plays, for what rewrites it."""

    __slots__ = ()
    tag: str = ""
    operands: ClassVar[tuple[str, ...]] = ()

    def value(self, values: Values) -> Bounded:
        raise NotImplementedError

    def rows(self, rows: Rows, values: Values, rows_of: RowsOf) -> Bounded:
        """Some rows of the value, from as little of what it is made of as they need."""
        return rows.of(self.value(values))

    def text(self, spelled: Spelling, transposed: bool = False) -> str:
        raise NotImplementedError

    @property
    def parts(self) -> tuple[Node, ...]:
        return tuple(getattr(self, name) for name in self.operands)

    def with_parts(self, parts: tuple[Node, ...]) -> Node:
        node: Any = self  # every formula is a dataclass, which `Node` itself is not
        changed: Node = replace(node, **dict(zip(self.operands, parts, strict=True)))
        return changed


@dataclass(frozen=True, slots=True)
class Ref(Node):
    """An array."""

    role: Role
    tag: str = ""

    def value(self, values: Values) -> Bounded:
        return values(self.role)

    def rows(self, rows: Rows, values: Values, rows_of: RowsOf) -> Bounded:
        return rows_of(self.role, rows)

    def text(self, spelled: Spelling, transposed: bool = False) -> str:
        return spelled(self.role, transposed)


@dataclass(frozen=True, slots=True)
class Transposed(Node):
    """The transpose."""

    of: Node
    tag: str = ""
    operands: ClassVar[tuple[str, ...]] = ("of",)

    def value(self, values: Values) -> Bounded:
        return self.of.value(values).T

    def text(self, spelled: Spelling, transposed: bool = False) -> str:
        return self.of.text(spelled, not transposed)


@dataclass(frozen=True, slots=True)
class Product(Node):
    """The matrix product."""

    left: Node
    right: Node
    tag: str = ""
    operands: ClassVar[tuple[str, ...]] = ("left", "right")

    def value(self, values: Values) -> Bounded:
        return self.left.value(values) @ self.right.value(values)

    def rows(self, rows: Rows, values: Values, rows_of: RowsOf) -> Bounded:
        return self.left.rows(rows, values, rows_of) @ self.right.value(values)

    def text(self, spelled: Spelling, transposed: bool = False) -> str:
        factors = (self.right, self.left) if transposed else (self.left, self.right)
        return "·".join(_inner(f, spelled, transposed) for f in factors)


@dataclass(frozen=True, slots=True)
class Entrywise(Node):
    """Sum, difference or product entry by entry: the sign is +, - or ⊙."""

    sign: str
    left: Node
    right: Node
    tag: str = ""
    operands: ClassVar[tuple[str, ...]] = ("left", "right")

    def value(self, values: Values) -> Bounded:
        return self._combined(self.left.value(values), self.right.value(values))

    def rows(self, rows: Rows, values: Values, rows_of: RowsOf) -> Bounded:
        return self._combined(self.left.rows(rows, values, rows_of), self.right.rows(rows, values, rows_of))

    def _combined(self, left: Bounded, right: Bounded) -> Bounded:
        if self.sign == "⊙":
            return left * right
        return left + right if self.sign == "+" else left - right

    def text(self, spelled: Spelling, transposed: bool = False) -> str:
        inner = _inner if self.sign == "⊙" else _plain
        right = _inner if self.sign == "-" else inner
        return f"{inner(self.left, spelled, transposed)} {self.sign} {right(self.right, spelled, transposed)}"


@dataclass(frozen=True, slots=True)
class Scaled(Node):
    """An array times a number, written as `before` and `after` say."""

    of: Node
    factor: float
    before: str = ""
    after: str = ""
    tag: str = ""
    operands: ClassVar[tuple[str, ...]] = ("of",)

    def value(self, values: Values) -> Bounded:
        return self.of.value(values) * self.factor

    def rows(self, rows: Rows, values: Values, rows_of: RowsOf) -> Bounded:
        return self.of.rows(rows, values, rows_of) * self.factor

    def text(self, spelled: Spelling, transposed: bool = False) -> str:
        return f"{self.before}{_inner(self.of, spelled, transposed)}{self.after}"


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A function of arrays, entry by entry or of whole rows; `written` has a place {0} for each argument."""

    function: Callable[..., Any]
    arguments: tuple[Node, ...]
    written: str
    tag: str = ""
    whole: bool = False

    def value(self, values: Values) -> Bounded:
        return self._called([a.value(values) for a in self.arguments])

    def rows(self, rows: Rows, values: Values, rows_of: RowsOf) -> Bounded:
        if self.whole:
            return rows.of(self.value(values))
        return self._called([a.rows(rows, values, rows_of) for a in self.arguments])

    def _called(self, arguments: list[Bounded]) -> Bounded:
        found = self.function(*arguments, BoundedSystem)
        return found if isinstance(found, Bounded) else _constant(found, arguments[0])

    def text(self, spelled: Spelling, transposed: bool = False) -> str:
        return self.written.format(*(a.text(spelled, transposed) for a in self.arguments))

    @property
    def parts(self) -> tuple[Node, ...]:
        return self.arguments

    def with_parts(self, parts: tuple[Node, ...]) -> Node:
        return replace(self, arguments=parts)


def _constant(number: Any, like: Bounded) -> Bounded:
    return Bounded(like.value * 0 + number, 0.0, like.precision)


def _plain(node: Node, spelled: Spelling, transposed: bool) -> str:
    return node.text(spelled, transposed)


def _inner(node: Node, spelled: Spelling, transposed: bool) -> str:
    text = node.text(spelled, transposed)
    return f"({text})" if isinstance(node, Entrywise) and node.sign != "⊙" else text


def everything_in(node: Node) -> Iterator[Node]:
    yield node
    for part in node.parts:
        yield from everything_in(part)


def roles_in(node: Node) -> list[Role]:
    """The arrays that a formula is made of, each once."""
    return [*dict.fromkeys(n.role for n in everything_in(node) if isinstance(n, Ref))]


def rewritten(node: Node, change: Callable[[Node], Node | None]) -> Node:
    """The formula with every part that `change` has something else for, outermost first."""
    other = change(node)
    if other is not None:
        return other
    parts = node.parts
    made = tuple(rewritten(part, change) for part in parts)
    return node if all(a is b for a, b in zip(parts, made, strict=True)) else node.with_parts(made)
