"""`tutor new`, `tutor lint`, `tutor schema`: for those who write lessons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tutor.cli.app import Force, command
from tutor.cli.lessons import Json
from tutor.cli.next_commands import as_typed, free_name, print_next
from tutor.cli.sheet import Ask, Decimals, Significant, homework_of
from tutor.cli.worksheet import LessonName
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.format import Lesson

Kind = Literal["network", "perceptron", "equations", "minimize", "lesson"]


@command()
def new(
    path: Annotated[Path, typer.Argument(help="The file to write, such as my.toml, or my.md for a whole lesson.")],
    printer: Printer,
    kind: Annotated[Kind, typer.Option(help="What the lesson is about.")] = "network",
    force: Force = False,
) -> None:
    """Write a new lesson file to start from. It runs as it is; `tutor lint` says what in it is still to be replaced."""
    from tutor.lessons.templates import write_lesson

    write_lesson(path, kind, force)
    printer.say(f"wrote {path}")
    print_next(printer, "new", lesson=path)


@command()
def lint(
    lesson: LessonName,
    printer: Printer,
    ask: Ask = None,
    decimals: Decimals = None,
    significant: Significant = None,
    json_output: Json = False,
) -> None:
    """Check a lesson and say what to do: names, notes, printed values, and that the key marks itself correct.

    Of a lesson of the course everything is worked out: claims, questions, experiments, the numbers in its prose.

    Where digits are demanded it also says which slips these cannot tell from rounding, and what to ask for instead;
    whether that matters is yours to decide.

    Ends with 0 where there is nothing to mend, 1 where there is, 2 where the file cannot be used at all.
    """
    from tutor.cli.course import remarks_on
    from tutor.homework.lint import Lint, power
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.find import address, open_lesson, read_lesson, slug, worksheet_of
    from tutor.marking.power import Weakness
    from tutor.results import as_json

    opened = open_lesson(lesson)
    text = opened if isinstance(opened, CourseText) and not address(lesson)[1] else None
    said = remarks_on(lesson, text, printer) if text else _remarks_on_worksheet(lesson, opened)
    weak: list[Weakness] = []
    if text is None or (text.worksheets and not said):
        found = read_lesson(lesson)
        weak = power(found, worksheet_of(found), homework_of(found, ask, decimals, significant))
    if json_output:
        print(as_json(Lint(slug(lesson), said, weak)))
    else:
        for remark in said:
            printer.say(f"{lesson}: {remark}")
        for weakness in weak:
            printer.say(f"{lesson}: worth a thought: {weakness.message}")
        printer.say(f"{lesson}: {len(said)} to mend" if said else f"{lesson}: nothing to mend")
        again, ending = as_typed() if lesson != "-" else None, "wrong" if said else "right"
        print_next(printer, f"lint {ending}", lesson=lesson, again=again, sheet=free_name(slug(lesson), ".csv"))
    if said:
        raise typer.Exit(1)


def _remarks_on_worksheet(lesson: str, opened: CourseText | Lesson) -> list[str]:
    from tutor.cli.worksheet import view_of
    from tutor.homework.lint import OF_A_FILE, remarks
    from tutor.lessons.find import read_lesson
    from tutor.lessons.format import Lesson
    from tutor.lessons.templates import placeholders
    from tutor.views.key import key_answers

    found = read_lesson(lesson)
    worksheet = view_of(lesson, found, 6).worksheet
    said = [*placeholders(found), *remarks(found, worksheet, key_answers(worksheet, {}))]
    if isinstance(opened, Lesson):
        return said
    return [remark for remark in said if not remark.startswith(OF_A_FILE)]


@command()
def schema(printer: Printer) -> None:
    """Print the lesson format as a JSON Schema, for editors that complete TOML."""
    from tutor.course.schema import schema as lesson_schema

    print(json.dumps(lesson_schema(), indent=1))
