"""Indices in formulas: x[2*i+1], x[i,j], sums over a range. Arithmetic of whole numbers, and the names that it makes.

All of it is worked out on Python's syntax tree, exactly, while a formula is read; what is left has numbers for indices.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from keyword import iskeyword

from tutor.errors import listed
from tutor.formulas.names import meant_by

Indices = Mapping[str, int]
NO_INDICES: Indices = {}

RANGE = "|"  # what stands for .. in Python's grammar, where it binds less tightly than arithmetic
INDEXED = re.compile(r"(.+)\[((?:0|[1-9][0-9]{0,3})(?:,(?:0|[1-9][0-9]{0,3}))*)\]")
LARGEST_INDEX = 9_999
_LARGEST_NUMBER = 10**9
_LARGEST_POWER = 30
_DEEPEST = 100
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")


Number = int | Fraction
"""A whole number for as long as nothing is divided."""


def _power(base: Number, exponent: Number) -> Number:
    if exponent.denominator != 1 or not 0 <= exponent <= _LARGEST_POWER:
        raise ValueError(f"a power of indices has a whole exponent from 0 to {_LARGEST_POWER}")
    return Fraction(base ** int(exponent))


Operations = Mapping[type, Callable[[Number, Number], Number]]

FOLDED: Operations = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
"""What is worked out wherever it stands: t - 1 is a number, while 1/t and 2**t are shown as they are written."""
ARITHMETIC: Operations = {**FOLDED, ast.Div: lambda a, b: Fraction(a) / b, ast.Pow: _power}
COMPARISONS: Mapping[type, Callable[[Number, Number], bool]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@dataclass
class SizeLimit:
    """How much may still be written down, in a formula and in the `whole` that it is part of."""

    left: int
    complaint: str
    whole: SizeLimit | None = None

    def take(self, count: int = 1) -> None:
        """Raises ValueError, with the complaint, where there is not so much left."""
        self.left -= count
        if self.left < 0:
            raise ValueError(self.complaint)
        if self.whole:
            self.whole.take(count)


@dataclass(frozen=True)
class Loop:
    """An index, the range that it runs through, as a tree and as text, and what must hold of its values."""

    index: str
    span: ast.expr
    text: str
    tests: Sequence[ast.expr] = ()


def has_index(node: ast.AST, at: Indices) -> bool:
    return bool(at) and _holds_one_of(node, tuple(at))


@lru_cache(maxsize=10_000)
def _holds_one_of(node: ast.AST, indices: tuple[str, ...]) -> bool:
    """Kept for a formula that is read once for each value of its indices."""
    return any(isinstance(part, ast.Name) and part.id in indices for part in ast.walk(node))


def worked_out(node: ast.expr, at: Indices, using: Operations = ARITHMETIC, depth: int = 0) -> Number | None:
    """The value of arithmetic with whole numbers and indices alone, None for anything else."""
    arms, sign = [], 1
    while isinstance(node, ast.BinOp) and type(node.op) in using:
        arms.append((type(node.op), node.right))
        node = node.left
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        sign = -sign if isinstance(node.op, ast.USub) else sign
        node = node.operand
    if depth > _DEEPEST:
        return None
    inner = isinstance(node, ast.BinOp) and type(node.op) in using
    value = worked_out(node, at, using, depth + 1) if inner else _whole_number(node, at)
    value = None if value is None else sign * value
    for kind, arm in reversed(arms):
        value = combined(value, kind, worked_out(arm, at, using, depth + 1), using)
    return value


def combined(a: Number | None, kind: type, b: Number | None, using: Operations = FOLDED) -> Number | None:
    """Two numbers put together by the operation of that kind; None where one is none, or for another operation."""
    if a is None or b is None or kind not in using:
        return None
    try:
        value = using[kind](a, b)
    except ZeroDivisionError:
        raise ValueError("the arithmetic of indices divides by zero") from None
    if not -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
        raise ValueError(f"arithmetic of indices goes up to {_LARGEST_NUMBER:,}")
    return value


def _whole_number(node: ast.expr, at: Indices) -> int | None:
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value <= _LARGEST_NUMBER:
        return node.value
    return at.get(node.id) if isinstance(node, ast.Name) else None


def holds(test: ast.expr, at: Indices) -> bool | None:
    """Whether a comparison of indices is true, None where the test is no such comparison."""
    if not isinstance(test, ast.Compare) or not has_index(test, at):
        return None
    values = [worked_out(side, at) for side in (test.left, *test.comparators)]
    found = True
    for kind, left, right in zip(map(type, test.ops), values, values[1:], strict=False):
        if left is None or right is None or kind not in COMPARISONS:
            return None
        found = found and COMPARISONS[kind](left, right)
    return found


def indexed_name(base: str, inside: ast.expr, at: Indices, text: str) -> str:
    """x[1,2] for the base x and what stands in its brackets."""
    numbers = inside.elts if isinstance(inside, ast.Tuple) and inside.elts else [inside]
    return f"{base}[{','.join(str(_index(number, at, text)) for number in numbers)}]"


def _index(node: ast.expr, at: Indices, text: str) -> int:
    value = worked_out(node, at)
    if value is None:
        choice = f", with {listed(list(at))}" if at else ""
        raise ValueError(f"[{text[:40]}] is not an index; write whole numbers{choice}, as in x[2] or x[1,2]")
    if value.denominator != 1 or not 0 <= value <= LARGEST_INDEX:
        raise ValueError(
            f"[{text[:40]}] is {value}{_where(at)}; an index is a whole number from 0 to {LARGEST_INDEX:,}"
        )
    return int(value)


def _where(at: Indices) -> str:
    return f" for {listed([f'{name} = {value}' for name, value in at.items()])}" if at else ""


def range_of(loop: Loop, at: Indices) -> range:
    """The whole numbers from the first of the range to its last; none where the last is one less than the first."""
    if not isinstance(loop.span, ast.BinOp) or not isinstance(loop.span.op, ast.BitOr):
        raise ValueError(f"a range is written as in {loop.index} = 1..3, not {loop.text!r}")
    ends = [worked_out(end, at) for end in (loop.span.left, loop.span.right)]
    first, last = ends
    if first is None or last is None or first.denominator != 1 or last.denominator != 1:
        reach = f"; the indices here are {listed(list(at))}" if at else ""
        raise ValueError(
            f"a range goes from one whole number to another, as in {loop.index} = 1..3, not {loop.text!r}{reach}"
        )
    if last < first - 1:
        raise ValueError(f"the range {loop.text!r} counts down from {first} to {last}{_where(at)}; turn it round")
    return range(int(first), int(last) + 1)


def index_values(loops: Sequence[Loop], at: Indices, limit: SizeLimit) -> Iterator[Indices]:
    """All values of the indices together, the last running fastest; a range may use the indices before it."""
    if not loops:
        yield at
        return
    loop, *rest = loops
    for value in range_of(loop, at):
        limit.take()
        here = {**at, loop.index: value}
        found = [holds(test, here) for test in loop.tests]
        if None in found:
            raise ValueError("what stands after `if` in a sum compares indices, as in `if j != i`")
        if all(found):
            yield from index_values(rest, here, limit)


def written_loops(ranges: Mapping[str, str]) -> list[Loop]:
    """The `for` of an equation: { i = "1..3", j = "1..i" }."""
    found = []
    for index, text in ranges.items():
        if not _IDENTIFIER.fullmatch(index) or iskeyword(index) or len(index) > 40:
            raise ValueError(f'{index[:40]!r} cannot be an index; take a letter, as in t = "1..3"')
        found.append(Loop(index, _tree(text), text[:40]))
    return found


def filled_name(text: str, at: Indices) -> str:
    """The name of an equation with its indices worked out: h[t+1] is h[3] for t = 2."""
    found = re.fullmatch(r"([A-Za-z][A-Za-z0-9_]*)\s*(?:\[(.*)\])?", text.strip())
    if not found or len(text) > 200 or iskeyword(found[1]):
        raise ValueError("a name has letters, digits and _, and perhaps an index as in h[2] or x[1,2]")
    return found[1] if found[2] is None else indexed_name(found[1], _tree(found[2]), at, found[2])


def _tree(text: str) -> ast.expr:
    """The syntax of a range or an index."""
    try:
        if not text.isascii() or len(text) > 200 or RANGE in text:
            raise ValueError
        return ast.parse(text.strip().replace("..", RANGE), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Constant(None)  # no number: whoever needs one says so


def unknown_name(name: str, known: Collection[str]) -> str:
    """What to say of a name that nothing has: which indices there are of it, or which name is near."""
    names = sorted(known) if isinstance(known, set | frozenset) else list(known)
    found = re.fullmatch(r"(.+?)(\[[0-9,]+\])?", name)
    base = found[1] if found else name
    if family := [other for other in names if other.startswith(f"{base}[") and INDEXED.fullmatch(other)]:
        return f"unknown name {name[:40]!a}; there {'is' if len(family) == 1 else 'are'} {_family(base, family)}"
    return f"unknown name {name[:40]!a}{meant_by(name, names)}"


def _family(base: str, names: Sequence[str]) -> str:
    """h[0] to h[3], where no number between is left out; else the names one by one."""
    places = [tuple(map(int, name[len(base) + 1 : -1].split(","))) for name in names]
    ordered = [name for _, name in sorted(zip(places, names, strict=True))]
    single = sorted(place[0] for place in places if len(place) == 1)
    if len(single) == len(names) > 2 and single == list(range(single[0], single[-1] + 1)):
        return f"{ordered[0]} to {ordered[-1]}"
    return listed(ordered)
