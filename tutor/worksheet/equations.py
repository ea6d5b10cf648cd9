"""Free equations and functions to minimise as computations: indices filled in, formulas read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from heapq import heappop, heappush
from itertools import count, groupby
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tutor.errors import nearest
from tutor.formulas.expressions import add, multiply, names, symbol, written_size
from tutor.formulas.indices import Indices, SizeLimit, filled_name, index_values, written_loops
from tutor.formulas.parse import parse
from tutor.formulas.quantity import derivative, named
from tutor.formulas.syntax import bases
from tutor.maths.kind import Kind
from tutor.worksheet.computation import Computation, Descent, ForwardPass, PlannedUpdate, TrainingState
from tutor.worksheet.conventions import NONE, of_optimization
from tutor.worksheet.problem import Differentiate, Equation, Minimize, Problem
from tutor.worksheet.step import GOAL, Step, merged
from tutor.worksheet.update import symbols_in

MOST_STEPS = 20_000
MOST_PARTS = 300_000
"""The names, numbers and operations in all equations of a lesson."""
LONGEST_NAME = 60
Written = tuple[str, str, tuple[tuple[str, str], ...]]
"""The name of an equation, its formula, and the indices with their ranges in order."""


class Filled(Struct, frozen=True):
    """One equation at one value of its indices; `number` counts the [[equations]] of the file from 1."""

    number: int
    equation: Equation
    name: str
    at: Indices

    @property
    def place(self) -> str:
        return f"equation {self.number}, {self.name!r}"


def equation_steps(problem: Problem) -> list[Step]:
    """The equations in order, each over the givens and the ones before it. Raises ValueError with the place."""
    equations = tuple((one.name, one.formula, tuple(one.ranges.items())) for one in problem.equations)
    return [*_steps(equations, tuple(problem.givens))]


@lru_cache(maxsize=4)
def _steps(equations: tuple[Written, ...], givens: tuple[str, ...]) -> tuple[Step, ...]:
    """Kept for worksheets that differ in nothing but the values of their givens."""
    groups = list(_groups([Equation(name, formula, dict(ranges)) for name, formula, ranges in equations]))
    known = _all_names(givens, (filled for group in groups for filled in group))
    limit = SizeLimit(
        MOST_PARTS, f"the formulas of a lesson have at most {MOST_PARTS:,} parts together; shorten a range"
    )
    done, steps, size = set(givens), [], 0
    for group in groups:
        for filled, formula in _sorted([(filled, _read(filled, known, limit)) for filled in group]):
            if later := next((name for name in names(formula) if name not in done), None):
                when = "what this equation defines" if later == filled.name else "defined only further on"
                raise ValueError(f"{filled.place}: {later} is {when}; use what stands before it")
            size += written_size(formula)
            if size > MOST_PARTS:
                whole = f"by here the equations have {size:,} parts; they may have {MOST_PARTS:,}"
                raise ValueError(f"{filled.place}: {whole}")
            steps.append(Step(filled.name, "forward", Kind.EQUATION, formula, "equation"))
            done.add(filled.name)
    return tuple(steps)


def _groups(equations: Sequence[Equation]) -> Iterator[list[Filled]]:
    """All equations with their indices filled in. Neighbours with the same `for` are worked together, index value by
    index value, so that each may need the others at the value before."""
    enough = f"a worksheet takes at most {MOST_STEPS:,} steps"
    limit, values = SizeLimit(MOST_STEPS, enough), SizeLimit(4 * MOST_STEPS, enough)
    for _, same_range in groupby(zip(count(1), equations, strict=False), key=lambda pair: [*pair[1].ranges.items()]):
        members = list(same_range)
        number, equation = members[0]
        group: list[Filled] = []
        try:
            for at in index_values(written_loops(equation.ranges), {}, values):
                for number, equation in members:
                    limit.take()
                    group.append(Filled(number, equation, filled_name(equation.name, at), at))
            if not group:
                raise ValueError("`for` goes over no value at all; write a range as in 1..3")
        except ValueError as error:
            raise ValueError(f"equation {number}, {equation.name[:LONGEST_NAME]!r}: {error}") from None
        yield group


def _all_names(givens: Iterable[str], equations: Iterable[Filled]) -> frozenset[str]:
    """Everything that a formula may use. Raises ValueError where two quantities, or one and an index, share a name."""
    known: dict[str, int] = dict.fromkeys(givens, 0)
    indices: dict[str, Filled] = {}
    for filled in equations:
        if len(filled.name) > LONGEST_NAME:
            raise ValueError(f"equation {filled.number}: a name has at most {LONGEST_NAME} characters")
        if known.get(filled.name) == filled.number:
            raise ValueError(
                f"{filled.place}: the name is the same for several values of `for`; write each index in it, as in "
                f"{filled.name.partition('[')[0]}[{','.join(filled.at)}]"
            )
        if filled.name in known:
            raise ValueError(
                f"{filled.place}: two quantities are called {filled.name!r}; give one of them another name"
            )
        known[filled.name] = filled.number
        indices |= dict.fromkeys(filled.at, filled)
    every = frozenset(known)
    taken = bases(every)
    for index, filled in indices.items():
        if index in every or index in taken:
            raise ValueError(f"{filled.place}: the index {index!r} has the name of a quantity; take another letter")
    return every


def _read(filled: Filled, known: frozenset[str], limit: SizeLimit) -> Any:
    try:
        return parse(filled.equation.formula, known, filled.at, limit)
    except ValueError as error:
        raise ValueError(f"{filled.place}: {error}") from None


def _sorted(group: Sequence[tuple[Filled, Any]]) -> Iterator[tuple[Filled, Any]]:
    """The equations as they stand, except that each waits for those of the group that it needs."""
    places = {filled.name: place for place, (filled, _) in enumerate(group)}
    missing = [{places[n] for n in names(f) if n in places} - {place} for place, (_, f) in enumerate(group)]
    waiting: dict[int, list[int]] = {}
    for place, needed in enumerate(missing):
        for other in needed:
            waiting.setdefault(other, []).append(place)
    ready = [place for place, needed in enumerate(missing) if not needed]
    left = set(range(len(group)))
    while ready:
        done = heappop(ready)
        left.remove(done)
        yield group[done]
        for place in waiting.get(done, ()):
            missing[place].remove(done)
            if not missing[place]:
                heappush(ready, place)
    yield from (group[place] for place in sorted(left))  # they need one another, which is told where they are read


def free_computation(problem: Problem) -> Computation:
    """The equations, and what of them is differentiated; with [training], a step along that."""
    steps, values = equation_steps(problem), dict(problem.givens)
    differentiate, training = problem.differentiate, problem.training
    if differentiate is None:
        return Computation([values], [ForwardPass(GOAL, steps)], (), NONE)
    forward = _differentiated(differentiate, steps, values)
    values |= {derivative(GOAL, name): value for name, value in differentiate.seed.items()}
    made = Computation([values], [forward], differentiate.wrt, NONE)
    if training is None or differentiate.seed:
        return made
    if len(forward.errors) > 1:
        raise ValueError("training: a step goes along the gradient of one quantity; give one `of`")
    training_state = TrainingState(training.made_before)
    descent = Descent(training, "training", [PlannedUpdate(0, "", 0)], training_state, steps, forward.errors)
    return replace(made, conventions=of_optimization(NONE, training), descent=descent)


def _differentiated(differentiate: Differentiate, steps: Sequence[Step], values: Mapping[str, Fraction]) -> ForwardPass:
    """The equations as a forward pass, with everything that is differentiated as its errors."""
    known = [*values, *(s.name for s in steps)]
    goals = [differentiate.of] if isinstance(differentiate.of, str) else differentiate.of or []
    for name in (*differentiate.wrt, *differentiate.seed, *goals):
        if name not in known:
            raise ValueError(f"differentiate: there is no {name!r}{nearest(name, known)}")
    equations = {s.name for s in steps}
    if differentiate.seed:
        return _seeded(differentiate, steps, equations)
    goals = goals or [steps[-1].name if steps else ""]
    for goal in goals:
        if goal not in equations:
            raise ValueError(f"differentiate.of: {goal!r} is not an equation, so it does not depend on anything")
        if goals.count(goal) > 1:
            raise ValueError(f"differentiate.of: {goal!r} stands there twice; once is enough")
    if goals == differentiate.wrt:
        raise ValueError(f"differentiate.wrt: {goals[0]!r} by itself is 1; say by what else to differentiate it")
    return ForwardPass(goals[0], steps, goals)


def _seeded(differentiate: Differentiate, steps: Sequence[Step], equations: Collection[str]) -> ForwardPass:
    """What has the gradients that arrive from above is the sum of seed·output."""
    if differentiate.of:
        raise ValueError("differentiate: give either `of` or `seed`")
    if GOAL in equations:
        raise ValueError(
            f"differentiate.seed: the gradients come from above, from a loss called {GOAL!r}; rename yours"
        )
    terms = [multiply(symbol(derivative(GOAL, name)), symbol(name)) for name in differentiate.seed]
    objective = Step(GOAL, "loss", Kind.OBJECTIVE, add(*terms), "sum of seed times output")
    return ForwardPass(GOAL, steps, [GOAL], objective=objective)


def minimize_computation(minimize: Minimize, givens: Mapping[str, Fraction]) -> Computation:
    """A function minimised: its value and the updates, as often as is asked; or the updates by given gradients."""
    values = merged(givens, minimize.start)
    if minimize.objective is None:
        return _given_gradients(minimize, values)
    try:
        objective = Step(GOAL, "loss", Kind.OBJECTIVE, parse(minimize.objective, set(values)), "objective")
    except ValueError as error:
        raise ValueError(f"minimize.objective: {error}") from None
    descent = replace(_descent(minimize, minimize.steps or 1), again=[objective], compared=[GOAL])
    forward = ForwardPass(GOAL, [objective], [GOAL])
    return Computation([values], [forward], list(minimize.start), of_optimization(NONE, minimize), descent=descent)


def _given_gradients(minimize: Minimize, values: Mapping[str, Fraction]) -> Computation:
    """The updates alone: the gradient of each is given."""
    parameters = list(minimize.start)
    if GOAL in symbols_in(minimize.variant):
        raise ValueError(f"minimize.gradients: {minimize.optimizer} also needs the error itself; give an objective")
    count = max(map(len, minimize.gradients.values()))
    slopes = {
        named(derivative(GOAL, name), update=k if count > 1 else 0): slope
        for name, found in minimize.gradients.items()
        for k, slope in enumerate(found, 1)
    }
    descent = replace(_descent(minimize, count), given=[derivative(GOAL, p) for p in parameters])
    conventions = of_optimization(NONE, minimize)
    return Computation([values, slopes], [ForwardPass(GOAL, ())], parameters, conventions, descent=descent)


def _descent(minimize: Minimize, count: int) -> Descent:
    """So many updates, each an epoch of its own."""
    planned = [PlannedUpdate(0, f"Update {k + 1}", k) for k in range(count)]
    return Descent(minimize, "minimize", planned, TrainingState(minimize.made_before))
