"""The update of the parameters as steps: clipping, the schedule, the optimizer's equations, soft-thresholding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import sympy
from msgspec import Struct

from tutor.errors import nearest
from tutor.formulas.expressions import MINUS_ONE, ONE, add, formula, multiply, number, power, symbol
from tutor.formulas.expressions import names as names_in
from tutor.formulas.quantity import Role, derivative, named, owned
from tutor.maths import clipping
from tutor.maths.kind import Kind
from tutor.maths.optimizer import RATE, Equation, Variant
from tutor.maths.penalties import PENALTIES
from tutor.maths.schedules import SCHEDULES, Schedule
from tutor.numbers.exact import read_number
from tutor.worksheet.computation import Descent
from tutor.worksheet.forward import scaled
from tutor.worksheet.gradients import Pass
from tutor.worksheet.problem import Optimization, Training
from tutor.worksheet.step import Step

Expr = Any
T = "t"
"""What a lesson calls the number of updates that have been made."""


class Count:
    """The number of an update, or the symbol for it, and whether it is the first."""

    def __init__(self, t: int | Expr, first: bool) -> None:
        whole = isinstance(t, int)
        self.names: dict[str, Expr] = {
            "t": sympy.Integer(t) if whole else t,
            "next_t": sympy.Integer(t + 1) if whole else add(t, ONE),
        }
        self.first = first


def written(equation: Equation, space: Mapping[str, Expr], variant: Variant, at: Count) -> Expr:
    """A line of an optimizer over these quantities and the settings, by their names."""
    values = {**space, **{name: symbol(name) for name in variant.settings}, **at.names}
    chosen = {**variant.choices, "first": at.first}
    names = sorted(values)

    def body(*arguments: Any) -> Any:
        named = dict(zip(names, arguments[:-1], strict=True))
        return equation.body(SimpleNamespace(**named, **chosen), arguments[-1])

    key = (equation.body, tuple(names), tuple(sorted(chosen.items(), key=str)))
    return formula(body, *(values[name] for name in names), key=key)


def lines(variant: Variant, first: bool = False) -> Iterator[tuple[Equation, str, Expr]]:
    """Each line of an optimizer with the name of what it makes and its formula, over w, g, t and so on; those that are
    worked once for all parameters first. `first` is for the first update of a training."""
    at = Count(symbol("t"), first)
    space = {name: symbol(name) for name in ("w", "g", "E", RATE, *variant.state, *variant.shared_state)}
    for equation in (*variant.shared, *variant.equations):
        yield equation, equation.result, written(equation, space, variant, at)
        space[equation.result] = symbol(equation.result)


def symbols_in(variant: Variant) -> set[str]:
    """What the lines name: g, t, E and so on, and `first` where the first update differs from all others."""
    later, at_first = ([formula for *_, formula in lines(variant, first)] for first in (False, True))
    return {name for line in later for name in names_in(line)} | ({"first"} if later != at_first else set())


class Update(Struct, frozen=True, dict=True):
    """Everything that turns the gradients of a pass into new parameters; names are those of one update, `_new` for
    what it makes."""

    descent: Descent
    made: Pass
    parameters: Sequence[str]

    @property
    def optimization(self) -> Optimization:
        return self.descent.optimization

    @cached_property
    def variant(self) -> Variant:
        """The optimizer in the form that its settings give it."""
        return self.optimization.variant

    @property
    def state(self) -> dict[str, Fraction]:
        """The names of all states but the learning rate, and what each begins with."""
        shared = {name: read_number(str(start)) for name, start in self.variant.shared_state.items() if name != RATE}
        own = {name: read_number(str(start)) for name, start in self.variant.state.items()}
        return {owned(name, p): start for p in self.parameters for name, start in own.items()} | shared

    @property
    def kept(self) -> list[str]:
        """The names of all that lives on from update to update."""
        return list(dict.fromkeys([*self.parameters, *self.state, *self.variant.shared_state]))

    def givens(self) -> tuple[dict[str, Fraction], dict[str, Fraction]]:
        """The learning rate, the settings of the optimizer and the limits of clipping; and what each state begins with.

        Raises ValueError, with the place in the lesson, for states that nothing can begin with.
        """
        optimization, found = self.optimization, {RATE: self.optimization.rate}
        found |= {name: read_number(str(value)) for name, value in self.variant.settings.items()}
        found |= {limit: getattr(optimization, limit) for limit in optimization.clips}
        return found, self._states()

    def _states(self) -> dict[str, Fraction]:
        """What the lesson gives, or the optimizer's own. Of a lesson there are all or none: after an update none has
        its first value any more."""
        given, optimizer, place = self.optimization.state, self.optimization.optimizer, self.descent.place
        if not given:
            return self.state
        needed = [*self.state, *([T] if symbols_in(self.variant) & {T, "first"} else [])]
        if not self.state:
            raise ValueError(f"{place}.state: {optimizer} keeps nothing from update to update; leave it out")
        for name in given:
            if name not in (*needed, T):
                known = f"; {optimizer} has {', '.join(needed)}"
                raise ValueError(f"{place}.state: there is no {name!r}{nearest(name, needed) or known}")
        if missing := [name for name in needed if name not in given]:
            meant = f" ({T} is how many updates have been made)" if T in missing else ""
            also = ", ".join(missing)
            raise ValueError(f"{place}.state: also give {also}{meant}; after an update none is as it began")
        return {name: given[name] for name in self.state}

    def steps(self, t: int | Expr, epoch: int, first: bool | None = None) -> Iterator[Step]:
        """The steps of update `t` (from 1) in the given epoch (from 0).

        Where t is a symbol, so that the steps are those of any update, `first` says for which they are.
        """
        at = Count(t, t == 1 if first is None else first)
        rate = symbol(RATE)
        if self.optimization.schedule != "constant":
            yield self._rate(epoch)
            rate = symbol("rate")
        gradients = {p: symbol(derivative(self.made.goal, p)) for p in self.parameters}
        for limit in self.optimization.clips:
            role = Role.CLIPPED if limit == self.optimization.clips[-1] else Role.LIMITED
            clipped = {p: symbol(named(derivative(self.made.goal, p), role)) for p in self.parameters}
            yield from _clipped(limit, gradients, clipped)
            gradients = clipped
        shared: dict[str, Expr] = {}
        for step in self._shared(at, rate):
            shared[step.name] = symbol(step.name)
            yield step
        for parameter in self.parameters:
            own_rate = scaled(self.descent.factors.get(parameter, Fraction(1)), rate)
            if parameter in self.made.moves:
                yield self._moved(parameter, own_rate)
            else:
                yield from self._equations(parameter, gradients[parameter], at, own_rate, shared)

    def _rate(self, epoch: int) -> Step:
        schedule = self.optimization.schedule
        rate = rate_formula(SCHEDULES[schedule], RATE, self.optimization.rate_settings, epoch)
        return Step("rate", "update", Kind.SCHEDULE, rate, f"{schedule.replace('_', ' ')} schedule, epoch {epoch}")

    def _shared(self, at: Count, rate: Expr) -> Iterator[Step]:
        space = {name: symbol(name) for name in self.variant.shared_state} | {RATE: rate, "E": symbol(self.made.goal)}
        for equation in self.variant.shared:
            name = equation.result
            yield Step(name, "update", equation.kind, written(equation, space, self.variant, at), equation.reason)
            space[name] = symbol(name)

    def _moved(self, parameter: str, rate: Expr) -> Step:
        """w + eta·move, for every move of the parameter."""
        assert isinstance(self.optimization, Training)
        moves = [_times(rate, move) for move in self.made.moves[parameter]]
        rule = self.optimization.rule
        return _updated(parameter, add(symbol(parameter), *moves), f"{rule} rule", rule)

    def _equations(
        self, parameter: str, gradient: Expr, at: Count, rate: Expr, shared: Mapping[str, Expr]
    ) -> Iterator[Step]:
        space = {"w": symbol(parameter), "g": gradient, RATE: rate, "E": symbol(self.made.goal), **shared}
        space |= {name: symbol(owned(name, parameter)) for name in self.variant.state}
        for equation in self.variant.equations:
            line = written(equation, space, self.variant, at)
            if equation.kind is Kind.UPDATE:
                yield from self._last(parameter, line, equation.reason, shared.get(named(RATE, Role.NEW), rate))
                return
            name = named(owned(equation.name, parameter), Role.NEW if equation.kind is Kind.STATE else Role.PLAIN)
            yield Step(name, "update", equation.kind, line, equation.reason)
            space[equation.result] = symbol(name)

    def _last(self, parameter: str, equation: Expr, reason: str, rate: Expr) -> Iterator[Step]:
        if parameter not in self.descent.shrunk:
            yield _updated(parameter, equation, reason)
            return
        stepped = named(parameter, Role.STEP)
        yield Step(stepped, "update", Kind.INTERMEDIATE, equation, reason)
        nearer = symbol(stepped)
        for name in self.optimization.proximal_penalties:
            body = PENALTIES[name].proximal
            assert body is not None
            width = multiply(rate, symbol(name))
            nearer = formula(body, nearer, width, *map(number, self.optimization.numbers_of(name)))
        yield _updated(parameter, nearer, "soft-thresholding")


def _clipped(limit: str, gradients: Mapping[str, Expr], clipped: Mapping[str, Expr]) -> Iterator[Step]:
    """Each gradient cut back to the limit, under the name that it has then."""
    names, by_norm = list(gradients.values()), limit == "clip_norm"
    if by_norm:
        squares = add(*(power(name, sympy.Integer(2)) for name in names))  # one sum: nested ones get too deep
        yield Step("norm", "update", Kind.CLIPPING, formula(clipping.norm, squares), "length of the whole gradient")
    for parameter, gradient in gradients.items():
        if by_norm:
            nearer, reason = formula(clipping.by_norm, gradient, symbol("norm"), symbol(limit)), "clipped by norm"
        else:
            nearer, reason = formula(clipping.by_value, gradient, symbol(limit)), "clipped by value"
        yield Step(clipped[parameter].name, "update", Kind.CLIPPING, nearer, reason)


def _updated(parameter: str, formula: Expr, reason: str, rule: str = "") -> Step:
    return Step(named(parameter, Role.NEW), "update", Kind.UPDATE, formula, reason, rule, before=parameter)


def rate_formula(schedule: Schedule, start: str, settings: Mapping[str, Fraction], epoch: int) -> Expr:
    """The learning rate of an epoch (from 0) over the quantity `start`, the rate of the first."""
    space = SimpleNamespace(
        eta0=symbol(start), epoch=sympy.Integer(epoch), **{name: number(value) for name, value in settings.items()}
    )
    return formula(
        lambda m: schedule.rate(space, m), key=("schedule", schedule.name, start, epoch, tuple(settings.values()))
    )


def _times(rate: Expr, move: Expr) -> Expr:
    """rate·move, with the minus sign of the move, if any, in front."""
    factors = move.args if move.is_Mul else (move,)
    if factors[0] == MINUS_ONE:
        return multiply(MINUS_ONE, multiply(rate, *factors[1:]))
    return multiply(rate, *factors)
