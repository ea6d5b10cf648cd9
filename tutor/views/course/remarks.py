"""What is to be mended in a lesson, each with its line and what to do."""

from __future__ import annotations

from collections.abc import Iterator

from tutor.course.prose import placeholders
from tutor.course.read import Block as Part
from tutor.course.read import Course
from tutor.errors import TutorError, nearest
from tutor.homework.lint import OF_A_FILE
from tutor.homework.lint import remarks as worksheet_remarks
from tutor.lessons.find import lesson_files
from tutor.lessons.markdown import Prose
from tutor.views.course.claims import complaint, doubts
from tutor.views.course.learning import hint_blocks
from tutor.views.course.page import Page
from tutor.views.key import key_answers


def remarks(page: Page) -> Iterator[str]:
    """Everything that does not come out, is missing, or cannot be read on."""
    yield from _header(page.course)
    found = [remark for part in page.course.parts for remark in _of_part(page, part)]
    yield from dict.fromkeys((*found, *_answers(page)))


def _header(course: Course) -> Iterator[str]:
    header, blocks = course.text.header, course.blocks
    if not header.can:
        yield 'the lesson says nothing of what one can do at its end: write can = ["…"] at its top'
    if not header.source.strip():
        yield "source is empty: say where the lesson comes from, or that it is your own"
    if header.minutes is None:
        yield "minutes is missing: say how long the lesson takes"
    if not header.part:
        yield "part is missing: say to which part of the course the lesson belongs"
    if not any(block.kind == "question" for block in blocks):
        yield "the lesson asks nothing: write a block ```toml question before what surprises"
    known = lesson_files()
    for name in header.needs:
        if name not in known:
            yield f"needs: there is no lesson {name[:60]!r}{nearest(name, known)}"


def _of_part(page: Page, part: Part | Prose) -> Iterator[str]:
    try:
        for _ in page.part(part):
            pass
        if isinstance(part, Prose):
            yield from _of_prose(part)
        else:
            yield from _of_block(page, part)
    except TutorError as error:
        yield str(error).removeprefix(f"{page.course.text.where}, ")


def _of_prose(prose: Prose) -> Iterator[str]:
    for part in placeholders(prose):
        if "*" in part.formula:
            told = f"line {part.line}: {{{part.formula.strip()}}}"
            yield f"{told}: * would be emphasis where the text is read elsewhere; write · and ^"


def _of_block(page: Page, block: Part) -> Iterator[str]:
    if block.kind == "claim":
        finding = page.finding(block)
        if wrong := complaint(block.spec, finding):
            yield f"line {block.line}: claim {block.spec.says[:60].strip()!r}: {wrong}"
        for doubt in doubts(block.spec, finding):
            yield f"line {block.line}: claim {block.spec.says[:60].strip()!r}: {doubt}"
    elif block.kind == "worksheet":
        worksheet = page.view(block.name).worksheet
        lesson = page.course.text.worksheet(block.name)
        for remark in worksheet_remarks(lesson, worksheet, key_answers(worksheet, {})):
            if not remark.startswith(OF_A_FILE):
                yield f"line {block.line}: worksheet {block.name}: {remark}"
    elif block.kind == "question":
        page.answer(block)
        for hint in block.spec.hints:
            for _ in hint_blocks(page, block, hint):
                pass


def _answers(page: Page) -> Iterator[str]:
    try:
        for _ in page.answers():
            pass
    except TutorError as error:
        yield str(error).removeprefix(f"{page.course.text.where}, ")
