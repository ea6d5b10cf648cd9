"""The backward pass as steps: every local partial derivative, and every gradient by the multivariable chain rule.

Both follow from the formulas of the forward steps alone, so any computation written as steps is differentiated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import sympy
from msgspec import Struct

from tutor.formulas.expressions import add, multiply, symbol, terms_holding, written_size
from tutor.formulas.quantity import derivative as derivative_name
from tutor.formulas.quantity import local_derivative
from tutor.maths.kind import Kind
from tutor.worksheet.derivation import simplest
from tutor.worksheet.step import Step

Expr = Any

WRITTEN_BY_PEOPLE = (Kind.EQUATION, Kind.OBJECTIVE)
"""Formulas of any shape: their derivatives keep the form that the rules give; SymPy would multiply them out."""
MOST_PARTS = 500_000
"""The names, numbers and operations in the equations of a lesson, as often as each is differentiated."""
MOST_PATHS = 8  # as many products as a person will read in one sum


def derivative(expression: Expr, name: str) -> Expr:
    """SymPy's derivative of the expression by the quantity `name`."""
    x = symbol(name)
    if expression == x:
        return sympy.S.One
    if expression.is_Mul and len(expression.args) == 2 and x in expression.args:
        a, b = expression.args
        if a.is_Symbol and b.is_Symbol and a != b:  # a weight and what it multiplies: by far the most frequent
            return b if a == x else a
    return sympy.diff(expression, x)


def derivatives(expression: Expr, names: Sequence[str]) -> dict[str, Expr]:
    """SymPy's derivative by each of the names. Of a sum only the terms that hold the name are looked at."""
    holding = terms_holding(expression, names)
    return {name: sympy.Add(*(derivative(term, name) for term in terms)) for name, terms in holding.items()}


class Graph(Struct, frozen=True, dict=True):
    """Which quantities lead from the parameters to the goal, and along which paths.

    With `seeded` the derivatives of the goal by its own inputs are given, not derived. `goals` has everything that the
    worksheet differentiates, where that is more than this goal.
    """

    steps: Mapping[str, Step]
    goal: str
    parameters: Sequence[str]
    seeded: bool = False
    goals: Sequence[str] = ()

    @cached_property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """For every step between a parameter and the goal the names through which it depends on parameters."""
        leads = set(self.parameters)
        found: dict[str, tuple[str, ...]] = {}
        for name, step in self.steps.items():
            on_path = tuple(x for x in step.inputs if x in leads)
            if on_path:
                leads.add(name)
                found[name] = on_path
        reached = {self.goal}
        for name in reversed(found):
            if name in reached:
                reached.update(found[name])
        return {name: below for name, below in found.items() if name in reached}

    @cached_property
    def users(self) -> Mapping[str, tuple[str, ...]]:
        """For every quantity the steps that use it, on the way to the goal."""
        found: dict[str, list[str]] = {self.goal: []}
        for name, below in self.inputs.items():
            for x in below:
                found.setdefault(x, []).append(name)
        return {name: tuple(users) for name, users in found.items()}

    @cached_property
    def levels(self) -> Mapping[str, int]:
        """The longest distance of every quantity from the goal: the order in which a backward pass goes."""
        found = {self.goal: 0}
        for name in reversed(self.inputs):
            for x in self.inputs[name]:
                found[x] = max(found.get(x, 0), found[name] + 1)
        return found

    @cached_property
    def path_counts(self) -> Mapping[str, int]:
        found = {self.goal: 1}
        for name in reversed(self.inputs):
            for x in self.inputs[name]:
                found[x] = found.get(x, 0) + found[name]
        return found

    @cached_property
    def backward_order(self) -> tuple[str, ...]:
        """Everything from the goal to the parameters: layer by layer, each in its forward order, parameters last."""
        order = {name: i for i, name in enumerate(dict.fromkeys((*self.steps, *self.parameters)))}
        return tuple(sorted(self.levels, key=lambda name: (self.levels[name], order[name])))

    def total(self, name: str) -> str:
        return derivative_name(self.goal, name)

    @cached_property
    def _by_goal(self) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
        """For every goal the users of each quantity on the way to it."""
        others = [Graph(self.steps, goal, self.parameters) for goal in self.goals if goal != self.goal]
        return {graph.goal: graph.users for graph in (self, *others)}

    def local(self, step: str, name: str) -> str:
        """dA/dB, unless that name is taken by the total derivative of a goal A by something reached twice."""
        if len(self._by_goal.get(step, {}).get(name, ())) > 1:
            return local_derivative(step, name)
        return derivative_name(step, name)

    def paths(self, name: str) -> Iterator[tuple[str, ...]]:
        """The factors of every path from the goal down to `name`."""
        for user in self.users[name]:
            for above in self.paths(user):
                yield (*above, self.local(user, name))
        if name == self.goal:
            yield ()


