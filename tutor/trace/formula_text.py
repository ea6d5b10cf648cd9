"""The formulas of `tutor.maths` as text: a number system whose numbers are what is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tutor.maths.number_system import FUNCTIONS

_SUM, _PRODUCT, _POWER, _ATOM = range(4)
_RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class FormulaText:
    """A formula as text, and how tightly its last operation binds."""

    __slots__ = ("level", "text")

    def __init__(self, text: str, level: int = _ATOM) -> None:
        self.text, self.level = text, level

    def inside(self, level: int) -> str:
        return self.text if self.level >= level else f"({self.text})"

    def __add__(self, other: Any) -> FormulaText:
        return FormulaText(f"{self.text} + {_made(other).text}", _SUM)

    def __radd__(self, other: Any) -> FormulaText:
        return _made(other) + self

    def __sub__(self, other: Any) -> FormulaText:
        return FormulaText(f"{self.text} - {_made(other).inside(_PRODUCT)}", _SUM)

    def __rsub__(self, other: Any) -> FormulaText:
        return _made(other) - self

    def __mul__(self, other: Any) -> FormulaText:
        return FormulaText(f"{self.inside(_PRODUCT)}·{_made(other).inside(_PRODUCT)}", _PRODUCT)

    def __rmul__(self, other: Any) -> FormulaText:
        return _made(other) * self

    def __truediv__(self, other: Any) -> FormulaText:
        return FormulaText(f"{self.inside(_PRODUCT)}/{_made(other).inside(_POWER)}", _PRODUCT)

    def __rtruediv__(self, other: Any) -> FormulaText:
        return _made(other) / self

    def __pow__(self, exponent: Any) -> FormulaText:
        raised = _made(exponent)
        power = raised.text.translate(_RAISED) if raised.text.isdigit() else f"^{raised.inside(_ATOM)}"
        return FormulaText(f"{self.inside(_ATOM)}{power}", _POWER)

    def __rpow__(self, base: Any) -> FormulaText:
        return _made(base) ** self

    def __neg__(self) -> FormulaText:
        return FormulaText(f"-{self.inside(_PRODUCT)}", _PRODUCT)


def _made(value: Any) -> FormulaText:
    return (
        value
        if isinstance(value, FormulaText)
        else FormulaText(f"{value:g}" if isinstance(value, float) else str(value))
    )


class TextSystem:
    """The number system of formulas as text."""

    pi = FormulaText("pi")

    @staticmethod
    def number(text: str) -> FormulaText:
        return FormulaText(text)

    @staticmethod
    def sqrt(z: Any) -> FormulaText:
        return FormulaText(f"sqrt({_made(z).text})")

    @staticmethod
    def positive(z: Any, then: Any, otherwise: Any) -> FormulaText:
        if isinstance(then, int) and isinstance(otherwise, int) and (then, otherwise) == (1, 0):
            return FormulaText(f"[{_made(z).text} > 0]")
        return FormulaText(f"({_made(then).text} where {_made(z).text} > 0, else {_made(otherwise).text})")

    @staticmethod
    def log_one_plus_exp(z: Any) -> FormulaText:
        return FormulaText(f"ln(1 + exp({_made(z).text}))")


def _function(name: str) -> Any:
    called = {"log": "ln"}.get(name, name)
    return staticmethod(lambda z: FormulaText(f"{called}({_made(z).text})"))


for _name in FUNCTIONS:
    setattr(TextSystem, _name, _function(_name))


def formula_text(body: Callable[..., Any], *names: str) -> str:
    """The formula of these names, with brackets where it is a sum."""
    made = _made(body(*map(FormulaText, names), TextSystem))
    return made.inside(_PRODUCT)
