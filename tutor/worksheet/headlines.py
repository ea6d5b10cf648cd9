"""What the steps of a stage are called, in words that are true of what the worksheet is about."""

from __future__ import annotations

from tutor.maths.kind import Kind
from tutor.worksheet.perceptron import RULE as PERCEPTRON_RULE
from tutor.worksheet.step import STAGES, Worksheet

_OF_EQUATIONS = {
    "forward": "The equations, from what is given",
    "after": "The same equations with the new values",
}
_OF_A_FUNCTION = {"loss": "The function that is minimised", "after": "The function after the last step"}
_OF_THE_PERCEPTRON_RULE = {"update": "Update: the weights move towards what was wanted"}


def headlines(worksheet: Worksheet) -> dict[str, str]:
    """The headline of each stage: of a network's forward pass, outputs and targets only where there are some, of a
    gradient only where the update goes along one."""
    kinds = {step.kind for step in worksheet.steps}
    if Kind.OBJECTIVE in kinds:
        return STAGES | _OF_A_FUNCTION
    if Kind.EQUATION in kinds:
        return STAGES | _OF_EQUATIONS
    return STAGES | _OF_THE_PERCEPTRON_RULE if by_perceptron_rule(worksheet) else STAGES


def by_perceptron_rule(worksheet: Worksheet) -> bool:
    """Whether the weights move by the perceptron rule, along no gradient."""
    return any(step.kind is Kind.UPDATE and step.which == PERCEPTRON_RULE for step in worksheet.steps)
