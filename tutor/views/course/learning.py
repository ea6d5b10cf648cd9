"""A lesson step by step: what is shown at once, and what is said to an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from tutor.course.judge import Judgement, lettered
from tutor.course.progress import Answered
from tutor.course.questions import choices_of
from tutor.course.read import Block as Part
from tutor.course.read import Course, title_of
from tutor.errors import counted
from tutor.lessons.markdown import Prose
from tutor.views.blocks import Block, Break, Commands, Heading, Level, Paragraph, Strong
from tutor.views.course.page import Page
from tutor.views.course.prose import prose_blocks
from tutor.views.course.questions import because_blocks, right_text
from tutor.views.course.tidy import tidy
from tutor.views.course.worksheet import shown_worksheet

_MENTIONED = 16


class Step(Struct, frozen=True):
    """What is shown before the reader goes on; a question stands alone, but for a heading right above it."""

    parts: tuple[Part | Prose, ...]
    section: int

    @property
    def question(self) -> Part | None:
        last = self.parts[-1]
        return last if isinstance(last, Part) and last.kind == "question" else None


def steps_of(course: Course) -> list[Step]:
    """The lesson in steps: prose with the block that follows it, and each question by itself."""
    found: list[Step] = []
    for number, section in enumerate(course.sections):
        waiting: list[Part | Prose] = []
        for part in section.parts:
            if isinstance(part, Part) and part.kind == "question" and not all(map(_is_heading, waiting)):
                found.append(Step(tuple(waiting), number))
                waiting = []
            waiting.append(part)
            if isinstance(part, Part):
                found.append(Step(tuple(waiting), number))
                waiting = []
        if waiting:
            found.append(Step(tuple(waiting), number))
    return found


def _is_heading(part: Part | Prose) -> bool:
    return isinstance(part, Prose) and bool(title_of(part)) and "\n" not in part.text.strip()


def step_blocks(page: Page, step: Step) -> Iterator[Block]:
    yield from tidy(_step(page, step))


def _step(page: Page, step: Step) -> Iterator[Block]:
    for part in step.parts:
        if isinstance(part, Part) and part.kind == "question":
            yield from asked(page, part)
        elif isinstance(part, Part) and part.kind == "worksheet":
            yield from folded(page, part)
        else:
            yield from page.part(part)


def asked(page: Page, block: Part) -> Iterator[Block]:
    """The question, and between what is to be chosen; nothing is worked out for it yet."""
    with page.placed(block):
        number = page.numbers[block.line]
        yield from prose_blocks(Prose(f"**Question {number}.** {block.spec.ask.strip()}", block.line), page.values)
        for letter, choice in lettered(choices_of(block.spec, page.values)):
            yield Paragraph(f"{letter}) {choice}", 2)


def folded(page: Page, block: Part) -> Iterator[Block]:
    """The worksheet, where its block does not say what is shown: the picture, and the lines that the text speaks of."""
    if page.course.text.extras(block.name).show is not None:
        yield from page.part(block)
        return
    view = page.view(block.name)
    spoken = mentioned(page.course, block.name, [step.name for step in view.worksheet.steps])
    title = page.course.text.headline(block.name) or f"Worksheet {block.name}"
    yield from shown_worksheet(view, ["conventions", "picture", *spoken], title)
    count = len(view.worksheet.steps)
    if len(spoken) < count:
        told = f"That is {counted(len(spoken), 'line')} of {count}; `rest` shows all, `why NAME` any one of them."
        yield Paragraph(told)


def mentioned(course: Course, block: str, names: Sequence[str]) -> list[str]:
    """Which of the lines of the worksheet prose, claims and questions speak of, in the order of the worksheet."""
    texts = [part.text if isinstance(part, Prose) else part.place.text for part in course.parts]
    together = "\n".join(text for text in texts)
    found = [
        name for name in names if re.search(rf"(?<![\w.]){re.escape(block)}\.{re.escape(name)}(?![\w/@\[])", together)
    ]
    return found[:_MENTIONED]


def hint_blocks(page: Page, block: Part, hint: str) -> Iterator[Block]:
    """A hint: prose with its numbers, where the question has hints of its own; these may begin with a name, which stays
    as it is written."""
    if block.spec.hints:
        with page.placed(block):
            yield from tidy(prose_blocks(Prose(stopped(hint), block.place.line_of("hints")), page.values))
    else:
        yield Paragraph(sentence(hint))


def stopped(text: str) -> str:
    """It ends with a stop."""
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."


def sentence(text: str) -> str:
    """The program's own words, which begin with no name: a capital at their beginning, a stop at their end."""
    text = stopped(text)
    return f"{text[:1].upper()}{text[1:]}"


