"""A question as it is asked, and its answer."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from tutor.course.format import Question
from tutor.course.questions import Answer
from tutor.course.values import Values
from tutor.lessons.markdown import Prose
from tutor.views.blocks import Block, Break, Paragraph, Strong
from tutor.views.course.numbers import number, spelled
from tutor.views.course.prose import prose_blocks
from tutor.views.notation import expression_text
from tutor.views.style import PLAIN


def question_blocks(question: Question, answer: Answer, number_of: int, values: Values, line: int) -> Iterator[Block]:
    """What is asked, and between what is to be chosen; the answer stands elsewhere."""
    blocks = list(prose_blocks(Prose(f"Question {number_of}. {question.ask.strip()}", line), values))
    yield from blocks
    if question.choices:
        for choice in question.choices:
            yield Paragraph(f"- {choice}", 2)
        yield Break()
    elif answer.among:
        yield Paragraph(f"({', '.join(answer.among[:-1])} or {answer.among[-1]}?)", 2)
        yield Break()


def answer_blocks(question: Question, answer: Answer, number_of: int, values: Values, line: int) -> Iterator[Block]:
    """The right answer with the values that show it, and why."""
    shown = f" ({', '.join(f'{name} = {spelled(value, with_deviation=True)}' for name, value in answer.values)})"
    right = right_text(answer, values)
    yield Paragraph(
        (f"Question {number_of}: ", Strong(right), f"{shown if answer.values and not _is_plain(answer) else ''}.")
    )
    yield from because_blocks(question, answer.right, values, line)


def _is_plain(answer: Answer) -> bool:
    """Whether the answer is itself the one value that there is to show."""
    return answer.kind in ("number", "formula")


def because_blocks(question: Question, chosen: str, values: Values, line: int) -> Iterator[Block]:
    """Why what was chosen is right, or is not."""
    because = question.because
    if isinstance(because, list):
        because = because[question.choices.index(chosen)] if chosen in question.choices else ""
    if because.strip():
        yield from prose_blocks(Prose(because.strip(), line), values)
    else:
        yield Break()


def right_text(answer: Answer, values: Values) -> str:
    """The right answer as it is told: of a quantity its name and its number, of a formula the formula."""
    if answer.kind == "number":
        return f"{answer.right} = {number(answer.values[0][1].mean)}"
    if answer.kind == "formula":
        full = answer.values[0][0]
        step = values.worksheet(full.partition(".")[0]).by_name.get(answer.right)
        return f"{answer.right} = {expression_text(step.formula, PLAIN)}" if step else answer.right
    return answer.right


class QuestionDocument(Struct, tag_field="kind", tag="question"):
    """A question with its answer."""

    name: str
    ask: str
    choices: list[str]
    right: str


def question_document(name: str, question: Question, answer: Answer, values: Values) -> QuestionDocument:
    return QuestionDocument(name, question.ask.strip(), list(answer.among), right_text(answer, values))
