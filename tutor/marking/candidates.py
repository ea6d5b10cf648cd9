"""For every step the numbers that come out with a slip: each rewriting compiled once, then tried on any sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from tutor.formulas.code import functions
from tutor.formulas.expressions import names
from tutor.marking.key import Compiled, result
from tutor.marking.systematic import SystematicErrors
from tutor.numbers import decimals
from tutor.numbers.floats import FloatSystem
from tutor.slips.registry import SLIPS
from tutor.slips.roles import Roles

_MOST_REWRITINGS = 1_200  # of one slip in one step


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to get a step wrong. `rank` is the place of its slip in the registry, `unusual` says that people make it
    elsewhere."""

    id: str
    rank: int
    unusual: bool
    detail: str
    inputs: tuple[int, ...]
    function: Callable[[Sequence[Any]], Decimal]
    approximate: Callable[[Any, Any], float]

    def value(self, sheet_values: Sequence[Any]) -> Decimal | None:
        """What the step gives with the slip; None where that has no value."""
        return result(self.function, self.inputs, sheet_values)


class Candidates:
    """The candidates of every step, whatever the numbers of the worksheet, made when they are first asked for."""

    def __init__(self, compiled: Compiled) -> None:
        self.compiled = compiled
        self.roles = Roles(compiled.worksheet)
        self.systematic = SystematicErrors(compiled, self.roles)
        self._made: dict[int, list[Candidate]] = {}

    def of(self, place: int) -> list[Candidate]:
        """Every candidate of the step that does not use a line computed from the step itself."""
        if place not in self._made:
            self._made[place] = self._make(place)
        return self._made[place]

    def _make(self, place: int) -> list[Candidate]:
        compiled = self.compiled
        step = compiled.steps[place - compiled.first]
        found: dict[Any, tuple[str, int, bool, str]] = {}
        for rank, slip in enumerate(SLIPS.values()):
            unusual = not slip.usual(step, self.roles)
            for formula, detail, _ in islice(slip.rewritings(step, self.roles), _MOST_REWRITINGS):
                if formula != step.formula and self._is_independent(formula, place):
                    found.setdefault((slip.id, formula), (slip.id, rank, unusual, detail))
        formulas = [formula for _, formula in found]
        exact = functions(formulas, compiled.places, decimals)
        rough = functions(formulas, compiled.places, FloatSystem, decided=True)
        return [
            Candidate(*found[key], tuple(compiled.places[n] for n in names(key[1])), function, approximate)
            for key, function, approximate in zip(found, exact, rough, strict=True)
        ]

    def _is_independent(self, formula: Any, place: int) -> bool:
        followers, places = self.compiled.followers[place], self.compiled.places
        return all(name in places and places[name] not in followers for name in names(formula))
