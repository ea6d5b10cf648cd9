"""A worksheet as a problem: the network, what is given, the conventions, what is to be found. Nothing is computed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tutor.errors import whole_list
from tutor.numbers.exact import read_number
from tutor.views.blocks import Block, Break, Code, Formula, Heading, Level, Paragraph
from tutor.views.worksheet.conventions import conventions_line
from tutor.views.worksheet.model import WorksheetView
from tutor.views.worksheet.page import setting
from tutor.worksheet.step import Step

_NUMBER = re.compile(r"(?<![\w.])[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_ON_AND_ON = "And so on with every example in turn, until the rule above ends it; `tutor sheet` has a line for each."


def harmless_prose(about: str, view: WorksheetView) -> str:
    """The paragraphs in which no other numbers stand than given ones: any other number may be an answer."""
    given = set(view.worksheet.givens.values())
    paragraphs = about.strip().split("\n\n")
    return "\n\n".join(p for p in paragraphs if all(read_number(n) in given for n in _NUMBER.findall(p)))


def problem(view: WorksheetView, only: Sequence[str] = ()) -> Iterator[Block]:
    """The problem: the conventions, the network, what is given, the equations, and what is to be found."""
    yield from given(view)
    yield Heading("To be found")
    for title, names in _asked(view, only):
        yield Heading(title, Level.LINES)
        yield Paragraph(names, 2)
    if view.by_perceptron_rule:
        yield Paragraph(_ON_AND_ON)


def given(view: WorksheetView) -> Iterator[Block]:
    """The conventions, the network, what is given, and the equations where these state the problem."""
    yield Break()
    yield Paragraph(conventions_line(view.worksheet, view.digits, view.rounding, blank=True))
    if view.worksheet.network is not None:
        yield from setting(view)
    if known := view.all_given():
        yield Break()
        yield Paragraph(("Given: ", *coded(known), "."))
    if equations := stated(view):
        yield Heading("The equations")
    for step in equations:
        yield Paragraph((Code(step.name), " = ", Formula(step.formula)), 2)


def coded(texts: Sequence[str]) -> tuple[Code | str, ...]:
    """Each as it is typed, with commas between them."""
    return tuple(piece for n, text in enumerate(texts) for piece in ((", ",) if n else ()) + (Code(text),))


def stated(view: WorksheetView) -> list[Step]:
    """The equations that state the problem where no network does: once, also where they are gone through often."""
    worksheet = view.worksheet
    if worksheet.network is not None:
        return []
    first = worksheet.steps[0].part
    return [step for step in worksheet.steps if step.part == first and step.stage in ("forward", "loss")]


def _asked(view: WorksheetView, only: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is to be found, by stages. By the perceptron rule for the first example: how many follow is a result."""
    for part, stage, steps in view.parts(only):
        if view.by_perceptron_rule and part != view.worksheet.steps[0].part:
            break
        yield view.title(part, stage), whole_list([step.name for step in steps])
