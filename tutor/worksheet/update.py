"""The update of the parameters as steps: clipping, the schedule, the optimizer's equations, soft-thresholding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import sympy

from tutor.arithmetic.symbolic import add, formula, multiply, number, power, symbol
from tutor.maths import clipping
from tutor.maths.optimizers import OPTIMIZERS, Equation
from tutor.maths.penalties import soft_threshold
from tutor.maths.schedules import SCHEDULES, Schedule
from tutor.worksheet.step import Step

Expr = Any
RATE = "eta"
ONLY_ONE = "the only example of its batch"


class _Moment:
    """The number of an update, or the symbol for it, and whether it is the first."""

    def __init__(self, t: int | Expr, first: bool) -> None:
        self.t, self.first = sympy.Integer(t) if isinstance(t, int) else t, first


@dataclass(frozen=True)
class Update:
    """Everything that turns gradients into new parameters; names are those of one update, `_new` for what it makes.

    With the delta rule `changes` has, for each parameter, what moves it, to be multiplied by the rate.
    """

    optimizer: str
    goal: str
    parameters: Sequence[str]
    flags: Mapping[str, bool] = field(default_factory=dict)
    settings: Sequence[str] = ()
    schedule: str = "constant"
    schedule_settings: Mapping[str, Fraction] = field(default_factory=dict)
    clip: str = ""
    factors: Mapping[str, Fraction] = field(default_factory=dict)
    proximal: Sequence[str] = ()
    changes: Mapping[str, Expr] = field(default_factory=dict)

    @property
    def state(self) -> list[str]:
        """The names of all states, which begin at 0 (the shared learning rate at eta)."""
        chosen = OPTIMIZERS[self.optimizer]
        return [f"{s}_{p}" for p in self.parameters for s in chosen.state] + [
            s for s in chosen.shared_state if s != RATE
        ]

    def steps(self, t: int | Expr, epoch: int, first: bool | None = None) -> Iterator[Step]:
        """The steps of update `t` (from 1) in the given epoch (from 0).

        Where t is a symbol, so that the steps are those of any update, `first` says for which they are.
        """
        at = _Moment(t, t == 1 if first is None else first)
        rate = symbol(RATE)
        if self.schedule != "constant":
            yield self._rate(epoch)
            rate = symbol("rate")
        gradients = {p: symbol(f"d{self.goal}/d{p}") for p in self.parameters}
        if self.clip:
            clipped = list(self._clipped(gradients))
            yield from clipped
            by_name = {step.name for step in clipped}
            gradients = {
                p: symbol(f"{g.name}_clipped") if f"{g.name}_clipped" in by_name else g for p, g in gradients.items()
            }
        shared: dict[str, Expr] = {}
        for step in self._shared(at, rate):
            shared[step.name] = symbol(step.name)
            yield step
        for parameter in self.parameters:
            factor = self.factors.get(parameter, Fraction(1))
            yield from self._equations(parameter, gradients[parameter], at, _times(factor, rate), shared)

    def _rate(self, epoch: int) -> Step:
        rate = rate_formula(SCHEDULES[self.schedule], RATE, self.schedule_settings, epoch)
        return Step("rate", "update", rate, f"{self.schedule.replace('_', ' ')} schedule, epoch {epoch}")

    def _clipped(self, gradients: Mapping[str, Expr]) -> Iterator[Step]:
        limit, names = symbol(self.clip), list(gradients.values())
        if self.clip == "clip_norm":
            squares = add(*(power(name, sympy.Integer(2)) for name in names))  # one sum: nested ones get too deep
            yield Step("norm", "update", formula(clipping.norm, squares), "length of the whole gradient")
        for gradient in names:
            if self.clip == "clip_norm":
                shorter = formula(clipping.by_norm, gradient, symbol("norm"), limit)
                yield Step(f"{gradient.name}_clipped", "update", shorter, "clipped by norm")
            else:
                nearer = formula(clipping.by_value, gradient, limit)
                yield Step(f"{gradient.name}_clipped", "update", nearer, "clipped by value")

    def _shared(self, at: _Moment, rate: Expr) -> Iterator[Step]:
        chosen = OPTIMIZERS[self.optimizer]
        done: dict[str, Expr] = {}
        for equation in chosen.shared:
            space = {s: symbol(s) for s in chosen.shared_state} | {"eta": rate, "E": symbol(self.goal)} | done
            yield Step(f"{equation.name}_new", "update", self._write(equation, space, at), equation.reason, before=None)
            done[f"{equation.name}_new"] = symbol(f"{equation.name}_new")

    def _equations(
        self, parameter: str, gradient: Expr, at: _Moment, rate: Expr, shared: Mapping[str, Expr]
    ) -> Iterator[Step]:
        if parameter in self.changes:
            change = self.changes[parameter]
            factors = change.args if change.is_Mul else (change,)
            moved = add(symbol(parameter), multiply(rate, *factors))
            yield Step(f"{parameter}_new", "update", moved, "delta rule", before=parameter)
            return
        chosen = OPTIMIZERS[self.optimizer]
        space = {"w": symbol(parameter), "g": gradient, "eta": rate, "E": symbol(self.goal), **shared}
        space |= {s: symbol(f"{s}_{parameter}") for s in chosen.state}
        for equation in chosen.equations:
            if equation.name == "w":
                yield from self._last(parameter, self._write(equation, space, at), equation.reason, rate)
                return
            is_state = equation.name in chosen.state
            name = f"{equation.name}_{parameter}{'_new' if is_state else ''}"
            yield Step(name, "update", self._write(equation, space, at), equation.reason)
            space[f"{equation.name}_new" if is_state else equation.name] = symbol(name)

    def _last(self, parameter: str, equation: Expr, reason: str, rate: Expr) -> Iterator[Step]:
        if parameter not in self.proximal:
            yield Step(f"{parameter}_new", "update", equation, reason, before=parameter)
            return
        yield Step(f"{parameter}_step", "update", equation, reason)
        shrunk = formula(soft_threshold, symbol(f"{parameter}_step"), multiply(rate, symbol("l1")))
        yield Step(f"{parameter}_new", "update", shrunk, "soft-thresholding", before=parameter)

    def _write(self, equation: Equation, space: Mapping[str, Expr], at: _Moment) -> Expr:
        settings = {name: symbol(name) for name in self.settings}
        flags = {**self.flags, "first": at.first}
        names = sorted([*space, *settings, "t"])
        values = {**space, **settings, "t": at.t}

        def body(*arguments: Any) -> Any:
            named = dict(zip(names, arguments[:-1], strict=True))
            return equation.body(SimpleNamespace(**named, **flags), arguments[-1])

        return formula(
            body, *(values[n] for n in names), key=(equation.body, tuple(names), tuple(sorted(flags.items())))
        )


def rate_formula(schedule: Schedule, start: str, settings: Mapping[str, Fraction], epoch: int) -> Expr:
    """The learning rate of an epoch (from 0) over the quantity `start`, the rate of the first; a setting that is not
    given has its default."""
    values = {name: number(settings.get(name, Fraction(text))) for name, text in schedule.settings.items()}
    space = SimpleNamespace(eta0=symbol(start), epoch=sympy.Integer(epoch), **values)
    return formula(
        lambda m: schedule.rate(space, m), key=("schedule", schedule.name, start, epoch, tuple(values.values()))
    )


def _times(factor: Fraction, rate: Expr) -> Expr:
    return rate if factor == 1 else multiply(number(factor), rate)


def combined_gradients(
    goal: str, parameters: Sequence[str], parts: Sequence[str], share: Fraction, penalised: Sequence[str]
) -> Iterator[Step]:
    """dE/dW of a batch from the gradients of its examples, and from the penalty where there is one."""
    for name in parameters:
        total = add(*(symbol(f"d{part}/d{name}") for part in parts))
        whole = total if share == 1 else multiply(number(share), total)
        if name in penalised:
            whole = add(whole, symbol(f"local({goal},{name})"))
        reason = ONLY_ONE if len(parts) == 1 else f"{'sum' if share == 1 else 'mean'} over the examples"
        yield Step(f"d{goal}/d{name}", "gradient", whole, reason)
