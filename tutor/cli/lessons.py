"""`tutor list`: which lessons there are."""

from __future__ import annotations

from typing import Annotated

import typer

from tutor.cli.app import command
from tutor.cli.onward import lead_on
from tutor.printers import Printer

Json = Annotated[bool, typer.Option("--json", help="Plain data for programs.")]


@command(name="list")
def list_lessons(printer: Printer, json_output: Json = False) -> None:
    """The lessons, in the order of the course."""
    from tutor.lessons.find import course
    from tutor.lessons.format import ListedLesson, Listing
    from tutor.results import as_json
    from tutor.views.blocks import Column, Kind, Row, Table

    lessons = course()
    if json_output:
        print(as_json(Listing([ListedLesson(name, lesson.title, lesson.source) for name, lesson in lessons])))
        return
    rows = [
        Row((name, lesson.title, lesson.source), f"{name}: {', '.join(filter(None, (lesson.title, lesson.source)))}.")
        for name, lesson in lessons
    ]
    columns = (Column("lesson", Kind.NAME), Column("title"), Column("from the lecture"))
    printer.show([Table(columns, tuple(rows))])
    lead_on(printer, "list", lesson=lessons[0][0])
