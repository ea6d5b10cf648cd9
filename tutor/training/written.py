"""Formulas as lines of Python: what a body of `tutor.maths` makes of quantities that write down their own names.

A body run in this number system gives its source text, so that an exported script has the formulas of the registries
and none is written a second time.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import Any

SUM, PRODUCT, FACTOR, POWER, ATOM = range(5)
"""How tightly the outermost operation of a text binds."""


class Written:
    """A piece of a formula: its text, and how tightly it holds together."""

    __slots__ = ("level", "text")

    def __init__(self, text: str, level: int = ATOM) -> None:
        self.text, self.level = text, level

    def at(self, level: int) -> str:
        """The text, in parentheses where it binds less tightly than that."""
        return self.text if self.level >= level else f"({self.text})"

    def __add__(self, other: Any) -> Written:
        return _two(self, "+", other, SUM, PRODUCT)

    def __radd__(self, other: Any) -> Written:
        return _two(other, "+", self, SUM, PRODUCT)

    def __sub__(self, other: Any) -> Written:
        return _two(self, "-", other, SUM, PRODUCT)

    def __rsub__(self, other: Any) -> Written:
        return _two(other, "-", self, SUM, PRODUCT)

    def __mul__(self, other: Any) -> Written:
        return _two(self, "*", other, PRODUCT, FACTOR)

    def __rmul__(self, other: Any) -> Written:
        return _two(other, "*", self, PRODUCT, FACTOR)

    def __truediv__(self, other: Any) -> Written:
        return _two(self, "/", other, PRODUCT, FACTOR)

    def __rtruediv__(self, other: Any) -> Written:
        return _two(other, "/", self, PRODUCT, FACTOR)

    def __floordiv__(self, other: Any) -> Written:
        return _two(self, "//", other, PRODUCT, FACTOR)

    def __pow__(self, other: Any) -> Written:
        return _two(self, "**", other, POWER, POWER, left=ATOM)

    def __rpow__(self, other: Any) -> Written:
        return _two(other, "**", self, POWER, POWER, left=ATOM)

    def __neg__(self) -> Written:
        return Written(f"-{self.at(PRODUCT + 1)}", FACTOR)


def written(value: Any) -> Written:
    """A quantity, or a number as its shortest decimals."""
    if isinstance(value, Written):
        return value
    number = value if isinstance(value, int) else float(value)
    text = repr(number) if isfinite(number) else f"float({str(number)!r})"
    return Written(text, FACTOR if text.startswith("-") else ATOM)


def _two(a: Any, sign: str, b: Any, level: int, right: int, left: int | None = None) -> Written:
    first, second = written(a).at(level if left is None else left), written(b).at(right)
    return Written(f"{first} {sign} {second}" if sign != "**" else f"{first}**{second}", level)


class Writing:
    """The number system. `module` is whose functions the script has, `np` or `torch`; with `math` the formula is one
    for single numbers."""

    def __init__(self, module: str) -> None:
        self.module = module

    def _call(self, name: str, *arguments: Any) -> Written:
        return Written(f"{self.module}.{name}({', '.join(written(a).text for a in arguments)})")

    def exp(self, z: Any) -> Written:
        return self._call("exp", z)

    def log(self, z: Any) -> Written:
        return self._call("log", z)

    def tanh(self, z: Any) -> Written:
        return self._call("tanh", z)

    def sqrt(self, z: Any) -> Written:
        return self._call("sqrt", z)

    def cos_half_turns(self, z: Any) -> Written:
        return self._call("cos", Written(f"{self.module}.pi") * z)

    @staticmethod
    def number(text: str) -> Written:
        """The number, not its text: what somebody typed never becomes a part of a script."""
        return written(float(text))

    def log_one_plus_exp(self, z: Any) -> Written:
        if self.module == "torch":
            return self._call("logaddexp", z, Written(f"torch.zeros_like({written(z).text})"))
        return self._call("logaddexp", z, 0)

    def positive(self, z: Any, then: Any, otherwise: Any) -> Written:
        condition = f"{written(z).at(SUM)} > 0"
        if self.module == "math":
            return Written(f"({written(then).text} if {condition} else {written(otherwise).text})")
        return Written(f"{self.module}.where({condition}, {written(then).text}, {written(otherwise).text})")


def text_of(body: Callable[..., Any], *arguments: Any) -> str:
    """The text of a formula, for example on one side of an assignment."""
    return written(body(*arguments)).text
