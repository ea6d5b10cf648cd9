"""`tutor errata`: what the source prints or states wrongly, with proof."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.app import command
from tutor.cli.lessons import Json
from tutor.cli.next_commands import print_next
from tutor.cli.worksheet import lesson_names
from tutor.errors import TutorError
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.format import Lesson
    from tutor.views.course.errata import Entry
    from tutor.views.course.page import Page
    from tutor.views.worksheet.errata import Chapter

_WHAT = typer.Argument(
    metavar="[NUMBER|LESSON]...",
    help="The numbers of some of them, or lessons, to see these whole. A list of all by default.",
    autocompletion=lesson_names,
)


@command()
def errata(
    printer: Printer,
    what: Annotated[list[str] | None, _WHAT] = None,
    everything: Annotated[bool, typer.Option("--all", help="Each of them with its proof.")] = False,
    json_output: Json = False,
) -> None:
    """What is wrong in the lecture, or true under a condition only: a list by slide, and each with its proof.

    A value of a worked example is called wrong where neither the exact computation nor the lecture's own earlier lines
    lead to it. A statement is called wrong, or said to depend, where the lesson that looks at it computes so.
    """
    from tutor.results import as_json
    from tutor.views.course.errata import short_list, whole

    numbers = [word for word in what or [] if word.isdecimal()]
    lessons = [word for word in what or [] if not word.isdecimal()]
    if numbers and lessons:
        raise TutorError(f"give the numbers of errata or the names of lessons, not both {numbers[0]} and {lessons[0]}")
    if lessons and not json_output:
        _show_lessons(lessons, printer)
        return
    known = entries(printer, lessons)
    chosen = _chosen(known, numbers, lessons)
    if json_output:
        print(as_json([one.whole for one in chosen]))
    elif numbers or everything:
        for one in chosen:
            printer.show(whole([one]))
        if chosen:
            print_next(printer, "errata number", lesson=chosen[0].lesson)
    else:
        printer.show(short_list(chosen))
        print_next(printer, "errata list", number=chosen[0].number if chosen else None)


def entries(printer: Printer, besides: Sequence[str] = ()) -> list[Entry]:
    """The errata of the whole course by slide, and those of lessons `besides`; nothing of them is worked out yet."""
    from tutor.lessons.find import open_course, open_lesson
    from tutor.views.course.errata import in_order

    opened = dict(open_course())
    opened |= {name: open_lesson(name) for name in besides if name not in opened}
    return in_order(one for name, lesson in opened.items() for one in _of_lesson(name, lesson, printer))


def _chosen(known: list[Entry], numbers: list[str], lessons: list[str]) -> list[Entry]:
    from tutor.lessons.find import slug

    if lessons:
        wanted = {slug(name) for name in lessons}
        return [one for one in known if one.lesson in wanted]
    by_number = {one.number: one for one in known}
    for number in numbers:
        if int(number) not in by_number:
            raise TutorError(f"there is no erratum {number}: they are numbered from 1 to {len(known)}")
    return [by_number[int(number)] for number in numbers] if numbers else known


def _of_lesson(name: str, opened: CourseText | Lesson, printer: Printer) -> Iterator[Entry]:
    """What is wrong in one lesson's source, in the lesson's order; a text is made ready for a proof only once."""
    from tutor.cli.course import page_of
    from tutor.course.read import Course
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.find import slug
    from tutor.views.course.errata import of_claims, of_worksheet

    chapters = list(_chapters(name, opened))
    for chapter in chapters:
        yield from of_worksheet(slug(name), chapter)
    if isinstance(opened, CourseText):
        course = Course(name, opened)

        @cache
        def page() -> Page:
            return page_of(course, printer)

        yield from of_claims(slug(name), course, page, _misprinted(chapters))


def _show_lessons(lessons: Sequence[str], printer: Printer) -> None:
    """All that is said of each lesson's source: what is wrong, what follows from that, what is worth a remark."""
    from tutor.cli.course import claims_of
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.find import open_lesson
    from tutor.views.course.errata import is_another
    from tutor.views.course.page import claims_blocks
    from tutor.views.worksheet.errata import errata

    first: tuple[str, str] | None = None
    for name in lessons:
        opened = open_lesson(name)
        chapters = list(_chapters(name, opened))
        is_text = isinstance(opened, CourseText)
        printer.show(errata([chapter for chapter in chapters if chapter.has_any or not is_text]))
        if isinstance(opened, CourseText):
            page = claims_of(name, opened, printer, silent=False)
            printer.show(claims_blocks(page, partial(is_another, _misprinted(chapters))))
        wrong = [(c, row) for c in chapters for row in c.wrong() if row.name in c.view.worksheet.by_name]
        if wrong and not first:
            first = wrong[0][0].lesson, wrong[0][1].name
    if first:
        print_next(printer, "errata", lesson=first[0], name=first[1])


def _misprinted(chapters: Sequence[Chapter]) -> set[tuple[str, str]]:
    """The quantities that are printed wrongly, each with its worksheet."""
    return {(chapter.worksheet, row.name) for chapter in chapters for row in chapter.wrong()}


def _chapters(name: str, opened: CourseText | Lesson) -> Iterator[Chapter]:
    """What is to be said about each worksheet of the lesson of which the source prints something."""
    from tutor.cli.worksheet import view_of
    from tutor.lessons.course_text import CourseText
    from tutor.views.worksheet.errata import Chapter, Label
    from tutor.views.worksheet.notes import fill

    for called, block in _worksheets(name, opened):
        lesson = opened.worksheet(block) if isinstance(opened, CourseText) else opened
        view = view_of(called, lesson, 5)
        labels = [
            Label(m.place, *(fill(text, view.worksheet) for text in (m.printed, m.correct, m.why)))
            for m in lesson.misprints
        ]
        yield Chapter(called, block, lesson.title, lesson.source, view, labels)


def _worksheets(name: str, opened: CourseText | Lesson) -> list[tuple[str, str]]:
    """Those of which the source prints something: what each is called on the command line, and in its lesson."""
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.find import address

    if not isinstance(opened, CourseText):
        return [(name, "")]
    lesson, wanted = address(name)
    blocks = [opened.worksheet_name(wanted)] if wanted else opened.worksheets
    printed = filter(opened.is_printed_elsewhere, blocks)
    return [(name if len(opened.worksheets) == 1 else f"{lesson}/{block}", block) for block in printed]
