"""Formulas recorded once and run many times, over whole arrays and without making new ones."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import sqrt
from typing import Any

import numpy as np

Array = Any
System = Any
_NARROW: dict[Any, Callable[..., Any]] = {
    np.add: operator.add,
    np.subtract: operator.sub,
    np.multiply: operator.mul,
    np.divide: operator.truediv,
    np.sqrt: sqrt,
}
"""What an operation on arrays is for two numbers."""


class Node:
    """A quantity of a recorded formula: an array of parameters (`wide`), or one number for all of them."""

    __slots__ = ("place", "tape", "wide")

    def __init__(self, tape: Tape, place: int, wide: bool) -> None:
        self.tape, self.place, self.wide = tape, place, wide

    def __add__(self, other: Any) -> Node:
        return self.tape.record(np.add, self, other)

    def __radd__(self, other: Any) -> Node:
        return self.tape.record(np.add, other, self)

    def __sub__(self, other: Any) -> Node:
        return self.tape.record(np.subtract, self, other)

    def __rsub__(self, other: Any) -> Node:
        return self.tape.record(np.subtract, other, self)

    def __mul__(self, other: Any) -> Node:
        return self.tape.record(np.multiply, self, other)

    def __rmul__(self, other: Any) -> Node:
        return self.tape.record(np.multiply, other, self)

    def __truediv__(self, other: Any) -> Node:
        return self.tape.record(np.divide, self, other)

    def __rtruediv__(self, other: Any) -> Node:
        return self.tape.record(np.divide, other, self)

    def __neg__(self) -> Node:
        return self.tape.record(np.multiply, -1.0, self)

    def __pow__(self, exponent: int) -> Node:
        result = self
        for _ in range(exponent - 1):
            result = result * self
        return result

    def __rpow__(self, base: Any) -> Node:
        return self.tape.record(operator.pow, base, self)


@dataclass
class Tape:
    """Instructions over numbered places. Also the number system `m` of the formulas that are recorded."""

    system: System
    wide: list[bool] = field(default_factory=list)
    leaves: dict[str, Node] = field(default_factory=dict)
    constants: dict[int, Any] = field(default_factory=dict)
    instructions: list[tuple[Any, tuple[int, ...], int]] = field(default_factory=list)

    def leaf(self, name: str, wide: bool) -> Node:
        self.leaves[name] = node = self._node(wide)
        return node

    def _node(self, wide: bool) -> Node:
        self.wide.append(wide)
        return Node(self, len(self.wide) - 1, wide)

    def _operand(self, value: Any) -> Node:
        if isinstance(value, Node):
            return value
        node = self._node(False)
        self.constants[node.place] = value
        return node

    def record(self, function: Any, *operands: Any) -> Node:
        nodes = [self._operand(value) for value in operands]
        wide = any(node.wide for node in nodes)
        result = self._node(wide)
        done = function if wide else _NARROW.get(function, function)
        self.instructions.append((done, tuple(node.place for node in nodes), result.place))
        return result

    def number(self, text: str) -> Any:
        return self.system.number(text)

    def sqrt(self, z: Any) -> Any:
        return self.record(np.sqrt, z)

    def positive(self, z: Any, then: Any, otherwise: Any) -> Any:
        return self.record(choose, z, then, otherwise)


def choose(z: Any, then: Any, otherwise: Any, out: Array | None = None) -> Any:
    """`then` where z > 0, else `otherwise`."""
    if out is None:
        return then if z > 0 else otherwise
    out[...] = np.where(z > 0, then, otherwise)
    return out


class Program:
    """A tape made ready to run on given arrays; `results` are the nodes that become the new values of wide leaves.

    Work on numbers is done first, then that on arrays, whose arguments stand ready: only numbers that have changed are
    put into them.
    """

    def __init__(self, tape: Tape, arrays: Mapping[str, Array], results: Mapping[str, Node]) -> None:
        self.values: list[Any] = [None] * len(tape.wide)
        for place, value in tape.constants.items():
            self.values[place] = value
        for name, array in arrays.items():
            self.values[tape.leaves[name].place] = array
        used = {place for _, operands, _ in tape.instructions for place in operands}
        self.numbers = {n: node.place for n, node in tape.leaves.items() if not node.wide and node.place in used}
        named = {node.place for node in tape.leaves.values()}
        self.copies: list[tuple[Array, Array]] = [  # what becomes another leaf as it stands
            (self.values[tape.leaves[name].place], self.values[node.place])
            for name, node in results.items()
            if node.place in named
        ]
        made = {node.place: tape.leaves[name].place for name, node in results.items() if node.place not in named}
        self._settle(tape, made)
        self.narrow = [line for line in tape.instructions if not tape.wide[line[2]]]
        wide = [line for line in tape.instructions if tape.wide[line[2]]]
        self.wide = [(f, [self.values[p] for p in (*operands, place)]) for f, operands, place in wide]
        changing = {*self.numbers.values(), *(place for _, _, place in self.narrow)}
        self.users = [
            (place, arguments, at)
            for (_, operands, _), (_, arguments) in zip(wide, self.wide, strict=True)
            for at, place in enumerate(operands)
            if place in changing
        ]
        self.known: list[float] = []

    def _settle(self, tape: Tape, targets: Mapping[int, int]) -> None:
        """Give every wide result an array: that of the leaf it replaces where nobody needs the old value any more,
        else one that is free."""
        last = {place: k for k, (_, operands, _) in enumerate(tape.instructions) for place in operands}
        like = next(value for value in self.values if isinstance(value, np.ndarray))
        kept = {node.place for node in tape.leaves.values()} | set(targets)
        free: list[Array] = []
        for k, (function, operands, place) in enumerate(tape.instructions):
            if not tape.wide[place]:
                continue
            leaf = targets.get(place)
            ended = {p for p in operands if tape.wide[p] and last[p] == k and p not in kept}
            if function is not choose:  # which still reads its operands when it begins to write
                free += [self.values[p] for p in ended]
            if leaf is not None and last.get(leaf, -1) <= k:
                self.values[place] = self.values[leaf]
            else:
                self.values[place] = free.pop() if free else np.empty_like(like)
                if leaf is not None:
                    self.copies.append((self.values[leaf], self.values[place]))
            if function is choose:
                free += [self.values[p] for p in ended]

    def run(self, numbers: Mapping[str, float]) -> None:
        """Work all instructions; the arrays are changed in place."""
        fresh = [numbers[name] for name in self.numbers]
        if fresh != self.known:
            self._put(fresh)
        self.repeat()

    def repeat(self) -> None:
        """The same with the numbers of the last time."""
        for function, arguments in self.wide:
            function(*arguments)
        for leaf, result in self.copies:
            leaf[...] = result

    def _put(self, fresh: list[float]) -> None:
        values = self.values
        for place, number in zip(self.numbers.values(), fresh, strict=True):
            values[place] = number
        for function, operands, place in self.narrow:
            values[place] = function(*[values[p] for p in operands])
        for place, arguments, at in self.users:
            arguments[at] = values[place]
        self.known = fresh
