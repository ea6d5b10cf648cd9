"""`tutor sheet` and `tutor key`: answer sheets, blank and filled."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tutor.cli import tell
from tutor.cli.app import Force, command
from tutor.cli.next_commands import free_name, print_next_beside
from tutor.cli.worksheet import LessonName
from tutor.errors import TutorError, listed
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.lessons.format import Homework, Lesson
    from tutor.marking.assignment import Assignment
    from tutor.sheets.formats import Question
    from tutor.worksheet.step import Worksheet


Ask = Annotated[
    list[str] | None,
    typer.Option(metavar="STAGE|NAME", help="Ask only this stage (forward, gradient …) or quantity. Repeatable."),
]
Decimals = Annotated[int | None, typer.Option(min=0, max=30, help="Demand so many decimals.")]
Significant = Annotated[int | None, typer.Option(min=1, max=30, help="Demand so many significant digits.")]
Points = Annotated[
    list[str] | None,
    typer.Option(metavar="STAGE=N", help="Points of each line of a stage, or of one quantity. Repeatable."),
]
SheetFormat = Annotated[
    Literal["csv", "toml", "markdown", "json"], typer.Option("--format", help="How the sheet is written.")
]


def homework_of(
    lesson: Lesson,
    ask: list[str] | None,
    decimals: int | None,
    significant: int | None,
    points: list[str] | None = None,
    **others: Any,
) -> Homework:
    """What the lesson asks, with the changes that the options make."""
    from msgspec.structs import replace

    from tutor.lessons.read import check_homework
    from tutor.numbers.exact import read_number

    changes: dict[str, Any] = {name: value for name, value in others.items() if value is not None}
    if ask:
        changes["ask"] = ask
    if decimals is not None or significant is not None:
        changes |= {"decimals": decimals, "significant": significant}
    try:
        if "carried_penalty" in changes:
            changes["carried_penalty"] = read_number(changes["carried_penalty"])
        if points:
            given = [text.rpartition("=") for text in points]
            changes["points"] = {**lesson.homework.points, **{name: read_number(n) for name, _, n in given}}
        homework = replace(lesson.homework, **changes)
        check_homework(homework)
    except ValueError as error:
        hint = "; points are written as in --points gradient=2" if points else ""
        raise TutorError(f"{error}{hint}") from None
    return homework


def handout_page(lesson: Lesson, worksheet: Worksheet, questions: Sequence[Question], whose: Mapping[str, str]) -> str:
    """The problem as a page of Markdown, for somebody without the program."""
    from tutor.printers import document
    from tutor.views.worksheet.handout import handout

    return document(handout(lesson, worksheet, questions, whose))


def filled_in(worksheet: Worksheet, assignment: Assignment) -> Mapping[str, str]:
    """The answer to every question."""
    from tutor.views.key import key_answers

    demands = {n: (d.decimals, d.significant if d.asked else None) for n, d in assignment.demands.items()}
    return key_answers(worksheet, demands)


def write_sheet(
    name: str, lesson: Lesson, homework: Homework, form: str, filled: bool, page: Path | None = None
) -> None:
    """The answer sheet of the lesson on stdout, blank or as the key; and the problem into a file beside it."""
    from tutor.files import write_whole
    from tutor.lessons.find import worksheet_of
    from tutor.marking.assignment import assign
    from tutor.sheets.formats import WRITERS, Paper, questions

    try:
        worksheet = worksheet_of(lesson)
        assignment = assign(worksheet, homework)
        answers = filled_in(worksheet, assignment) if filled else {}
    except TutorError as error:
        raise TutorError(f"{name}: {error}") from None
    about = {"problem": lesson.problem} if lesson.problem else {}
    asked = questions(worksheet, assignment, answers)
    if page is not None:
        write_whole(page, handout_page(lesson, worksheet, asked, about))
    paper = Paper(lesson.title, asked, worksheet.givens, about)
    sys.stdout.write(WRITERS[form](paper))


def _tell_power(lesson: Lesson, homework: Homework) -> None:
    """In which lines a slip would pass for rounding, for whoever hands the sheet out."""
    from tutor.lessons.find import worksheet_of
    from tutor.marking.assignment import assign
    from tutor.marking.power import weaknesses

    worksheet = worksheet_of(lesson)
    if weak := weaknesses(worksheet, assign(worksheet, homework)):
        tell(
            f"tutor: with the digits demanded, a slip in {listed(line.name for line in weak)} may pass for rounding; "
            "`tutor lint` with the same options says which, and what to ask for"
        )


@command()
def sheet(
    lesson: LessonName,
    printer: Printer,
    form: SheetFormat = "csv",
    ask: Ask = None,
    decimals: Decimals = None,
    significant: Significant = None,
    points: Points = None,
    page: Annotated[
        Path | None,
        typer.Option("--handout", help="Also write the problem, to be worked without the program: Markdown."),
    ] = None,
    force: Force = False,
) -> None:
    """Print a blank answer sheet: one line for each quantity, with the digits demanded and the points.

    Fill in the column `answer` and hand it to `tutor check`. Keep the file: tutor sheet mlp > mine.csv
    With --handout mlp.md the problem is written beside it, with all that somebody without the program needs.

    What the digits demanded cannot tell from rounding is said beside the sheet; `tutor lint` says it line by line.
    """
    from tutor.files import Kind, Target, claim
    from tutor.lessons.find import lesson_file, read_lesson, slug
    from tutor.sheets.formats import ENDINGS

    found = read_lesson(lesson)
    if page is not None:
        claim([Target("--handout", page, Kind("a handout"))], [lesson_file(lesson)], force)
    homework = homework_of(found, ask, decimals, significant, points)
    write_sheet(lesson, found, homework, form, filled=False, page=page)
    _tell_power(found, homework)
    print_next_beside("sheet", lesson=lesson, sheet=free_name(slug(lesson), ENDINGS[form]))


@command()
def key(
    lesson: LessonName,
    printer: Printer,
    form: SheetFormat = "csv",
    ask: Ask = None,
    decimals: Decimals = None,
    significant: Significant = None,
    points: Points = None,
) -> None:
    """Print the filled answer sheet."""
    from tutor.lessons.find import read_lesson

    found = read_lesson(lesson)
    write_sheet(lesson, found, homework_of(found, ask, decimals, significant, points), form, filled=True)