def choose_chain(graph: Graph, chain: str) -> str:
    """`full` where every gradient has few enough paths to be read, else `delta`."""
    most = max((graph.path_counts.get(p, 0) for p in graph.parameters), default=0)
    return "delta" if most > MOST_PATHS else chain


def backward(graphs: Sequence[Graph], chain: str) -> tuple[str, list[Step], list[Step]]:
    """The chain that every graph has few enough paths for, the local partial derivatives that they have, and the
    gradients of each."""
    used = "delta" if any(choose_chain(graph, chain) == "delta" for graph in graphs) else chain
    partials = {step.name: step for graph in graphs for step in partial_steps(graph)}  # graphs may share some
    return used, list(partials.values()), [step for graph in graphs for step in gradient_steps(graph, used)]


def partial_steps(graph: Graph) -> Iterator[Step]:
    """Every local partial derivative on a path, from the goal backwards; parameters before earlier results."""
    parameters, size = set(graph.parameters), 0
    for name in (n for n in graph.backward_order if n in graph.inputs and not (graph.seeded and n == graph.goal)):
        step = graph.steps[name]
        below = sorted(graph.inputs[name], key=lambda x: x not in parameters)
        open_names = [x for x in below if x not in step.slopes]
        written = step.kind in WRITTEN_BY_PEOPLE
        size += written_size(step.formula) * len(open_names) if written else 0
        if size > MOST_PARTS:
            raise ValueError(f"{name}: what is to be differentiated by here has {size:,} parts; it may {MOST_PARTS:,}")
        derived = {x: simplest(step, x) for x in open_names} if written else derivatives(step.formula, open_names)
        for x in below:
            slope = step.slopes.get(x, derived.get(x))
            yield partial_step(graph.local(name, x), name, x, slope)


def partial_step(name: str, of: str, by: str, slope: Expr) -> Step:
    return Step(name, "partial", Kind.PARTIAL, slope, f"derivative of {of} by {by}", partial_of=(of, by))


def gradient_steps(graph: Graph, chain: str) -> Iterator[Step]:
    """The derivative of the goal by every parameter and, for the chain `delta`, by every result in between."""
    parameters = set(graph.parameters)
    for name in graph.backward_order:
        if name == graph.goal or (chain == "full" and name not in parameters):
            continue
        products = [tuple(factors) for factors in (graph.paths(name) if chain == "full" else _last_links(graph, name))]
        if products == [(graph.total(name),)]:
            continue  # the local partial is the whole gradient
        terms = [multiply(*map(symbol, factors)) for factors in products]
        reason = "chain rule" if len(terms) == 1 else f"chain rule: the sum over {len(terms)} paths"
        yield Step(graph.total(name), "gradient", Kind.GRADIENT, add(*terms), reason)


def _last_links(graph: Graph, name: str) -> Iterator[tuple[str, ...]]:
    for user in graph.users[name]:
        local = graph.local(user, name)
        yield (local,) if user == graph.goal else (graph.total(user), local)
