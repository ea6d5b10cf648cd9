"""`tutor run` and `tutor why`: a worksheet, whole, step by step, or one quantity of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tutor.cli.app import command
from tutor.cli.lessons import Json
from tutor.cli.next_commands import free_name, print_next
from tutor.errors import NothingThere, TutorError
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.lessons.format import Lesson, Printed
    from tutor.views.worksheet.model import PrintedRow, WorksheetView
    from tutor.worksheet.step import Worksheet


def lesson_names(incomplete: str) -> list[str]:
    """What a shell may complete a lesson to: the bare names, and the lesson files and folders that begin so."""
    from contextlib import suppress
    from pathlib import Path

    from tutor.lessons.find import lesson_files

    folder, slash, start = incomplete.rpartition("/")
    found: list[str] = []
    with suppress(TutorError):
        found += (name for name in lesson_files() if name.startswith(incomplete))
    with suppress(OSError):
        here = sorted(path for path in Path(f"{folder}{slash}" or ".").iterdir() if path.name.startswith(start))
        found += (
            f"{folder}{slash}{p.name}{'/' * p.is_dir()}" for p in here if p.suffix in (".toml", ".md") or p.is_dir()
        )
    return found


LessonName = Annotated[
    str,
    typer.Argument(
        metavar="LESSON",
        help="A lesson of `tutor list`, one of its worksheets as in gates/and, a file such as my.toml, or - for stdin.",
        autocompletion=lesson_names,
    ),
]
MOST_SHOWN = 40
Digits = Annotated[int, typer.Option(min=1, max=30, help="Decimals to show. Small values keep three digits.")]
Chain = Annotated[
    Literal["full", "delta"] | None,
    typer.Option(
        help="full: every factor of every path. delta: each result's gradient is used again. The lesson's own choice, "
        "or full, by default."
    ),
]


def blank_view(name: str, lesson: Lesson, digits: int, chain: str | None = None) -> WorksheetView:
    """The worksheet of the lesson as a problem: nothing on it has been worked out."""
    from tutor.lessons.find import worksheet_of
    from tutor.views.worksheet.model import WorksheetView

    try:
        return WorksheetView(worksheet_of(lesson, chain), digits, blank=True)
    except TutorError as error:
        raise TutorError(f"{name}: {error}") from None


def view_of(name: str, lesson: Lesson, digits: int, chain: str | None = None, most: int | None = None) -> WorksheetView:
    """The worksheet of the lesson with its printed values marked, ready for any view."""
    from tutor.lessons.find import worksheet_of

    try:
        return marked_view(worksheet_of(lesson, chain), lesson, digits, chain, most)
    except TutorError as error:
        raise TutorError(f"{name}: {error}") from None


def marked_view(
    worksheet: Worksheet, lesson: Lesson, digits: int, chain: str | None = None, most: int | None = None
) -> WorksheetView:
    """The worksheet, which was made of the lesson in that chain, with the lesson's printed values marked."""
    from tutor.views.worksheet.model import WorksheetView

    _ = worksheet.values  # worked out here, where a failure can still be told with the name of the file
    return WorksheetView(worksheet, digits, _printed_rows(worksheet, lesson, chain) if lesson.printed else [], most)


def _printed_rows(worksheet: Worksheet, lesson: Lesson, chain: str | None) -> list[PrintedRow]:
    from tutor.marking.printed import mark_printed
    from tutor.views.worksheet.model import PrintedRow
    from tutor.views.worksheet.notes import fill

    try:
        return [
            PrintedRow(m.name, m.answer, m.key, m.verdict, fill(entry.note, worksheet), entry.place)
            for entry, m in mark_printed(lesson.printed, worksheet)
        ]
    except TutorError as error:
        raise TutorError(_of_the_other_chain(lesson, chain) or str(error)) from None


def _of_the_other_chain(lesson: Lesson, chain: str | None) -> str:
    """What to do where the lesson prints a quantity that only the chain `delta` writes; empty where it does not."""
    from tutor.lessons.find import worksheet_of
    from tutor.marking.printed import mark_printed

    def can_be_marked(entry: Printed, chain: str) -> bool:
        try:
            return bool(mark_printed([entry], worksheet_of(lesson, chain)))
        except TutorError:
            return False

    for entry in lesson.printed if (chain or lesson.chain) == "full" else ():
        if not can_be_marked(entry, "full") and can_be_marked(entry, "delta"):
            do = (
                "leave out --chain full"
                if lesson.chain == "delta"
                else 'write chain = "delta" at the top of the lesson'
            )
            return f"printed value {entry.name!r}: only the chain delta writes this quantity down; {do}"
    return ""


def rounded_view(view: WorksheetView, significant: bool) -> WorksheetView:
    """The same as somebody has it who rounds every line; a blank one asks for that."""
    from msgspec.structs import replace

    from tutor.errors import counted
    from tutor.worksheet.rounded import rounded_values

    unit = counted(view.digits, "significant digit" if significant else "decimal")
    told = f"every line rounded to {unit}, half to even, and the next worked out from what was written"
    rounded = None if view.blank else rounded_values(view.worksheet, view.digits, significant)
    return replace(view, rounded=rounded, rounding=told)


