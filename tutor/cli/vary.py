"""`tutor vary`: a fresh problem of the same shape, or one for each student of a class."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.app import Force, command
from tutor.cli.check import Jobs, Roster
from tutor.cli.next_commands import free_name, print_next_beside
from tutor.cli.sheet import Ask, Decimals, Points, SheetFormat, Significant, filled_in, handout_page, homework_of
from tutor.cli.worksheet import LessonName
from tutor.errors import TutorError, counted
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.homework.handout import Handout


@command()
def vary(
    lesson: LessonName,
    printer: Printer,
    seed: Annotated[str | None, typer.Option(help="Letters and digits; the same seed gives the same problem.")] = None,
    roster: Roster = None,
    secret: Annotated[
        str | None, typer.Option(help="Your secret, from which each student's problem is drawn. Keep it.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The folder for the problems and sheets of a roster.")] = None,
    form: SheetFormat = "csv",
    ask: Ask = None,
    decimals: Decimals = None,
    significant: Significant = None,
    points: Points = None,
    force: Force = False,
    jobs: Jobs = None,
) -> None:
    """Make a fresh problem: the same steps and names, other numbers, nothing degenerate. Prints a lesson file.

    tutor vary mlp --seed 7 > mine.toml; tutor sheet mine.toml > sheet.csv; tutor check mlp sheet.csv

    With --roster, --secret and --out every student gets a problem and a sheet of their own, the problem also as a page
    to be worked without the program, and you the keys; `tutor check` finds the problem again from the sheet alone.
    Broken off, the same command goes on where it stopped.
    """
    from tutor.homework.handout import Handout, Pages
    from tutor.homework.roster import read_roster
    from tutor.homework.variants import Varier, problem_text
    from tutor.lessons.find import lesson_file, lesson_text
    from tutor.lessons.read import parse_lesson

    text = lesson_text(lesson)
    found = parse_lesson(text, lesson)
    if roster is None:
        if seed is None or not seed.isascii() or not seed.isalnum() or len(seed) > 40:
            raise TutorError("give --seed with letters and digits, such as --seed 7, or a class with --roster")
        sys.stdout.write(problem_text(text, Varier(text, found).problem(seed)))
        print_next_beside("vary", fresh=free_name("new", ".toml"))
        return
    if not secret or out is None:
        raise TutorError("a roster needs --secret, from which the problems are drawn, and --out, a folder for them")
    homework = homework_of(found, ask, decimals, significant, points)
    handout = Handout(text, lesson, homework, secret, form, Pages(handout_page, filled_in))
    _hand_out(handout, read_roster(roster).ids, out, [lesson_file(lesson), roster], jobs, force, printer)
    printer.say(f"mark them with `tutor check {lesson} FOLDER --roster {roster} --secret …`")


def _hand_out(
    handout: Handout,
    students: Sequence[str],
    out: Path,
    inputs: Sequence[Path],
    jobs: int | None,
    force: bool,
    printer: Printer,
) -> None:
    """Go on where an earlier time has stopped; with `force` everything is written again."""
    from tutor.files import claim
    from tutor.homework.handout import KEYS, PROBLEMS, SHEETS, files_of_students, hand_out, handed_out, targets_in
    from tutor.printers.progress import progress

    files = files_of_students(handout, students, out)
    kept = set() if force else set(handed_out(handout, files))
    claim(targets_in(out, handout.form, kept), inputs, force)
    missing = [place for place in files if not kept.issuperset(place.files)]
    done = hand_out(handout, missing, kept, out, jobs or os.cpu_count() or 1)
    for _ in progress(done, len(missing), "drawing problems", printer.screen):
        pass
    if missing:
        printer.say(f"wrote a problem, a sheet and a key for each of {counted(len(missing), 'student')} into {out}")
        printer.say(f"to be handed out are {PROBLEMS}/NAME.md and {SHEETS}; {KEYS} is yours")
    if len(missing) < len(files):
        printer.say(f"left those of {counted(len(files) - len(missing), 'student')} as they were")
