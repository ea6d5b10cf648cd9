"""`tutor errata`: what the source prints wrongly, with proof."""

from __future__ import annotations

from typing import Annotated

import typer

from tutor.cli.app import command
from tutor.cli.lessons import Json
from tutor.cli.onward import lead_on
from tutor.cli.worksheet import lesson_names
from tutor.printers import Printer

_LESSONS = typer.Argument(help="Only these lessons; all of them by default.", autocompletion=lesson_names)


@command()
def errata(
    printer: Printer,
    lessons: Annotated[list[str] | None, _LESSONS] = None,
    json_output: Json = False,
) -> None:
    """The misprints of the lecture's worked examples, with proof.

    A value is called wrong where neither the exact computation nor the lecture's own earlier lines lead to it.
    """
    from tutor.cli.worksheet import tableau_of
    from tutor.lessons.find import course, read_lesson, slug
    from tutor.results import as_json
    from tutor.views.worksheet import errata
    from tutor.views.worksheet.document import errata_document
    from tutor.views.worksheet.notes import fill

    found, lines = [], []
    for name, lesson in [(name, read_lesson(name)) for name in lessons] if lessons else course():
        tableau = tableau_of(name, lesson, 5)
        labels = [
            errata.Label(m.place, *(fill(text, tableau.worksheet) for text in (m.printed, m.correct, m.why)))
            for m in lesson.misprints
        ]
        found.append(errata.Chapter(slug(name), lesson.title, lesson.source, tableau, labels))
        lines += [(name, row.name) for row in found[-1].wrong() if row.name in tableau.worksheet.by_name]
    if json_output:
        print(as_json(errata_document(found)))
    else:
        printer.show(errata.errata(found))
        for lesson_name, line_name in lines[:1]:
            lead_on(printer, "errata", lesson=lesson_name, name=line_name)
