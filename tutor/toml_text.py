"""TOML that may come from anybody, as plain values."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import Any

MOST_DIGITS = 400
_MOST_DOTS = 20  # in a name: each makes a table within a table
_WIDEST = 10**MOST_DIGITS


def parse_toml(text: str, parse_float: Callable[[str], Any] = Decimal) -> dict[str, Any]:
    """The document. Raises ValueError, with a reason that follows the name of the file, for everything that is none."""
    with suppress(ValueError):
        return _parsed(text.lstrip("\n"), parse_float)  # a block of a lesson has all lines above it as empty ones
    return _parsed(text, parse_float)  # which says in which line it fails


def _parsed(text: str, parse_float: Callable[[str], Any]) -> dict[str, Any]:
    if any(line.partition("=")[0].count(".") > _MOST_DOTS for line in text.splitlines()):
        raise ValueError("is not valid TOML: a name has too many dots")
    try:
        found = tomllib.loads(text, parse_float=parse_float)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is not valid TOML: {str(error)[:300]}") from None
    except RecursionError:
        raise ValueError("cannot be read: it is nested too deeply") from None
    except (ValueError, ArithmeticError):  # Python's own limits for decimal numbers, and for what is no date
        raise ValueError("cannot be read: a number or a date in it has too many digits") from None
    _check_whole_numbers(found)
    return found


def _check_whole_numbers(document: dict[str, Any]) -> None:
    """Hexadecimal numbers have no limit in TOML, and Python refuses to write them down in decimals."""
    waiting: list[Any] = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict | list):
            waiting += value.values() if isinstance(value, dict) else value
        elif isinstance(value, int) and abs(value) >= _WIDEST:
            raise ValueError(f"cannot be read: a whole number in it has more than {MOST_DIGITS} digits")
