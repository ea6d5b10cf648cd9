"""Mistakes that are made throughout: one change of all lines of a kind, of those of a layer, of one kind of parameter.

A slip that is worked in the same manner in several lines is one mistake of their writer, and so is another entry of a
registry, or a given that was misread. Each is a set of other formulas, with which the sheet can be worked again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

from tutor.formulas.code import functions
from tutor.formulas.expressions import names
from tutor.marking.key import Compiled, result
from tutor.maths.kind import Kind
from tutor.numbers import decimals
from tutor.numbers.floats import FloatSystem
from tutor.slips.entries import HINTS, WRONG_LOSS, other_entries
from tutor.slips.registry import SLIPS, SWAPPED_VALUES
from tutor.slips.roles import Roles
from tutor.slips.slip import Hint, Slip

Expr = Any
EVERYWHERE, LAYER, LINE, GIVEN = "everywhere", "layer", "line", "given"
_TOGETHER = ("weight-for-input", "input-for-weight", "no-activation")
"""Slips that may also be one mistake in lines of several kinds: in a factor of its own and in the product."""

_CONVENTIONS = ("sum-for-mean", "mean-for-sum")
"""What goes before the slips, as another entry of a registry does."""
_LAST = 9
"""The rank of another loss in the gradients alone: whoever has the loss itself right made a slip rather."""


@dataclass(frozen=True)
class Change:
    """The formulas, by place, that a mistake puts in place of the right ones, and what each concerns. `rank` orders
    what explains the same lines equally well: an entry of a registry before a slip, and what is more usual first."""

    id: str
    scope: str
    details: Mapping[int, str]
    formulas: Mapping[int, Expr]
    rank: tuple[int, ...]
    general_hint: Hint
    compiled: Compiled
    entry: str = ""

    @cached_property
    def rough(self) -> Mapping[int, Callable[[Any, Any], float]]:
        """Each formula in floats, of the values and of those by which cases are decided."""
        made = functions([*self.formulas.values()], self.compiled.places, FloatSystem, decided=True)
        return dict(zip(self.formulas, made, strict=True))

    def value(self, place: int, sheet_values: Sequence[Any]) -> Decimal | None:
        """What the line comes to with the mistake; None where that has no value."""
        return result(self._exact[place], self.inputs[place], sheet_values)

    @cached_property
    def _exact(self) -> Mapping[int, Callable[[Sequence[Any]], Decimal]]:
        made = functions([*self.formulas.values()], self.compiled.places, decimals)
        return dict(zip(self.formulas, made, strict=True))

    @cached_property
    def inputs(self) -> Mapping[int, tuple[int, ...]]:
        places = self.compiled.places
        return {place: tuple(places[n] for n in names(f)) for place, f in self.formulas.items()}

    @cached_property
    def looks_down(self) -> bool:
        """Whether a formula stands on a line that is worked after it."""
        return any(x > place for place, inputs in self.inputs.items() for x in inputs)

    def within(self, places: frozenset[int], scope: str, rank: int) -> Change | None:
        """The same in these lines only; None where those are all or none."""
        those = {place: f for place, f in self.formulas.items() if place in places}
        if not those or len(those) == len(self.formulas):
            return None
        return Change(
            self.id,
            scope,
            self.details,
            those,
            (1, _LAST, *self.rank[2:]) if self.id == WRONG_LOSS else (self.rank[0], rank, *self.rank[2:]),
            self.general_hint,
            self.compiled,
            self.entry,
        )

    def hint(self, place: int) -> Hint:
        """What to look at in this line, which the mistake changes, without a value."""
        return self.general_hint.of(self.details[place])

    def sits_in(self, place: int, written: Collection[int]) -> int:
        """Where the mistake is made that a line shows: in the line itself, or in the first that it stands on through
        blank ones."""
        if place in self.formulas:
            return place
        above, waiting = set[int](), [place]
        while waiting:
            new = [x for x in self.compiled.inputs[waiting.pop()] if x not in written and x not in above]
            above.update(new)
            waiting += [x for x in new if x >= self.compiled.first]
        return min(above & self.formulas.keys(), default=place)


class SystematicErrors:
    """All changes of one worksheet, whatever its numbers."""

    def __init__(self, compiled: Compiled, roles: Roles) -> None:
        self.compiled, self.roles = compiled, roles
        self._made_parts: dict[int, list[Change]] = {}

    @cached_property
    def changes(self) -> Sequence[Change]:
        """Each that concerns several lines, and in which no line stands on one that follows from it."""
        found: dict[tuple[str, frozenset[Any]], Change] = {}
        for change in (*self._entries(), *self._slips()):
            found.setdefault((change.id, frozenset(change.formulas.items())), change)
        return [change for change in found.values() if change.formulas]

    def at(self, places: Collection[int]) -> Iterator[Change]:
        """The changes of at least one of these lines."""
        seen: set[int] = set()
        for place in sorted(places):
            for number in self._by_place.get(place, ()):
                if number not in seen:
                    seen.add(number)
                    yield self.changes[number]

    @cached_property
    def _by_place(self) -> Mapping[int, Sequence[int]]:
        by_place: dict[int, list[int]] = {}
        for number, change in enumerate(self.changes):
            for place in change.formulas:
                by_place.setdefault(place, []).append(number)
        return by_place

    def parts(self, change: Change) -> Sequence[Change]:
        """The change in one layer, in one kind of parameter, or in what penalties add."""
        if id(change) not in self._made_parts:
            self._made_parts[id(change)] = list(self._parts(change))
        return self._made_parts[id(change)]

    def _parts(self, change: Change) -> Iterator[Change]:
        by_layer: dict[int, set[int]] = {}
        for place in change.formulas:
            by_layer.setdefault(self.roles.layer_of(self.compiled.names[place]), set()).add(place)
        sets = [(frozenset(places), LAYER) for layer, places in by_layer.items() if layer]
        biases = frozenset(p for p in change.formulas if self.roles.is_of_bias(self.compiled.names[p]))
        penalties = frozenset(p for p in change.formulas if self.compiled.names[p] in self.roles.penalty_slopes)
        sets += [(places, EVERYWHERE) for places in (biases, frozenset(change.formulas) - biases, penalties)]
        for rank, (places, scope) in enumerate(sets, 1):
            if (part := change.within(places, scope, rank)) is not None:
                yield part

    def _entries(self) -> Iterator[Change]:
        for rank, entry in enumerate(other_entries(self.roles)):
            formulas = self._placed(entry.formulas)
            yield Change(
                entry.id,
                EVERYWHERE,
                dict.fromkeys(formulas, entry.description),
                formulas,
                (0, 0, rank),
                HINTS[entry.id],
                self.compiled,
                entry.entry,
            )

    def _slips(self) -> Iterator[Change]:
        by_manner: dict[tuple[str, str, Kind | None], dict[str, Expr]] = {}
        details: dict[tuple[str, str, Kind | None], dict[str, str]] = {}
        usual: dict[tuple[str, str, Kind | None], bool] = {}
        for step in self.compiled.worksheet.steps:
            for slip in SLIPS.values():
                if slip.id == SWAPPED_VALUES:
                    continue
                for formula, detail, manner in slip.rewritings(step, self.roles):
                    if manner is None or formula == step.formula:
                        continue
                    for kind in (step.kind, None) if slip.id in _TOGETHER else (step.kind,):
                        key = (slip.id, manner, kind)
                        by_manner.setdefault(key, {}).setdefault(step.name, formula)
                        details.setdefault(key, {}).setdefault(step.name, detail)
                        usual[key] = usual.get(key, False) or slip.usual(step, self.roles)
        ranks = {slip: rank for rank, slip in enumerate(SLIPS)}
        for key, formulas in by_manner.items():
            made: Slip = SLIPS[key[0]]
            rank = (0, 0, -1, ranks[made.id]) if made.id in _CONVENTIONS else (1, 0, not usual[key], ranks[made.id])
            about = {self.compiled.places[name]: detail for name, detail in details[key].items()}
            scope = LAYER if key[1].startswith("layer ") else EVERYWHERE
            yield Change(made.id, scope, about, self._placed(formulas), rank, made.hint, self.compiled)

    def _placed(self, formulas: Mapping[str, Expr]) -> dict[int, Expr]:
        """By place; without those that would stand on a line that is worked after them."""
        places = self.compiled.places
        placed = {places[name]: formula for name, formula in formulas.items()}
        return {place: formula for place, formula in placed.items() if self._is_independent(formula, place)}

    def _is_independent(self, formula: Expr, place: int) -> bool:
        followers, places = self.compiled.followers[place], self.compiled.places
        return all(name in places and places[name] not in followers for name in names(formula))
