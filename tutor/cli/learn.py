"""`tutor learn`: a lesson step by step, with a teacher beside."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli import tell
from tutor.cli.app import command
from tutor.cli.course import page_of
from tutor.cli.next_commands import print_next
from tutor.cli.worksheet import lesson_names
from tutor.errors import NothingThere, TutorError
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.course.progress import Answered, Progress
    from tutor.course.read import Block
    from tutor.views.course.page import Page

_LESSON = typer.Argument(
    metavar="LESSON", help="A lesson of `tutor list`; without it, where you stopped.", autocompletion=lesson_names
)


@command()
def learn(
    printer: Printer,
    lesson: Annotated[str | None, _LESSON] = None,
    again: Annotated[bool, typer.Option("--again", help="From the beginning.")] = False,
) -> None:
    """Go through a lesson step by step: read, predict, answer, and see at once what is right.

    Enter goes on. At a question type your answer; `hint` helps, `skip` shows it. `why NAME` explains a quantity, `calc
    FORMULA` works something out, `back` goes back, `quit` ends. What you answered is remembered, and without LESSON it
    goes on where you stopped.
    """
    from tutor.course.progress import read_progress
    from tutor.course.read import Course
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.find import open_lesson, slug

    progress = read_progress(tell)
    name = lesson or next_lesson(progress)
    opened = open_lesson(name)
    if not isinstance(opened, CourseText):
        raise NothingThere(f"{name} is a worksheet and no lesson; try `tutor run {name} --step`")
    session = Session(page_of(Course(name, opened), printer), printer, progress, slug(name))
    session.start(again)
    session.go()


def next_lesson(progress: Progress) -> str:
    """The lesson that was read last, or the first after it that is not finished."""
    from tutor.lessons.find import course

    names = [name for name, header in course() if header.format == 2]
    if not names:
        raise NothingThere("there is no lesson to learn from")
    start = names.index(progress.last) if progress.last in names else 0
    for name in (*names[start:], *names[:start]):
        place = progress.lessons.get(name)
        if place is None or place.share < 1:
            return name
    return names[0]


class Session:
    """One reader in one lesson. What is remembered is written after every step."""

    def __init__(self, page: Page, printer: Printer, progress: Progress, name: str) -> None:
        from tutor.views.course.learning import steps_of

        self.page, self.printer, self.progress, self.name = page, printer, progress, name
        self.steps = steps_of(page.course)
        self.place = progress.place(name)
        self.block = next(iter(page.course.text.worksheets), "")
        self.hints: list[str] = []
        self.had_hints = False
        self.is_kept = True

    def start(self, again: bool) -> None:
        from tutor.views.course.learning import welcome

        if again or self.place.part >= len(self.steps):
            self.place.part = 0
        self.place.parts, self.progress.last = len(self.steps), self.name
        self.keep()
        self.printer.show(welcome(self.page.course, self.place.part, len(self.steps)))

    def keep(self) -> None:
        """Write down what is remembered; where that fails, say so once."""
        from tutor.course.progress import write_progress

        try:
            write_progress(self.progress)
        except TutorError as error:
            if self.is_kept:
                tell(f"tutor: nothing is remembered: {error}")
            self.is_kept = False

    def go(self) -> None:
        """Step after step, until the end or until the reader has had enough."""
        from tutor.views.course.learning import farewell, step_blocks

        while self.place.part < len(self.steps):
            step = self.steps[self.place.part]
            for part in step.parts:
                if getattr(part, "kind", "") == "worksheet":
                    self.block = getattr(part, "name", self.block)
            self.printer.show(step_blocks(self.page, step))
            moved = self.ask(step.question) if step.question else self.turn()
            if moved is None:
                return
            self.place.part = max(0, self.place.part + moved)
            self.keep()
        self.printer.show(farewell(self.page.course, self.place.answered))
        print_next(self.printer, "learn", lesson=next_lesson(self.progress))

    def turn(self) -> int | None:
        """By how many steps to go on; None to end."""
        while True:
            word, rest = self.read()
            if word in ("", "next", "n"):
                return 1
            if word == "skip":
                here = self.steps[self.place.part].section
                later = [k for k, step in enumerate(self.steps) if step.section > here]
                return (later[0] if later else len(self.steps)) - self.place.part
            if word in ("back", "b"):
                return -1
            if word in ("quit", "q"):
                return None
            self.other(word, rest, False)

    def ask(self, block: Block) -> int | None:
        """The same at a question, which an answer that is right, or `skip`, ends."""
        from tutor.course.judge import hints_for
        from tutor.course.progress import Answered
        from tutor.views.course.learning import ways_on

        key = block.name or " ".join(block.spec.ask.split())[:80]
        known = self.place.answered.setdefault(key, Answered())
        with self.page.placed(block):
            self.hints = hints_for(block.spec, self.page.values)
        self.had_hints = bool(self.hints)
        while True:
            word, rest = self.read()
            if word == "quit":
                return None
            if word == "back":
                return -1
            if word == "skip":
                self.answer(block)
                return 1
            if word == "hint":
                known.hints += self.hint(block)
            elif not word:
                self.printer.say(ways_on("Type an answer", bool(self.hints)))
            elif not self.other(word, rest, True) and self.judge(block, f"{word} {rest}".strip(), known):
                self.keep()
                return 1
            self.keep()

    def answer(self, block: Block) -> None:
        """The right answer, shown."""
        from tutor.views.course.questions import answer_blocks

        with self.page.placed(block):
            answer, number = self.page.answer(block), self.page.numbers[block.line]
            line = block.place.line_of("because")
            self.printer.show(answer_blocks(block.spec, answer, number, self.page.values, line))

    def hint(self, block: Block) -> bool:
        """The next hint. Whether there was one."""
        from tutor.views.course.learning import hint_blocks

        if not self.hints:
            lacking = "There is no hint left" if self.had_hints else "This question has no hint"
            self.printer.say(f"{lacking}; skip shows the answer.")
            return False
        self.printer.show(hint_blocks(self.page, block, self.hints.pop(0)))
        return True

    def judge(self, block: Block, text: str, known: Answered) -> bool:
        """Say what there is to say of an answer. Whether it is right."""
        from tutor.course.judge import judge
        from tutor.views.course.learning import judged

        with self.page.placed(block):
            judgement = judge(block.spec, text, self.page.values)
        known.given += [text] if judgement.chosen else []
        known.right = known.right or judgement.right
        self.printer.show(judged(self.page, block, judgement, bool(self.hints)))
        return judgement.right

    def other(self, word: str, rest: str, at_a_question: bool) -> bool:
        """What may be typed at any time. Whether it was any of that; an answer at a question is not."""
        from tutor.views.course.learning import help_blocks

        if word in ("help", "?"):
            self.printer.show(help_blocks(at_a_question, at_a_question and bool(self.hints)))
        elif word == "rest":
            self.rest()
        elif word in _NEEDS and not rest:
            self.printer.say(_NEEDS[word])
        elif word == "why":
            self.why(rest)
        elif word == "calc":
            self.calc(rest)
        elif at_a_question:
            return False
        else:
            self.printer.say(f"{word!r} says nothing to me here; Enter goes on, help says what can be typed.")
        return True

    def rest(self) -> None:
        from tutor.views.worksheet import page

        if self.block:
            self.printer.show(page.worksheet(self.page.view(self.block)))
        else:
            self.printer.say("This lesson has no worksheet.")

    def why(self, written: str) -> None:
        """One quantity of the worksheet that was shown last, or of the one that is named before a point."""
        from tutor.formulas.names import find_name
        from tutor.views.course.learning import sentence
        from tutor.views.worksheet.why import explanation

        block, point, name = written.partition(".")
        if not point or block not in self.page.course.text.worksheets:
            block, name = self.block, written
        if not block:
            self.printer.say("This lesson has no worksheet.")
            return
        view = self.page.view(block)
        try:
            self.printer.show(explanation(view, find_name(name, view.worksheet.names, lists="rest")))
        except TutorError as error:
            self.printer.say(sentence(f"{error}{self.elsewhere(name, block)}"))

    def elsewhere(self, name: str, block: str) -> str:
        """Where a name that this worksheet does not have is to be found, if another one has it."""
        others = [other for other in self.page.course.text.worksheets if other != block]
        found = next((other for other in others if name in self.page.values.worksheet(other).names), "")
        return f"; `why {found}.{name}` is that of another worksheet" if found else ""

    def calc(self, formula: str) -> None:
        """A formula over the names of the worksheet that was shown last, and over those of all blocks."""
        from tutor.views.course.numbers import number

        decimals, significant = 6, 4

        also = dict(self.page.values.worksheet(self.block).values) if self.block else {}
        try:
            value = self.page.values.value(formula, also)
            self.printer.say(f"{formula.strip()} = {number(value.mean, decimals, significant=significant)}")
        except ValueError as error:
            self.printer.say(f"{formula.strip()}: {error}")

    def read(self) -> tuple[str, str]:
        """The next line, as its first word and the rest; `quit` where there is none any more."""
        sys.stdout.flush()
        try:
            line = input("> ") if sys.stdin.isatty() else self._line()
        except EOFError:
            return "quit", ""
        word, _, rest = line.strip().partition(" ")
        return (word.lower() if word.lower() in _WORDS else word), rest.strip()

    def _line(self) -> str:
        print("> ", flush=True)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line


_NEEDS = {
    "why": "`why` needs the name of a quantity behind it; `rest` shows every name.",
    "calc": "`calc` needs a formula behind it, such as `calc 0.5*(1 - 0.5)`.",
}
_WORDS = {"next", "n", "skip", "back", "b", "quit", "q", "hint", "help", "?", "rest", "why", "calc"}
