"""`tutor transcript record` and `verify`: lessons written down, and checked to the last byte."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tutor.cli.app import Force, app, command
from tutor.cli.next_commands import print_next
from tutor.cli.worksheet import lesson_names
from tutor.printers import Printer

group = typer.Typer(help="Record lessons, and verify that they still come out the same.", no_args_is_help=True)
app.add_typer(group, name="transcript")

DEFAULT_FOLDER = Path("transcripts")
_LESSONS = typer.Argument(help="Lessons of `tutor list`; all by default.", autocompletion=lesson_names)


@command(group)
def record(
    printer: Printer,
    lessons: Annotated[list[str] | None, _LESSONS] = None,
    folder: Annotated[Path, typer.Option(help="Where to write.")] = DEFAULT_FOLDER,
    force: Force = False,
) -> None:
    """Record lessons: a Markdown page each, and a JSON file with every value.

    Each is made twice, in different surroundings, and only written if not a byte differs.
    """
    from tutor.lessons.find import lesson_files
    from tutor.transcripts.record import prepare
    from tutor.transcripts.record import record as record_lesson

    wanted = list(dict.fromkeys(lessons or lesson_files()))
    prepare(wanted, folder, force)
    for lesson in wanted:
        printer.say(f"recorded {record_lesson(lesson, folder)}")
    print_next(printer, "record", folder=folder)


@command(group)
def verify(
    printer: Printer,
    folder: Annotated[Path, typer.Argument(help="The folder of transcripts.")] = DEFAULT_FOLDER,
) -> None:
    """Make every transcript of a folder again and compare each byte.

    Ends with 0 where all hold, 1 where one differs, 3 where there is none.
    """
    from tutor.transcripts.read import transcript_names
    from tutor.transcripts.record import verify as verified
    from tutor.views.blocks import Paragraph

    names = transcript_names(folder)
    if not names:
        printer.say(f"There is no transcript in {folder}.")
        raise typer.Exit(3)
    all_hold = True
    for name, differences in verified(folder, names):
        printer.say(f"{name}: {'differs' if differences else 'holds'}")
        for difference in differences:
            printer.show([Paragraph(f"{difference.kind} in {difference.file}: {difference.detail}", 2)])
        all_hold = all_hold and not differences
    if not all_hold:
        raise typer.Exit(1)
