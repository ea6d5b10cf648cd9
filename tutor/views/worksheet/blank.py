"""A worksheet as a problem: the network, what is given, the conventions, what is to be found. Nothing is computed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from tutor.errors import whole_list
from tutor.numbers.exact import read_number
from tutor.views.screen import Screen
from tutor.views.style import SPOKEN, Style
from tutor.views.worksheet.conventions import conventions_line
from tutor.views.worksheet.model import Tableau
from tutor.views.worksheet.page import show_picture
from tutor.views.worksheet.sentences import narrate_network
from tutor.worksheet.step import Step

_NUMBER = re.compile(r"(?<![\w.])[-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_ON_AND_ON = "And so on with every example in turn, until the rule above ends it; `tutor sheet` has a line for each."
_TITLE = "To be found"


def harmless_prose(about: str, tableau: Tableau) -> str:
    """The paragraphs in which no other numbers stand than given ones: any other number may be an answer."""
    given = set(tableau.worksheet.givens.values())
    paragraphs = about.strip().split("\n\n")
    return "\n\n".join(p for p in paragraphs if all(read_number(n) in given for n in _NUMBER.findall(p)))


def show_blank(tableau: Tableau, screen: Screen, only: Sequence[str] = ()) -> None:
    """The problem on a terminal."""
    screen.show("", _conventions(tableau))
    show_picture(tableau, screen)
    screen.show("", f"Given: {', '.join(tableau.all_given())}.")
    equations = list(_equations(tableau, screen.style))
    if equations:
        screen.heading("The equations")
        for equation in equations:
            screen.indented(equation)
    screen.heading(_TITLE)
    for title, names in _asked(tableau, only):
        screen.show(screen.text(title, "bold"))
        screen.indented(names)
    if tableau.by_perceptron_rule:
        screen.show(_ON_AND_ON)


def narrate_blank(tableau: Tableau, only: Sequence[str] = ()) -> Iterator[str]:
    """The same in sentences."""
    yield _conventions(tableau)
    if tableau.worksheet.network is not None:
        yield from narrate_network(tableau)
    yield f"Given: {', '.join(tableau.all_given())}."
    for equation in _equations(tableau, SPOKEN):
        yield f"{equation}."
    for title, names in _asked(tableau, only):
        yield f"{_TITLE}. {title}: {names}."
    if tableau.by_perceptron_rule:
        yield _ON_AND_ON


def _conventions(tableau: Tableau) -> str:
    return conventions_line(tableau.worksheet, tableau.digits, tableau.rounding, blank=True)


def stated(tableau: Tableau) -> list[Step]:
    """The equations that state the problem where no network does: once, also where they are gone through often."""
    worksheet = tableau.worksheet
    if worksheet.network is not None:
        return []
    first = worksheet.steps[0].part
    return [step for step in worksheet.steps if step.part == first and step.stage in ("forward", "loss")]


def _equations(tableau: Tableau, style: Style) -> Iterator[str]:
    for step in stated(tableau):
        yield f"{step.name} = {tableau.formula(step, style)}"


def _asked(tableau: Tableau, only: Sequence[str]) -> Iterator[tuple[str, str]]:
    """What is to be found, by stages. By the perceptron rule for the first example: how many follow is a result."""
    for part, stage, steps in tableau.parts(only):
        if tableau.by_perceptron_rule and part != tableau.worksheet.steps[0].part:
            break
        yield tableau.title(part, stage), whole_list([step.name for step in steps])
