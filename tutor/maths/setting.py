"""What is called a setting of an entry: a number with a usual value, and the range that it has to lie in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANY = float("-inf")


@dataclass(frozen=True, slots=True)
class Setting:
    """A number, from `least` to below `below`, or to `below` itself where the range is `closed`; a `positive` one is
    above 0, a `whole` one counts something.

    Without a default it is left out unless it is given, and bodies find None in its place; then `example` is one that
    it may have. With `when` it goes with that flag only.
    """

    default: str | None
    meaning: str
    least: float = 0
    below: float | None = None
    when: str = ""
    example: str = ""
    whole: bool = False
    closed: bool = False
    positive: bool = False

    @property
    def range(self) -> str:
        """As in "a share from 0 to below 1"."""
        if self.below is not None:
            return f"a share from {self.least:g} to {'' if self.closed else 'below '}{self.below:g}"
        if self.positive:
            return "a positive number"
        if self.least == ANY:
            return "a number"
        return f"a {'whole ' if self.whole else ''}number of at least {self.least:g}"

    def allows(self, number: Any) -> bool:
        """Whether the number is in the range."""
        inside = self.below is None or number < self.below or (self.closed and number == self.below)
        kind = (not self.positive or number > 0) and (not self.whole or number == int(number))
        return bool(number >= self.least and inside and kind)


def numbers(settings: Mapping[str, Setting], given: Mapping[str, Any]) -> dict[str, Any]:
    """The number of each setting: as it is given, else its default."""
    return {name: given.get(name, setting.default) for name, setting in settings.items()}
