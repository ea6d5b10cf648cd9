"""`tutor list`: which lessons there are."""

from __future__ import annotations

from typing import Annotated

import typer

from tutor.cli.app import command
from tutor.cli.next_commands import print_next
from tutor.printers import Printer

Json = Annotated[bool, typer.Option("--json", help="Plain data for programs.")]


@command(name="list")
def list_lessons(printer: Printer, json_output: Json = False) -> None:
    """The course: its lessons part by part, how long each takes, and how far you are."""
    from tutor.cli import tell
    from tutor.course.progress import read_progress
    from tutor.lessons.find import course
    from tutor.lessons.format import Listing
    from tutor.results import as_json
    from tutor.views.course.listing import listed, listing_blocks

    lessons = listed(course(), read_progress(tell))
    if json_output:
        print(as_json(Listing(lessons)))
        return
    printer.show(listing_blocks(lessons))
    print_next(printer, "list", lesson=lessons[0].name)