@command()
def run(
    lesson: LessonName,
    printer: Printer,
    step: Annotated[bool, typer.Option("--step", help="Pause after each step: next, back, jump, why, quit.")] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STAGE", help="Only this stage: forward, loss, partial, gradient, update, after. Repeatable."
        ),
    ] = None,
    digits: Digits = 3,
    rounding: Annotated[
        Literal["once", "each-step"],
        typer.Option(help="once: exact, rounded for display. each-step: every line rounded, with the drift beside it."),
    ] = "once",
    significant: Annotated[
        bool, typer.Option("--significant", help="With each-step: --digits counts significant digits, not decimals.")
    ] = False,
    chain: Chain = None,
    everything: Annotated[bool, typer.Option("--all", help="Every step of a long worksheet.")] = False,
    blank: Annotated[bool, typer.Option("--blank", help="Only the problem, without any computed value.")] = False,
    brief: Annotated[bool, typer.Option("--brief", help="Only formulas and values: no derivations, no prose.")] = False,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Take nothing that was kept of the lesson: compute it again."),
    ] = False,
    json_output: Json = False,
) -> None:
    """Work through a lesson: every value, every derivative, every update.

    A lesson of the course is a text with worksheets in it; LESSON/WORKSHEET shows one of these alone, and so does any
    option that is about a worksheet.

    Each line of the worksheet has a name, its formula, the formula with numbers, and the value. Where the lesson
    comes from the lecture, what the lecture prints stands beside it with a verdict.

    Try `tutor run perceptron --step`, or `tutor why perceptron dE/dW1` for a single line. With --blank it is a problem
    to be worked by hand: what is given, and what is to be found.
    """
    from msgspec.structs import replace

    from tutor.cli.course import show_course
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.find import address, open_lesson, slug

    if blank and step:
        raise TutorError("--blank has no steps to pause at; leave out --step, or --blank")
    of_one = step or only or blank or brief or chain or rounding != "once"
    opened = open_lesson(lesson)
    if isinstance(opened, CourseText) and not (of_one or address(lesson)[1]):
        show_course(lesson, opened, printer, digits, None if everything else MOST_SHOWN, fresh, json_output)
        return
    from tutor.cli.stepping import can_step, walk  # SymPy comes with these, and a lesson that is kept needs none
    from tutor.results import as_json
    from tutor.views.worksheet import document, page
    from tutor.views.worksheet.blank import harmless_prose, problem
    from tutor.worksheet.step import check_stages

    stages = check_stages(only or ())
    read = opened.worksheet(address(lesson)[1]) if isinstance(opened, CourseText) else opened
    if blank:
        view = blank_view(lesson, read, digits, chain)
    else:
        view = view_of(lesson, read, digits, chain, None if everything else MOST_SHOWN)
    if stages and not any(written.stage in stages for written in view.worksheet.steps):
        raise NothingThere(f"{lesson}: there is no stage {' or '.join(stages)} on this worksheet")
    if rounding == "each-step":
        view = rounded_view(view, significant)
    if json_output:
        written_out = document.blank_document if blank else document.worksheet_document
        print(as_json(written_out(slug(lesson), view, stages)))
        return
    if brief:
        view = replace(view, printed=(), brief=True)
    about = "" if brief else harmless_prose(read.about, view) if blank else read.about
    printer.show(page.title(read.title, read.source, about))
    if step and can_step():
        printer.show(page.introduction(view))
        if not walk(view, printer, stages):
            return
    else:
        printer.show((problem if blank else page.worksheet)(view, stages))
    sheet = free_name(slug(lesson), ".csv")
    print_next(printer, "blank" if blank else "run", lesson=lesson, name=_worth_a_look(view), sheet=sheet)


def _worth_a_look(view: WorksheetView) -> str:
    """A line with something to explain: a gradient where there is one, else the last."""
    worksheet = view.worksheet
    return worksheet.gradients[0][0] if worksheet.gradients else worksheet.steps[-1].name


@command()
def why(
    lesson: LessonName,
    name: Annotated[str, typer.Argument(help="A quantity of the lesson, such as dE/dW1 or h1_out.")],
    printer: Printer,
    digits: Digits = 3,
    chain: Chain = None,
    json_output: Json = False,
) -> None:
    """One quantity: its formula, its derivation rule by rule, its numbers, and what depends on it."""
    import shlex

    from tutor.formulas.names import find_name
    from tutor.lessons.find import read_lesson, slug
    from tutor.results import as_json
    from tutor.views.worksheet import why
    from tutor.views.worksheet.document import explanation_document

    view = view_of(lesson, read_lesson(lesson), digits, chain)
    try:
        quantity = find_name(name, view.worksheet.names)
    except TutorError:
        if "/" in name and (why_none := view.worksheet.without_gradient):
            raise NothingThere(f"{lesson}: {why_none}") from None
        # What only the other chain writes down, such as dE/dh1_in, can be asked for all the same.
        other = view_of(lesson, read_lesson(lesson), digits, "delta")
        lists = f"tutor run {shlex.quote(lesson)} --brief --all"
        quantity, view = find_name(name, other.worksheet.names, lists=lists), other
    if json_output:
        print(as_json(explanation_document(slug(lesson), view, quantity)))
    else:
        printer.show(why.explanation(view, quantity))
        user = next(iter(view.worksheet.users[quantity]), None)
        print_next(printer, "why", name=user, lesson=lesson if view.worksheet.gradients else None)
