"""`tutor list`: which lessons there are."""

from __future__ import annotations

from typing import Annotated

import typer

from tutor.cli.app import command
from tutor.cli.onward import lead_on
from tutor.views.screen import Screen

Json = Annotated[bool, typer.Option("--json", help="Plain data for programs.")]


@command(name="list")
def list_lessons(screen: Screen, json_output: Json = False) -> None:
    """The lessons, in the order of the course."""
    from tutor.lessons.find import course
    from tutor.lessons.format import ListedLesson, Listing
    from tutor.results import as_json

    lessons = course()
    if json_output:
        print(as_json(Listing([ListedLesson(name, lesson.title, lesson.source) for name, lesson in lessons])))
        return
    if screen.narrate or screen.stacked:
        for name, lesson in lessons:
            screen.show(f"{name}: {lesson.title}{f', {lesson.source}' if lesson.source else ''}.")
    else:
        table = screen.table("lesson", "title", "from the lecture")
        for name, lesson in lessons:
            table.add_row(*map(screen.text, (name, lesson.title, lesson.source)))
        screen.show(table)
    lead_on(screen, "list", lesson=lessons[0][0])
