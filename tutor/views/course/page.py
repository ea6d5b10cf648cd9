"""A whole lesson: its parts in their order, the answers to its questions at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property

from msgspec import Struct

from tutor.course.claims import Finding, examine
from tutor.course.format import Claim
from tutor.course.prose import Misplaced
from tutor.course.questions import Answer, answer_of
from tutor.course.read import Block as Part
from tutor.course.read import Course
from tutor.course.values import Values
from tutor.errors import TutorError, counted
from tutor.lessons.markdown import Prose
from tutor.views.blocks import Block, Break, Heading, Level, Paragraph
from tutor.views.course.claims import claim_blocks
from tutor.views.course.plots import plot_blocks
from tutor.views.course.prose import prose_blocks
from tutor.views.course.questions import answer_blocks, question_blocks
from tutor.views.course.tidy import tidy
from tutor.views.course.worksheet import check_show, shown_worksheet
from tutor.views.worksheet.model import WorksheetView


class Page(Struct, frozen=True, dict=True):
    """A lesson being shown: `view` makes the worksheet of a block as it is seen."""

    course: Course
    values: Values
    view: Callable[[str], WorksheetView]

    @cached_property
    def numbers(self) -> dict[int, int]:
        """The number of each question, by the line where it stands."""
        questions = [block for block in self.course.blocks if block.kind == "question"]
        return {block.line: number for number, block in enumerate(questions, 1)}

    def part(self, part: Part | Prose) -> Iterator[Block]:
        """One part as blocks. Raises TutorError, with the line in the file, for what cannot be worked out."""
        with self.placed(part):
            if isinstance(part, Prose):
                yield from prose_blocks(part, self.values)
            else:
                yield from getattr(self, f"_{part.kind}")(part)

    def answers(self) -> Iterator[Block]:
        """The answers to all questions."""
        questions = [block for block in self.course.blocks if block.kind == "question"]
        if questions:
            yield Heading("Answers")
        for block in questions:
            with self.placed(block):
                yield from answer_blocks(
                    block.spec,
                    self.answer(block),
                    self.numbers[block.line],
                    self.values,
                    block.place.line_of("because"),
                )

    def answer(self, block: Part) -> Answer:
        return answer_of(block.spec, self.values)

    def finding(self, block: Part) -> Finding:
        return examine(block.spec, self.values)

    @contextmanager
    def placed(self, part: Part | Prose) -> Iterator[None]:
        """What goes wrong is told with the file and the line."""
        where = self.course.text.where
        try:
            yield
        except Misplaced as error:
            raise TutorError(f"{where}, line {error.line}: {error}") from None
        except ValueError as error:
            at = part.place.of(_keys(str(error))) if isinstance(part, Part) else f"{where}, line {part.line}"
            raise TutorError(f"{at}: {error}") from None
        except TutorError as error:
            if str(error).startswith(where):
                raise
            raise TutorError(f"{where}, line {part.line}: {error}") from None

    def _worksheet(self, block: Part) -> Iterator[Block]:
        view = self.view(block.name)
        show = self.course.text.extras(block.name).show
        check_show(show or (), view)
        yield from shown_worksheet(view, show, self.course.text.headline(block.name))
        yield Break()

    def _experiment(self, block: Part) -> Iterator[Block]:
        from tutor.views.course.experiment import experiment_blocks

        results = self.values.results(block.name)
        yield from experiment_blocks(self.course, block.spec, results)
        yield Break()

    def _claim(self, block: Part) -> Iterator[Block]:
        yield from claim_blocks(block.spec, self.finding(block), self.values, block.place.line_of("why"))

    def _question(self, block: Part) -> Iterator[Block]:
        number = self.numbers[block.line]
        yield from question_blocks(block.spec, self.answer(block), number, self.values, block.place.line_of("ask"))

    def _plot(self, block: Part) -> Iterator[Block]:
        yield from plot_blocks(block.spec, self.course, self.values)
        yield Break()


def _keys(message: str) -> list[str]:
    """The key in front of a message such as `right: the lesson says …`."""
    key, colon, _ = message.partition(": ")
    return [key.rpartition(".")[2]] if colon and key.replace(".", "_").isidentifier() else []


def lesson_blocks(page: Page) -> Iterator[Block]:
    """Everything in its order, the answers at the end, and what the reader can do now."""
    yield from tidy(_in_order(page))


def _in_order(page: Page) -> Iterator[Block]:
    header = page.course.text.header
    yield Heading(f"{header.title} ({header.source})" if header.source else header.title, Level.TITLE)
    told = [counted(header.minutes, "minute")] if header.minutes else []
    told += [f"after {', '.join(header.needs)}"] if header.needs else []
    if told:
        yield Paragraph(f"{'; '.join(told).capitalize()}.")
    yield Break()
    for part in page.course.parts:
        yield from page.part(part)
    yield from page.answers()
    if header.can:
        yield Heading("Now you can")
        for skill in header.can:
            yield Paragraph(f"- {skill}", 2)


def claims_blocks(page: Page, wanted: Callable[[Claim], bool]) -> Iterator[Block]:
    """The claims of the lesson that are wanted, one after the other."""
    yield from tidy(_claims(page, wanted))


def _claims(page: Page, wanted: Callable[[Claim], bool]) -> Iterator[Block]:
    found = [block for block in page.course.claims if wanted(block.spec)]
    if found:
        yield Heading(f"{page.course.text.header.title}: what is stated")
    for block in found:
        yield from page.part(block)
