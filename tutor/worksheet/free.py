"""Worksheets without a network: equations that a person writes down, and functions to minimise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tutor.arithmetic.symbolic import add, multiply, symbol
from tutor.errors import nearest
from tutor.worksheet.backward import Graph, choose_chain, gradient_steps, partial_steps
from tutor.worksheet.equations import equation_steps
from tutor.worksheet.parse import parse
from tutor.worksheet.problem import Differentiate, Minimize, Problem
from tutor.worksheet.rounds import after_steps, claims, numbered
from tutor.worksheet.settings import begun, states_of, together, update_of, update_values, with_optimization
from tutor.worksheet.step import Conventions, Step, Worksheet
from tutor.worksheet.update import Update, asked

GOAL = "E"


def free_worksheet(problem: Problem, chain: str) -> Worksheet:
    """The equations, and the derivatives that are asked for; with [training], a step along them."""
    steps, values = equation_steps(problem), dict(problem.givens)
    asked = problem.differentiate
    if asked is None:
        return Worksheet(values, tuple(steps), _conventions(chain))
    graphs = _graphs(asked, steps, values)
    graph = graphs[0]
    used = "delta" if any(choose_chain(g, chain) == "delta" for g in graphs) else chain
    partials = {step.name: step for g in graphs for step in partial_steps(g)}  # several goals share some of them
    whole = [*steps, *partials.values(), *(step for g in graphs for step in gradient_steps(g, used))]
    proved = tuple(
        claim
        for g in graphs
        for claim in claims(g.goal, [p for p in _reached(asked, g) if g.total(p) not in values], 0)
    )
    if problem.training is None or graph.seeded:
        made, objective = _conventions(used), _objective(asked) if graph.seeded else None
        return Worksheet(values, tuple(whole), made, graph.goal, gradients=proved, objective=objective)
    if len(graphs) > 1:
        raise ValueError("training: a step goes along the gradient of one quantity; give one `of`")
    parameters = [p for p in _reached(asked, graph) if p in values]
    update = update_of(problem.training, graph.goal, parameters)
    states = states_of(problem.training, update, "training")
    whole += update.steps(begun(problem.training) + 1, 0)
    last = {p: f"{p}_new" for p in parameters}
    whole += after_steps(steps, last, {})
    values = together(values, update_values(problem.training), states)
    outcomes = ((graph.goal, f"{graph.goal}_after"),)
    made = with_optimization(_conventions(used), problem.training)
    return Worksheet(values, tuple(whole), made, graph.goal, None, tuple(last.items()), outcomes, proved)


def _reached(asked: Differentiate, graph: Graph) -> list[str]:
    """By what the goal of the graph is differentiated: everything that it depends on, but not itself."""
    return [name for name in asked.wrt if name in graph.users and name != graph.goal]


def _graphs(asked: Differentiate, steps: Sequence[Step], values: dict[str, Fraction]) -> list[Graph]:
    """One graph for everything that is differentiated."""
    known = [*values, *(s.name for s in steps)]
    goals = [asked.of] if isinstance(asked.of, str) else asked.of or []
    for name in (*asked.wrt, *asked.seed, *goals):
        if name not in known:
            raise ValueError(f"differentiate: there is no {name!r}{nearest(name, known)}")
    named = {s.name: s for s in steps}
    if not asked.seed:
        goals = goals or [steps[-1].name if steps else ""]
        for goal in goals:
            if goal not in named:
                raise ValueError(f"differentiate.of: {goal!r} is not an equation, so it does not depend on anything")
            if goals.count(goal) > 1:
                raise ValueError(f"differentiate.of: {goal!r} stands there twice; once is enough")
        if goals == asked.wrt:
            raise ValueError(f"differentiate.wrt: {goals[0]!r} by itself is 1; say by what else to differentiate it")
        return [Graph(named, goal, asked.wrt, goals=goals) for goal in goals]
    if asked.of:
        raise ValueError("differentiate: give either `of` or `seed`")
    if GOAL in named:
        raise ValueError(
            f"differentiate.seed: the gradients come from above, from a loss called {GOAL!r}; rename yours"
        )
    named[GOAL] = Step(GOAL, "loss", add(*map(symbol, asked.seed)), "what lies above")
    values |= {f"d{GOAL}/d{name}": value for name, value in asked.seed.items()}
    return [Graph(named, GOAL, asked.wrt, seeded=True)]


def _objective(asked: Differentiate) -> Step:
    """What has these gradients: the sum of seed·output."""
    terms = [multiply(symbol(f"d{GOAL}/d{name}"), symbol(name)) for name in asked.seed]
    return Step(GOAL, "loss", add(*terms), "sum of seed times output")


def minimize_worksheet(wanted: Minimize, givens: Mapping[str, Fraction]) -> Worksheet:
    """A function minimised: value, gradient and update, as often as is asked; or the updates by given gradients."""
    values = together(givens, wanted.start)
    if wanted.objective is None:
        return _given_gradients(wanted, values)
    try:
        objective = Step(GOAL, "loss", parse(wanted.objective, set(values)), "objective")
    except ValueError as error:
        raise ValueError(f"minimize.objective: {error}") from None
    graph = Graph({GOAL: objective}, GOAL, list(wanted.start))
    template = [objective, *partial_steps(graph), *gradient_steps(graph, "full")]
    parameters = [p for p in wanted.start if p in graph.users]
    count = wanted.steps or 1
    update = update_of(wanted, GOAL, parameters)
    steps = _updates(wanted, update, template, count)
    last, many = _last(parameters, count), count > 1
    first = {GOAL: f"{GOAL}[1]" if many else GOAL}
    steps += after_steps([objective], last, first)
    values = together(values, update_values(wanted), states_of(wanted, update, "minimize"))
    made = with_optimization(_conventions("full"), wanted)
    outcomes = ((first[GOAL], f"{GOAL}_after"),)
    proved = [c for k in range(1, count + 1) for c in claims(GOAL, parameters, k if many else 0)]
    return Worksheet(values, tuple(steps), made, first[GOAL], None, tuple(last.items()), outcomes, tuple(proved))


def _given_gradients(wanted: Minimize, values: Mapping[str, Fraction]) -> Worksheet:
    """The updates alone: the gradient of each is given."""
    update = update_of(wanted, GOAL, list(wanted.start))
    if GOAL in asked(update.variant):
        raise ValueError(f"minimize.gradients: {wanted.optimizer} also needs the error itself; give an objective")
    count = max(map(len, wanted.gradients.values()))
    slopes = {
        f"d{GOAL}/d{name}" + (f"[{k}]" if count > 1 else ""): slope
        for name, found in wanted.gradients.items()
        for k, slope in enumerate(found, 1)
    }
    values = together(values, slopes, update_values(wanted), states_of(wanted, update, "minimize"))
    steps, made = _updates(wanted, update, (), count), with_optimization(_conventions("full"), wanted)
    return Worksheet(values, tuple(steps), made, updated=tuple(_last(update.parameters, count).items()))


def _updates(wanted: Minimize, update: Update, template: Sequence[Step], count: int) -> list[Step]:
    """The steps of all updates, each after those of the template, which make its gradient if it is not given."""
    steps: list[Step] = []
    own = () if template else [f"d{GOAL}/d{p}" for p in update.parameters]
    for k in range(1, count + 1):
        whole = [*template, *update.steps(begun(wanted) + k, k - 1)]
        steps += numbered(whole, update.kept, k, f"Update {k}", own) if count > 1 else whole
    return steps


def _last(parameters: Sequence[str], count: int) -> dict[str, str]:
    return {p: f"{p}[{count}]" if count > 1 else f"{p}_new" for p in parameters}


def _conventions(chain: str) -> Conventions:
    return Conventions(loss="", loss_factor="", reduction="", batch="", bias_policy="", optimizer="", chain=chain)
