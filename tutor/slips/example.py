"""A slip at work: the first line of a worksheet in which people make it, as it is and as it comes out with the slip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from tutor.errors import TutorError
from tutor.formulas.expressions import names
from tutor.numbers.exact import Number
from tutor.slips.roles import Roles
from tutor.slips.slip import Hint, Slip
from tutor.worksheet.step import Step, Worksheet
from tutor.worksheet.values import evaluate_formula


class Example(NamedTuple):
    """The line of a worksheet, its formula with the slip, what the line comes to with it, and what to look at."""

    address: str
    worksheet: Worksheet
    step: Step
    formula: Any
    slipped: Number
    hint: Hint


def example_of(slip: Slip, worksheets: Iterable[tuple[str, Worksheet]]) -> Example | None:
    """Of the first worksheet that has it a line whose value the slip changes, rather one in which it is usual; the
    worksheets come with the address by which commands take them. None where no line has it."""
    for address, worksheet in worksheets:
        roles, other = Roles(worksheet), None
        for example in _examples(slip, address, worksheet, roles):
            if slip.usual(example.step, roles):
                return example
            other = other or example
        if other is not None:
            return other
    return None


def _examples(slip: Slip, address: str, worksheet: Worksheet, roles: Roles) -> Iterator[Example]:
    for step in worksheet.steps:
        for rewriting in slip.rewritings(step, roles):
            if not {*names(rewriting.formula)} <= worksheet.values.keys():
                continue
            try:
                slipped = evaluate_formula(rewriting.formula, worksheet.values)
            except TutorError:
                continue
            if slipped != worksheet.values[step.name]:
                hint = slip.hint.of(rewriting.detail)
                yield Example(address, worksheet, step, rewriting.formula, slipped, hint)
                break
