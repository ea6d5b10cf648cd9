"""The update of the parameters as steps: clipping, the schedule, the optimizer's equations, soft-thresholding."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import sympy

from tutor.errors import counted, nearest
from tutor.formulas.expressions import ONE, add, formula, multiply, number, power, symbol
from tutor.formulas.expressions import names as names_in
from tutor.formulas.quantity import Role, derivative, local_derivative, named, owned
from tutor.maths import clipping
from tutor.maths.kind import Kind
from tutor.maths.optimizer import RATE, Equation, Variant
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import soft_threshold
from tutor.maths.schedules import SCHEDULES, Schedule
from tutor.numbers.exact import read_number
from tutor.worksheet.problem import Optimization
from tutor.worksheet.step import Conventions, Step

Expr = Any


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


def asked(variant: Variant) -> set[str]:
    """What the lines name: g, t, E and so on, and `first` where the first update differs from all others."""
    later, at_first = ([formula for *_, formula in lines(variant, first)] for first in (False, True))
    return {name for line in later for name in names_in(line)} | ({"first"} if later != at_first else set())


@dataclass(frozen=True)
class Update:
    """Everything that turns gradients into new parameters; names are those of one update, `_new` for what it makes.

    With the delta rule `changes` has, for each parameter, what moves it, to be multiplied by the rate.
    """

    variant: Variant
    goal: str
    parameters: Sequence[str]
    schedule: str = "constant"
    schedule_settings: Mapping[str, Fraction] = field(default_factory=dict)
    clip: str = ""
    factors: Mapping[str, Fraction] = field(default_factory=dict)
    proximal: Sequence[str] = ()
    changes: Mapping[str, Expr] = field(default_factory=dict)

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

    def steps(self, t: int | Expr, epoch: int, first: bool | None = None) -> Iterator[Step]:
        """The steps of update `t` (from 1) in the given epoch (from 0).

        Where t is a symbol, so that the steps are those of any update, `first` says for which they are.
        """
        at = Count(t, t == 1 if first is None else first)
        rate = symbol(RATE)
        if self.schedule != "constant":
            yield self._rate(epoch)
            rate = symbol("rate")
        gradients = {p: symbol(derivative(self.goal, p)) for p in self.parameters}
        if self.clip:
            yield from self._clipped(gradients)
            gradients = {p: symbol(named(g.name, Role.CLIPPED)) for p, g in gradients.items()}
        shared: dict[str, Expr] = {}
        for step in self._shared(at, rate):
            shared[step.name] = symbol(step.name)
            yield step
        for parameter in self.parameters:
            factor = self.factors.get(parameter, Fraction(1))
            yield from self._equations(parameter, gradients[parameter], at, _times(factor, rate), shared)

    def _rate(self, epoch: int) -> Step:
        rate = rate_formula(SCHEDULES[self.schedule], RATE, self.schedule_settings, epoch)
        return Step("rate", "update", Kind.SCHEDULE, rate, f"{self.schedule.replace('_', ' ')} schedule, epoch {epoch}")

    def _clipped(self, gradients: Mapping[str, Expr]) -> Iterator[Step]:
        limit, names = symbol(self.clip), list(gradients.values())
        if self.clip == "clip_norm":
            squares = add(*(power(name, sympy.Integer(2)) for name in names))  # one sum: nested ones get too deep
            yield Step("norm", "update", Kind.CLIPPING, formula(clipping.norm, squares), "length of the whole gradient")
        for gradient in names:
            if self.clip == "clip_norm":
                nearer, reason = formula(clipping.by_norm, gradient, symbol("norm"), limit), "clipped by norm"
            else:
                nearer, reason = formula(clipping.by_value, gradient, limit), "clipped by value"
            yield Step(named(gradient.name, Role.CLIPPED), "update", Kind.CLIPPING, nearer, reason)

    def _shared(self, at: Count, rate: Expr) -> Iterator[Step]:
        space = {name: symbol(name) for name in self.variant.shared_state} | {RATE: rate, "E": symbol(self.goal)}
        for equation in self.variant.shared:
            name = equation.result
            yield Step(name, "update", equation.kind, written(equation, space, self.variant, at), equation.reason)
            space[name] = symbol(name)

    def _equations(
        self, parameter: str, gradient: Expr, at: Count, rate: Expr, shared: Mapping[str, Expr]
    ) -> Iterator[Step]:
        if parameter in self.changes:
            change = self.changes[parameter]
            factors = change.args if change.is_Mul else (change,)
            moved = add(symbol(parameter), multiply(rate, *factors))
            yield _updated(parameter, moved, "delta rule", "delta")
            return
        space = {"w": symbol(parameter), "g": gradient, RATE: rate, "E": symbol(self.goal), **shared}
        space |= {name: symbol(owned(name, parameter)) for name in self.variant.state}
        for equation in self.variant.equations:
            line = written(equation, space, self.variant, at)
            if equation.kind is Kind.UPDATE:
                yield from self._last(parameter, line, equation.reason, rate)
                return
            name = named(owned(equation.name, parameter), Role.NEW if equation.kind is Kind.STATE else Role.PLAIN)
            yield Step(name, "update", equation.kind, line, equation.reason)
            space[equation.result] = symbol(name)

    def _last(self, parameter: str, equation: Expr, reason: str, rate: Expr) -> Iterator[Step]:
        if parameter not in self.proximal:
            yield _updated(parameter, equation, reason)
            return
        stepped = named(parameter, Role.STEP)
        yield Step(stepped, "update", Kind.INTERMEDIATE, equation, reason)
        shrunk = formula(soft_threshold, symbol(stepped), multiply(rate, symbol("l1")))
        yield _updated(parameter, shrunk, "soft-thresholding")


def _updated(parameter: str, formula: Expr, reason: str, rule: str = "") -> Step:
    return Step(named(parameter, Role.NEW), "update", Kind.UPDATE, formula, reason, rule, before=parameter)


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
        total = add(*(symbol(derivative(part, name)) for part in parts))
        whole = total if share == 1 else multiply(number(share), total)
        if name in penalised:
            whole = add(whole, symbol(local_derivative(goal, name)))
        how = "" if len(parts) == 1 else "sum" if share == 1 else "mean"
        yield reduction(derivative(goal, name), "gradient", whole, how)


def reduction(name: str, stage: str, formula: Expr, how: str) -> Step:
    """What the examples of a batch come to: their `sum` or `mean`, or what the only one has."""
    reason = f"{how} over the examples" if how else "the only example of its batch"
    return Step(name, stage, Kind.REDUCTION, formula, reason, how)


T = "t"
"""What a lesson calls the number of updates that have been made."""


def update_of(
    wanted: Optimization,
    goal: str,
    parameters: Sequence[str],
    factors: Mapping[str, Fraction] | None = None,
    shrunk: Sequence[str] = (),
    changes: Mapping[str, Any] | None = None,
) -> Update:
    """The update that a lesson asks for; the weights in `shrunk` are soft-thresholded after their step, and those in
    `changes` move by the delta rule."""
    return Update(
        variant=variant_of(wanted),
        goal=goal,
        parameters=parameters,
        schedule=wanted.schedule,
        schedule_settings=wanted.schedule_settings,
        clip=_clip(wanted),
        factors=factors or {},
        proximal=shrunk,
        changes=changes or {},
    )


def variant_of(wanted: Optimization) -> Variant:
    """The optimizer in the form that its settings give it."""
    return OPTIMIZERS[wanted.optimizer].variant(wanted.settings)


def update_values(wanted: Optimization) -> dict[str, Fraction]:
    """The learning rate and the settings of the optimizer, as given values."""
    chosen = OPTIMIZERS[wanted.optimizer]
    rate = wanted.learning_rate if wanted.learning_rate is not None else Fraction(chosen.rate or 0)
    found = {RATE: rate}
    found |= {name: read_number(str(value)) for name, value in variant_of(wanted).settings.items()}
    if limit := _clip(wanted):
        found[limit] = getattr(wanted, limit)
    return found


def begun(wanted: Optimization) -> int:
    """How many updates have been made before."""
    return int(wanted.state.get(T, 0))


def states_of(wanted: Optimization, update: Update, place: str) -> dict[str, Fraction]:
    """What each state begins with: what the lesson gives, or the optimizer's own.

    Raises ValueError where a lesson gives a state that there is not, or some and not all: after an update none has its
    first value any more.
    """
    if not wanted.state:
        return update.state
    needed = [*update.state, *([T] if asked(update.variant) & {T, "first"} else [])]
    if not update.state:
        raise ValueError(f"{place}.state: {wanted.optimizer} keeps nothing from update to update; leave it out")
    for name in wanted.state:
        if name not in (*needed, T):
            known = f"; {wanted.optimizer} has {', '.join(needed)}"
            raise ValueError(f"{place}.state: there is no {name!r}{nearest(name, needed) or known}")
    if missing := [name for name in needed if name not in wanted.state]:
        meant = f" ({T} is how many updates have been made)" if T in missing else ""
        raise ValueError(f"{place}.state: also give {', '.join(missing)}{meant}; after an update none is as it began")
    return {name: wanted.state[name] for name in update.state}


def with_optimization(made: Conventions, wanted: Optimization) -> Conventions:
    """The conventions with what a reader must know of the optimizer, the schedule and the clipping."""
    defaults = SCHEDULES[wanted.schedule].settings
    return replace(
        made,
        optimizer=wanted.optimizer,
        forms=tuple(_forms(wanted)),
        remarks=(*made.remarks, *([f"{counted(begun(wanted), 'update')} made before"] if begun(wanted) else [])),
        clip=_clip(wanted),
        schedule=wanted.schedule,
        schedule_settings={n: wanted.schedule_settings.get(n, Fraction(text)) for n, text in defaults.items()},
    )


def _clip(wanted: Optimization) -> str:
    return next((limit for limit in ("clip_norm", "clip_value") if getattr(wanted, limit) is not None), "")


def _forms(wanted: Optimization) -> Iterator[str]:
    """The forms that the flags of the optimizer give it, in words."""
    entry, choices = OPTIMIZERS[wanted.optimizer], variant_of(wanted).choices
    for name, flag in entry.flags.items():
        yield flag.on if choices[name] else flag.off


def together(*parts: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """All the given values. Raises ValueError where two of them share a name."""
    found: dict[str, Fraction] = {}
    for part in parts:
        for name, value in part.items():
            if name in found:
                raise ValueError(f"two quantities are called {name!r}; give one of them another name")
            found[name] = value
    return found
