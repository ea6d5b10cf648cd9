"""How operators are spelled: for programs, for terminals with and without Unicode, and for reading aloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Style:
    """How operators are spelled. `superscript` is what follows the base for an exponent."""

    times: str = " * "
    over: str = " / "
    plus: str = " + "
    minus: str = " - "
    negative: str = "-"
    superscript: Callable[[str], str] = lambda exponent: f"^{exponent}"
    half: str | None = None
    derivative: str = "d/d{x} [{f}]"
    root: str = "sqrt({f})"
    larger: str = "max({a}, {b})"
    smaller: str = "min({a}, {b})"
    size: str = "abs({a})"
    sign: str = "sign({a})"


_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_SPOKEN_POWERS = {"2": " squared", "3": " cubed"}


def _raised(exponent: str) -> str:
    return exponent.translate(_RAISED) if exponent.isdigit() else f"^{exponent}"


PLAIN = Style(times="*", over="/", superscript=lambda exponent: f"**{exponent}", derivative="d/d{x}[{f}]")
"""What the formula language reads back, ASCII only."""

PRETTY = Style(times=" · ", superscript=_raised, half="½", derivative="∂/∂{x} [{f}]")
"""For terminals that can show it; spaces around the signs are where a narrow line may break."""

ASCII = Style()
"""The same for terminals that have nothing but ASCII."""

SPOKEN = Style(
    times=" times ",
    over=" divided by ",
    plus=" plus ",
    minus=" minus ",
    negative="minus ",
    superscript=lambda exponent: _SPOKEN_POWERS.get(exponent, f" to the power {exponent}"),
    derivative="the derivative by {x} of ({f})",
    root="the square root of ({f})",
    larger="the larger of ({a}) and ({b})",
    smaller="the smaller of ({a}) and ({b})",
    size="the absolute value of ({a})",
    sign="the sign of ({a})",
)
"""For reading aloud."""
