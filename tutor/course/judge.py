"""What is thought of an answer: a choice by its words, a number or a formula as in homework; and hints, one by one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from string import ascii_lowercase
from typing import TYPE_CHECKING

from msgspec import Struct

from tutor.course.format import Question
from tutor.course.numbers import Typed
from tutor.course.questions import RISES, Answer, answer_of, choices_of
from tutor.course.values import Values

if TYPE_CHECKING:
    from tutor.marking.report import CellReport

_SLIPS = 2


class Judgement(Struct, frozen=True):
    """Whether an answer is right. `chosen` is what it was taken for, empty where it is none of what can be answered;
    `says` has what there is to say about a number."""

    right: bool
    chosen: str
    says: tuple[str, ...] = ()


def judge(question: Question, text: str, values: Values) -> Judgement:
    """The answer judged. Raises ValueError where the right one cannot be worked out."""
    among = choices_of(question, values)
    if among:
        chosen = chosen_in(text, among)
        if not chosen:
            listed = "; ".join(f"{letter}) {choice}" for letter, choice in lettered(among))
            return Judgement(False, "", (f"answer with one of these: {listed}",))
        return Judgement(chosen == answer_of(question, values).right, chosen)
    return _marked(question, text, answer_of(question, values), values)


def lettered(among: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The choices with their letters."""
    return zip(ascii_lowercase, among, strict=False)


def chosen_in(text: str, among: Sequence[str]) -> str:
    """The choice that is meant, by its words, its letter, the beginning where only one begins so, its number, or words
    that only one has in it; empty where there is none. What stands before a choice as its letter is that choice, also
    where another one begins with that letter."""
    plain = " ".join(text.split()).casefold()
    if not plain:
        return ""
    sign, inside = plain.strip("()."), re.compile(rf"(?<![\w.]){re.escape(plain)}(?![\w.])")
    ways: tuple[Callable[[int, str, str], bool], ...] = (
        lambda number, letter, choice: choice == plain,
        lambda number, letter, choice: sign == letter,
        lambda number, letter, choice: choice.startswith(plain),
        lambda number, letter, choice: sign == str(number),
        lambda number, letter, choice: bool(inside.search(choice)),
    )
    for is_meant in ways:
        found = [c for k, (letter, c) in enumerate(lettered(among), 1) if is_meant(k, letter, c.casefold())]
        if len(found) == 1:
            return found[0]
    return ""


def _marked(question: Question, text: str, answer: Answer, values: Values) -> Judgement:
    """A number or a formula, marked as the line of a sheet."""
    from tutor.homework.marker import LessonMarker, MarkingJob
    from tutor.lessons.format import Homework
    from tutor.marking.verdict import CREDIT
    from tutor.sheets.read import HandedIn

    block = answer.values[0][0].partition(".")[0]
    order = MarkingJob(values.course.toml(block), block, Homework(ask=[answer.right]))
    report = LessonMarker(order).mark("answer", HandedIn({answer.right: text}))
    cell = next(cell for cell in report.cells if cell.name == answer.right)
    if answer.kind == "formula":
        told = [cell.reason] if cell.reason else [slip.message for slip in cell.slips[:_SLIPS]]
        return Judgement(cell.formula == "right", text, tuple(told) or _of_a_formula(cell.formula))
    worksheet = values.worksheet(block)
    typed = Typed(text, worksheet.by_name[answer.right], worksheet.values)
    earned = cell.verdict in CREDIT
    return Judgement(earned and not typed.repeats, text, tuple(_of_a_number(cell, earned, typed)))


def _of_a_number(cell: CellReport, earned: bool, typed: Typed) -> Iterator[str]:
    """What there is to say of it; nothing of a slip in a line that nobody asked for."""
    same = typed.repeats
    if cell.reason:
        yield cell.reason
    elif same and same == typed.old:
        yield f"that is {same}, the value before the update"
    elif same and earned:
        yield f"that is {same}, which stands in the formula; with more digits the two can be told apart"
    elif cell.verdict == "coarse":
        so_far = "it agrees as far as it goes" if typed.agrees else "it has too few digits"
        yield f"{so_far}; give more digits"
    elif cell.verdict == "rounding":
        yield "it is off by what rounding on the way can do"
    elif cell.verdict == "wrong" and typed.change:
        yield typed.change
    else:
        own = [slip for slip in cell.slips if not slip.line and typed.fits(slip.id)]
        yield from (slip.message for slip in own[:_SLIPS])


def _of_a_formula(verdict: str) -> tuple[str, ...]:
    if not verdict:
        return ("a formula is asked for, with names in it",)
    return ("it is not the formula that is asked for",) if verdict == "wrong" else ()


def hints_for(question: Question, values: Values) -> list[str]:
    """The hints of the question, else what decides the prediction, or those of the step: the rule, what it needs.
    Nothing is trained for them."""
    if question.hints:
        return list(question.hints)
    if question.predict and RISES in choices_of(question, values):
        return [f"what counts is the sign of {question.predict}: where it is positive, the answer is rises"]
    block, _, name = (question.quantity or question.formula).partition(".")
    if not name:
        return []
    step = values.worksheet(block).by_name.get(name)
    if step is None:
        return ["it is given"]
    needs = ", ".join(step.inputs) or "nothing but numbers"
    return [f"the rule is: {step.reason}", f"the formula has these in it: {needs}"]
