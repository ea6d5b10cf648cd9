"""Worksheets without a network: equations that a person writes down, and functions to minimise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tutor.arithmetic.symbolic import add, multiply, symbol
from tutor.errors import nearest
from tutor.maths.optimizers import OPTIMIZERS
from tutor.worksheet.backward import Graph, choose_chain, gradient_steps, partial_steps
from tutor.worksheet.equations import equation_steps
from tutor.worksheet.parse import parse
from tutor.worksheet.problem import Differentiate, Minimize, Problem
from tutor.worksheet.rounds import after_steps, claims, numbered
from tutor.worksheet.settings import together, update_of, update_values, with_optimization
from tutor.worksheet.step import Conventions, Step, Worksheet

GOAL = "E"


def free_worksheet(problem: Problem, chain: str) -> Worksheet:
    """The equations, and the derivatives that are asked for; with [training], a step along them."""
    steps, values = equation_steps(problem), dict(problem.givens)
    asked = problem.differentiate
    if asked is None:
        return Worksheet(values, tuple(steps), _conventions(chain))
    graph = _graph(asked, steps, values)
    used = choose_chain(graph, chain)
    whole = [*steps, *partial_steps(graph), *gradient_steps(graph, used)]
    reached = [p for p in asked.wrt if p in graph.users and f"d{graph.goal}/d{p}" not in values]
    proved = tuple(claims(graph.goal, reached, 0))
    if problem.training is None or graph.seeded:
        made, objective = _conventions(used), _objective(asked) if graph.seeded else None
        return Worksheet(values, tuple(whole), made, graph.goal, gradients=proved, objective=objective)
    parameters = [p for p in asked.wrt if p in graph.users and p in values]
    update = update_of(problem.training, graph.goal, parameters)
    whole += update.steps(1, 0)
    last = {p: f"{p}_new" for p in parameters}
    whole += after_steps(steps, last, {})
    values = together(values, update_values(problem.training), dict.fromkeys(update.state, Fraction(0)))
    outcomes = ((graph.goal, f"{graph.goal}_after"),)
    made = with_optimization(_conventions(used), problem.training)
    return Worksheet(values, tuple(whole), made, graph.goal, None, tuple(last.items()), outcomes, proved)


def _graph(asked: Differentiate, steps: Sequence[Step], values: dict[str, Fraction]) -> Graph:
    known = [*values, *(s.name for s in steps)]
    for name in (*asked.wrt, *asked.seed, *([asked.of] if asked.of else [])):
        if name not in known:
            raise ValueError(f"differentiate: there is no {name!r}{nearest(name, known)}")
    named = {s.name: s for s in steps}
    if not asked.seed:
        goal = asked.of or (steps[-1].name if steps else "")
        if goal not in named:
            raise ValueError(f"differentiate.of: {goal!r} is not an equation, so it does not depend on anything")
        return Graph(named, goal, asked.wrt)
    if asked.of:
        raise ValueError("differentiate: give either `of` or `seed`")
    if GOAL in named:
        raise ValueError(
            f"differentiate.seed: the gradients come from above, from a loss called {GOAL!r}; rename yours"
        )
    named[GOAL] = Step(GOAL, "loss", add(*map(symbol, asked.seed)), "what lies above")
    values |= {f"d{GOAL}/d{name}": value for name, value in asked.seed.items()}
    return Graph(named, GOAL, asked.wrt, seeded=True)


def _objective(asked: Differentiate) -> Step:
    """What has these gradients: the sum of seed·output."""
    terms = [multiply(symbol(f"d{GOAL}/d{name}"), symbol(name)) for name in asked.seed]
    return Step(GOAL, "loss", add(*terms), "sum of seed times output")


def minimize_worksheet(wanted: Minimize, givens: Mapping[str, Fraction]) -> Worksheet:
    """A function minimised: value, gradient and update, as often as is asked."""
    values = together(givens, wanted.start)
    try:
        objective = Step(GOAL, "loss", parse(wanted.objective, set(values)), "objective")
    except ValueError as error:
        raise ValueError(f"minimize.objective: {error}") from None
    graph = Graph({GOAL: objective}, GOAL, list(wanted.start))
    template = [objective, *partial_steps(graph), *gradient_steps(graph, "full")]
    parameters = [p for p in wanted.start if p in graph.users]
    update = update_of(wanted, GOAL, parameters)
    kept = [*parameters, *update.state, *OPTIMIZERS[wanted.optimizer].shared_state]
    steps: list[Step] = []
    many = wanted.steps > 1
    for k in range(1, wanted.steps + 1):
        whole = [*template, *update.steps(k, k - 1)]
        steps += numbered(whole, kept, k, f"Update {k}") if many else whole
    last = {p: f"{p}[{wanted.steps}]" if many else f"{p}_new" for p in parameters}
    first = {GOAL: f"{GOAL}[1]" if many else GOAL}
    steps += after_steps([objective], last, first)
    values = together(values, update_values(wanted), dict.fromkeys(update.state, Fraction(0)))
    made = with_optimization(_conventions("full"), wanted)
    outcomes = ((first[GOAL], f"{GOAL}_after"),)
    proved = [c for k in range(1, wanted.steps + 1) for c in claims(GOAL, parameters, k if many else 0)]
    return Worksheet(values, tuple(steps), made, first[GOAL], None, tuple(last.items()), outcomes, tuple(proved))


def _conventions(chain: str) -> Conventions:
    return Conventions(loss="", loss_factor="", reduction="", batch="", bias_policy="", optimizer="", chain=chain)
