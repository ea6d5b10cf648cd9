"""`tutor autograder`: a homework as an upload for Gradescope."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tutor.cli.app import Force, command
from tutor.cli.check import Scale
from tutor.cli.worksheet import LessonName
from tutor.errors import TutorError
from tutor.printers import Printer


@command()
def autograder(
    lesson: LessonName,
    printer: Printer,
    output: Annotated[Path, typer.Option(help="The archive to upload.")] = Path("autograder.zip"),
    wheel: Annotated[
        Path | None, typer.Option(help="Install the program from this wheel, not from a package index.")
    ] = None,
    scale: Scale = None,
    force: Force = False,
) -> None:
    """Write the whole autograder of a homework for Gradescope: what sets it up, what marks a sheet, the lesson.

    Upload the archive as it is. What counts says the lesson file under [homework].
    """
    from tutor import __version__
    from tutor.files import Target, claim, written
    from tutor.homework.autograder import ARCHIVE, PACKAGE
    from tutor.homework.autograder import autograder as archive_of
    from tutor.lessons.find import lesson_file, lesson_text, worksheet_of
    from tutor.lessons.read import parse_lesson
    from tutor.marking.assignment import assign

    text = lesson_text(lesson)
    found = parse_lesson(text, lesson)
    try:
        assign(worksheet_of(found), found.homework)
    except TutorError as error:
        raise TutorError(f"{lesson}: {error}") from None
    claim([Target("--output", output, ARCHIVE)], [lesson_file(lesson), *([wheel] if wheel else [])], force)
    archive = archive_of(text, __version__, _wheel(wheel) if wheel else None, scale or 0)
    with written(output, binary=True) as file:
        file.write(archive)
    printer.say(f"wrote {output}: upload it to Gradescope as it is")
    if wheel is None:
        printer.say(f"it installs {PACKAGE} {__version__} from the package index; --wheel FILE brings it along")


def _wheel(path: Path) -> tuple[str, bytes]:
    from tutor.read_files import read_whole

    if path.suffix != ".whl":
        raise TutorError(f"{str(path)!r} is no wheel; build one with `python -m build --wheel`")
    return path.name, read_whole(path, 100_000_000, "wheel")
