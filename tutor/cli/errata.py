"""`tutor errata`: what the source prints or states wrongly, with proof."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.app import command
from tutor.cli.lessons import Json
from tutor.cli.onward import lead_on
from tutor.cli.worksheet import lesson_names
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.views.worksheet.errata import Chapter

_LESSONS = typer.Argument(help="Only these lessons; all of them by default.", autocompletion=lesson_names)


@command()
def errata(
    printer: Printer,
    lessons: Annotated[list[str] | None, _LESSONS] = None,
    json_output: Json = False,
) -> None:
    """What is wrong in the lecture, or true under a condition only, each with its proof.

    A value of a worked example is called wrong where neither the exact computation nor the lecture's own earlier lines
    lead to it. A statement is called wrong, or said to depend, where the lesson that looks at it computes so.
    """
    from tutor.cli.course import claims_of
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.find import course, open_lesson, slug
    from tutor.results import as_json
    from tutor.views.course.errata import in_order, of_claims, of_worksheet
    from tutor.views.course.page import claims_blocks
    from tutor.views.worksheet.errata import errata

    found, first = [], ""
    for name in lessons or [name for name, _ in course()]:
        opened = open_lesson(name)
        chapters = list(_chapters(name))
        page = claims_of(name, opened, printer, json_output) if isinstance(opened, CourseText) else None
        if json_output:
            found += [one for chapter in chapters for one in of_worksheet(slug(name), chapter)]
            found += of_claims(slug(name), page) if page else []
            continue
        printer.show(errata([chapter for chapter in chapters if len(chapters) == 1 or chapter.has_any]))
        if page:
            printer.show(claims_blocks(page))
        wrong = [(c, row) for c in chapters for row in c.wrong() if row.name in c.tableau.worksheet.by_name]
        if wrong and not first:
            first = wrong[0][1].name
            again = wrong[0][0].lesson
    if json_output:
        print(as_json(in_order(found)))
    elif first:
        lead_on(printer, "errata", lesson=again, name=first)


def _chapters(name: str) -> Iterator[Chapter]:
    """What is to be said about each worksheet of the lesson."""
    from tutor.cli.worksheet import tableau_of
    from tutor.lessons.find import read_lesson, worksheets_of
    from tutor.views.worksheet.errata import Chapter, Label
    from tutor.views.worksheet.notes import fill

    for worksheet in worksheets_of(name):
        lesson = read_lesson(worksheet)
        tableau = tableau_of(worksheet, lesson, 5)
        labels = [
            Label(m.place, *(fill(text, tableau.worksheet) for text in (m.printed, m.correct, m.why)))
            for m in lesson.misprints
        ]
        yield Chapter(worksheet, lesson.title, lesson.source, tableau, labels)