def ways_on(what: str, hint: bool) -> str:
    """What can be typed at a question, a hint only where there is one."""
    return f"{what}, {'or hint, ' if hint else ''}or skip."


def judged(page: Page, block: Part, judgement: Judgement, hint: bool) -> Iterator[Block]:
    """What is said to an answer: whether it is right, why, and for a wrong one how to go on; whether there is a `hint`
    left."""
    if judgement.right:
        yield Paragraph(Strong("Right."))
        for text in judgement.says:
            yield Paragraph(f"{sentence(text)} Without it {right_text(page.answer(block), page.values)}.")
        yield from because_blocks(block.spec, judgement.chosen, page.values, block.place.line_of("because"))
        return
    if judgement.chosen:
        yield Paragraph(Strong("Not yet."))
    for text in judgement.says:
        yield Paragraph(sentence(text))
    if isinstance(block.spec.because, list) and judgement.chosen in block.spec.choices:
        yield from tidy(because_blocks(block.spec, judgement.chosen, page.values, block.place.line_of("because")))
    elif not judgement.says:
        yield Paragraph(ways_on("Try another answer", hint))


def welcome(course: Course, part: int, parts: int) -> Iterator[Block]:
    """What the lesson is, how long it takes, and where one is in it."""
    header = course.text.header
    yield Heading(f"{header.title} ({header.source})" if header.source else header.title, Level.TITLE)
    told = [counted(header.minutes, "minute")] if header.minutes else []
    told.append(f"step {part + 1} of {parts}" if part else counted(parts, "step"))
    yield Paragraph(f"{', '.join(told).capitalize()}. Enter goes on; help says what else can be typed.")
    yield Break()


def help_blocks(at_a_question: bool, hint: bool) -> Iterator[Block]:
    """What can be typed; whether there is a `hint` left."""
    ways = [("Enter", "the next step")] if not at_a_question else [("a word, a letter, a number", "your answer")]
    ways += [("hint", "a hint; there may be several")] if hint else []
    ways += [("skip", "the answer, and on")] if at_a_question else []
    ways += [("back", "the step before"), ("rest", "the whole worksheet"), ("why NAME", "one quantity in full")]
    ways += [("calc FORMULA", "a number worked out with the names of the worksheet")]
    ways += [] if at_a_question else [("skip", "the next section")]
    ways += [("quit", "the end for now; the next time goes on here")]
    yield Commands(tuple(((words,), purpose) for words, purpose in ways))


def farewell(course: Course, answered: dict[str, Answered]) -> Iterator[Block]:
    """The end of a lesson: what was answered, and what one can do now."""
    right = [one for one in answered.values() if one.right]
    yield Heading("The end of the lesson")
    if answered:
        hints = sum(one.hints for one in answered.values())
        asked_for = f", with {counted(hints, 'hint')}" if hints else ""
        yield Paragraph(f"{len(right)} of {counted(len(answered), 'question')} answered right{asked_for}.")
    if course.text.header.can:
        yield Paragraph("Now you can")
        for skill in course.text.header.can:
            yield Paragraph(f"- {skill}", 2)
