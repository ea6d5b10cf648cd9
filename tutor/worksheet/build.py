"""From what a lesson asks for to its worksheet: each kind of problem has a draft of its own, all are written alike."""

from __future__ import annotations

from tutor.worksheet.draft import written
from tutor.worksheet.equations import free_draft, minimize_draft
from tutor.worksheet.network import network_draft
from tutor.worksheet.perceptron import RULE, PerceptronTraining
from tutor.worksheet.problem import Problem
from tutor.worksheet.step import Worksheet


def build(problem: Problem, chain: str | None = None) -> Worksheet:
    """The worksheet of a network, of free equations, or of a function to minimise.

    `chain` is `full` (every path written out) or `delta` (each result's gradient is used again), the problem's own
    where none is given.
    """
    if problem.minimize is not None:
        return written(minimize_draft(problem.minimize, problem.givens))
    if problem.network is None:
        return written(free_draft(problem, chain or problem.chain))
    if problem.training is not None and problem.training.rule == RULE:
        return PerceptronTraining(problem.network, problem.training, problem).worksheet()
    return written(network_draft(problem, problem.network, chain or problem.chain))
