"""Formulas over arrays as generated code: each NumPy call once, with `out=`, on arrays that are there already.

The formulas are run once with arrays that are still to come. What NumPy is asked to do with them is written down, by
the protocols through which NumPy lets other kinds of arrays take part. All names in the source are its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from math import sqrt
from types import SimpleNamespace
from typing import Any
from weakref import ref

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from tutor.formulas.compiled import compiled

Array = Any
Pool = dict[Any, list[Array]]
_NUMBERS = {
    np.add: "{} + {}",
    np.subtract: "{} - {}",
    np.multiply: "{} * {}",
    np.divide: "{} / {}",
    np.power: "{} ** {}",
    np.negative: "-{}",
    np.sqrt: "sqrt({})",
}
"""What an operation on arrays is for numbers."""
_SLOW_WITH_NUMBERS = (np.maximum, np.minimum)
"""What NumPy works two to three times as fast between whole arrays."""


class Value(NDArrayOperatorsMixin):
    """An array that generated code works on or, without an `array`, a number that it works out.

    The memory of one that is its `own` is used again once nobody knows it any more; a view keeps that of its `base`.
    """

    def __init__(self, code: Code, name: str, array: Array = None, base: Value | None = None) -> None:
        self.code, self.name, self.array, self.base = code, name, array, base
        self.own, self.views = False, 0
        if base is not None:
            base.views += 1

    def __del__(self) -> None:
        if self.base is not None:
            self.base.views -= 1
        if self.own:
            self.code.free(self.array)

    @property
    def lasts(self) -> bool:
        """Whether its memory was there before the code, and is after it."""
        return not self.own and (self.base is None or self.base.lasts)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (None,), **options: Any) -> Value:
        return self.code.ufunc(ufunc, method, inputs, out[0], **options)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Value:
        written: Value = getattr(self.code, function.__name__)(*arguments, **options)
        return written

    def call(self, function: Callable[..., Any], *more: Any, number: bool) -> Value:
        """What a function, called as a whole, makes of it: a number, or an array like it."""
        return self.code.call(function, self, *more, number=number)

    def _seen(self, array: Array) -> Value:
        return Value(self.code, self.code.name(array), array, self)

    def __getitem__(self, key: Any) -> Value:
        return self._seen(self.array[key])

    def __setitem__(self, key: Any, value: Any) -> None:
        self.code.put(self[key], value)

    def reshape(self, *shape: int) -> Value:
        return self._seen(self.array.reshape(*shape))

    def view(self, dtype: Any) -> Value:
        return self._seen(self.array.view(dtype))

    @property
    def T(self) -> Value:
        return self._seen(self.array.T)

    def taken_from(self, table: Array) -> Value:
        """The numbers at these places of a table."""
        result = self.code.buffer(self.shape, table.dtype)
        self.code.write("{}({}, None, {out}, 'clip')", self.code.tool(table.take), self.name, out=result)
        return result

    def astype(self, dtype: Any, copy: bool = True) -> Value:
        return self if dtype == self.dtype and not copy else self.code.copy(self, dtype)

    def copy(self) -> Value:
        return self.code.copy(self, self.dtype)

    def __len__(self) -> int:
        return len(self.array)

    def __getattr__(self, name: str) -> Any:
        if name not in ("shape", "size", "ndim", "dtype", "flags"):
            raise AttributeError(name)
        return getattr(self.array, name)


@dataclass
class Line:
    """`text` has a place for each name that is read, and for `out`, the array that is written: all of it if `whole`."""

    text: str
    reads: list[str]
    out: str = ""
    whole: bool = True

    def __str__(self) -> str:
        return "  " + self.text.format(*self.reads, out=self.out)


class Code:
    """One function while it is written. Arrays come from the `pool`, and go back to it."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool
        self.lines: list[Line] = []
        self.arrays: dict[str, Array] = {}
        self.tools: dict[str, Any] = {"sqrt": sqrt}
        self.known: dict[Any, str] = {}
        self.moved: dict[int, list[ref[Value]]] = {}
        self.numbers = count()

    def function(self, arguments: Sequence[Value]) -> Callable[..., None]:
        """What was written, as a function of those arrays and numbers that are others each time."""
        lines = [f"def run({', '.join(value.name for value in arguments)}):", *map(str, self.lines), "  return"]
        space = {**self.tools, **self.arrays}
        run: Callable[..., None] = compiled(lines, SimpleNamespace(FUNCTIONS=tuple(space), **space), [])["run"]
        return run

    def reads(self, value: Value) -> bool:
        """Whether what was written so far asks for it."""
        return any(value.name in line.reads for line in self.lines)

    def leaf(self, array: Array) -> Value:
        """An array that is there before."""
        return Value(self, self.name(array), array)

    def argument(self, like: Any = None) -> Value:
        """An array like this one, or else a number, that is another one each time."""
        if not isinstance(like, np.ndarray):
            return Value(self, f"n{next(self.numbers)}")
        return self.leaf(np.broadcast_to(np.empty((), like.dtype), like.shape))

    def buffer(self, shape: Sequence[int], dtype: Any) -> Value:
        """An array for a result."""
        free = self.pool.setdefault((tuple(shape), np.dtype(dtype)), [])
        value = self.leaf(free.pop() if free else np.empty(shape, dtype))
        value.own = True
        return value

    def free(self, array: Array) -> None:
        self.pool[array.shape, array.dtype].append(array)

    def name(self, array: Array) -> str:
        """The name of an array; the same for every view of the same numbers."""
        key = array.__array_interface__["data"][0], array.shape, array.strides, array.dtype
        if key not in self.known:
            self.known[key] = f"a{next(self.numbers)}"
            self.arrays[self.known[key]] = array
        return self.known[key]

    def write(self, text: str, *reads: str, out: Value | None = None, whole: bool = True) -> None:
        if out is not None:
            self._check(out)
        self.lines.append(Line(text, list(reads), out.name if out is not None else "", whole))

    def tool(self, tool: Any) -> str:
        """The name of a function, or of a number that is always the same."""
        key = type(tool), repr(tool) if isinstance(tool, int | float) else id(tool)
        if key not in self.known:
            self.known[key] = f"k{next(self.numbers)}"
            self.tools[self.known[key]] = tool
        return self.known[key]

    def _check(self, out: Value) -> None:
        """What has moved to where it belongs must not be known any more once something else is put there."""
        moved = [value for known in self.moved.get(_owner(out.array), []) if (value := known()) is not None]
        assert not any(self._meet(out.name, value.name) for value in moved)

    def _number(self, text: str, *reads: str) -> Value:
        value = Value(self, f"n{next(self.numbers)}")
        self.write(f"{value.name} = {text}", *reads)
        return value

    def _operand(self, value: Any, dtype: Any, shape: tuple[int, ...] = ()) -> str:
        """The name of an array; a number is put into one, of no dimension or of this shape, which is faster."""
        if _is_array(value):
            return value.name if isinstance(value, Value) else self.name(value)
        name = value.name if isinstance(value, Value) else self.tool(value)
        key = name, np.dtype(dtype), shape
        if key not in self.known:
            fixed = not isinstance(value, Value)
            array = np.full(shape, value if fixed else 0, dtype)
            self.known[key] = self.name(array)
            if not fixed:
                self.write("{out}[...] = {}", name, out=self.leaf(array))
        return self.known[key]

    def ufunc(self, ufunc: Any, method: str, inputs: Sequence[Any], out: Value | None, **options: Any) -> Value:
        arrays = [value for value in inputs if _is_array(value)]
        if not arrays:
            names = [value.name if isinstance(value, Value) else self.tool(value) for value in inputs]
            return self._number(_NUMBERS[ufunc], *names)
        if ufunc is np.power:
            assert inputs[1] == 2, "NumPy's powers, but for squares, are not the same everywhere"
            return self.ufunc(np.multiply, method, (inputs[0], inputs[0]), out)
        kind, shape = np.result_type(*map(_kind, inputs)), _shape(*(array.shape for array in arrays))
        if kind.kind == "f":  # NumPy would take truth values piece by piece
            inputs = [self.copy(value, kind) if _is_array(value) and value.dtype == bool else value for value in inputs]
        filled = shape if ufunc in _SLOW_WITH_NUMBERS else ()
        tool, names, dtype = self.tool(ufunc), [self._operand(value, kind, filled) for value in inputs], kind
        if method == "__call__":
            dtype = _dtype(ufunc, *(self.arrays[name].dtype for name in names))
            text = f"{tool}({', '.join(['{}'] * len(names))}, out={{out}})"
        else:
            axis, keepdims = options["axis"], options.get("keepdims", False)
            if method == "reduce":
                whole = range(len(shape)) if axis is None else (axis,)
                shape = tuple(1 if k in whole else n for k, n in enumerate(shape) if keepdims or k not in whole)
            more = ", keepdims=True" if keepdims else ""
            text = f"{self.tool(getattr(ufunc, method))}({{}}, {axis}, None, {{out}}{more})"
        result = self.buffer(shape, dtype) if out is None else out
        self.write(text, *names, out=result)
        return result

    def dot(self, a: Any, b: Any, out: Value | None = None) -> Value:
        result = self.buffer((a.shape[0], b.shape[1]), np.result_type(a.dtype, b.dtype)) if out is None else out
        names = [self._operand(value, value.dtype) for value in (a, b)]
        self.write(f"{self.tool(np.dot)}({{}}, {{}}, {{out}})", *names, out=result)
        return result

    def where(self, condition: Any, then: Any, otherwise: Any) -> Value:
        given = [condition, then, otherwise]
        dtype = np.result_type(_kind(then), _kind(otherwise))
        result = self.buffer(_shape(*(value.shape for value in given if _is_array(value))), dtype)
        tool = self.tool(np.copyto)
        self.write(f"{tool}({{out}}, {{}})", self._operand(otherwise, dtype), out=result)
        names = [self._operand(value, dtype) for value in (then, condition)]
        self.write(f"{tool}({{out}}, {{}}, where={{}})", *names, out=result, whole=False)
        return result

    def empty_like(self, like: Value, shape: Sequence[int], order: str) -> Value:
        return self.buffer(shape, like.dtype)

    def ones_like(self, like: Value, shape: Sequence[int]) -> Value:
        """Put there once: ones that are overwritten are no ones the next time."""
        return self.leaf(np.ones(shape, like.dtype))

    def copy(self, value: Any, dtype: Any) -> Value:
        result = self.buffer(value.shape, dtype)
        self.write(f"{self.tool(np.copyto)}({{out}}, {{}})", self._operand(value, dtype), out=result)
        return result

    def call(self, function: Callable[..., Any], *given: Any, number: bool) -> Value:
        names = [value.name if isinstance(value, Value) else self.tool(value) for value in given]
        text = f"{self.tool(function)}({', '.join(['{}'] * len(names))})"
        if number:
            return self._number(text, *names)
        result = self.buffer(given[0].shape, given[0].dtype)
        self.write(f"{self.tool(np.copyto)}({{out}}, {text})", *names, out=result)
        return result

    def put(self, target: Value, value: Any) -> None:
        """The value where it belongs, from the beginning if nothing else is there in the meantime."""
        if not self._moved(target, value):
            self.write(f"{self.tool(np.copyto)}({{out}}, {{}})", self._operand(value, target.dtype), out=target)

    def _moved(self, target: Value, value: Any) -> bool:
        if not (isinstance(value, Value) and value.own and not value.views and target.lasts):
            return False
        places = range(len(self.lines) - 1, -1, -1)
        made = next((k for k in places if self._meet(self.lines[k].out, value.name)), -1)
        line, later = self.lines[made], self.lines[made + 1 :]
        fits = (value.shape, value.dtype) == (target.shape, target.dtype) and line.out == value.name and line.whole
        if line.text.startswith(self.tool(np.dot)):
            fits &= target.flags.c_contiguous and not any(self._meet(name, target.name) for name in line.reads)
        others = {name for at in later for name in (*at.reads, at.out)} - {value.name}
        if not fits or any(self._meet(name, own) for name in others for own in (target.name, value.name)):
            return False
        self._check(target)
        line.out = target.name
        for at in later:
            at.reads = [target.name if name == value.name else name for name in at.reads]
        self.free(value.array)
        value.name, value.array, value.own = target.name, target.array, False
        self.moved.setdefault(_owner(value.array), []).append(ref(value))
        return True

    def _meet(self, one: str, other: str) -> bool:
        """Whether these arrays may have numbers in common."""
        both = self.arrays.get(one), self.arrays.get(other)
        return one == other or (both[0] is not None and both[1] is not None and np.may_share_memory(*both))


def _owner(array: Array) -> int:
    """Which memory the numbers are in."""
    return id(array if array.base is None else array.base)


@cache
def _shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    return np.broadcast_shapes(*shapes)


@cache
def _dtype(ufunc: Any, *dtypes: Any) -> Any:
    """Which numbers come out of an operation."""
    return ufunc.resolve_dtypes((*dtypes, None))[-1]


def _is_array(value: Any) -> bool:
    return isinstance(value, np.ndarray) or (isinstance(value, Value) and value.array is not None)


def _kind(value: Any) -> Any:
    """What NumPy decides by which numbers come out of an operation."""
    return value.dtype if _is_array(value) else 0.0 if isinstance(value, Value) else value
