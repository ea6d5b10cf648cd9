"""`tutor check`: one answer sheet, or a class of thousands."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tutor.cli import abandon_output, tell
from tutor.cli.app import Force, command
from tutor.cli.lessons import Json
from tutor.cli.next_commands import as_typed, free_name, print_next, typed_with
from tutor.cli.sheet import Ask, Decimals, Points, Significant, homework_of
from tutor.cli.worksheet import LessonName
from tutor.errors import NothingThere, TutorError, counted
from tutor.faults import Fault
from tutor.printers import Printer
from tutor.read_files import is_folder

if TYPE_CHECKING:
    from tutor.homework.earlier_marks import Change, Earlier
    from tutor.homework.journal import Journal
    from tutor.homework.marker import MarkingJob
    from tutor.homework.outputs import OutputFiles
    from tutor.homework.ownership import Owners
    from tutor.homework.roster import Roster as Students
    from tutor.homework.students import Row
    from tutor.marking.report import Report, SheetReport
    from tutor.views.feedback import Telling


Sheets = Annotated[list[Path], typer.Argument(metavar="SHEET…", help="Answer sheets, folders of them, or - for stdin.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show the right values too.")]
Penalty = Annotated[
    float | None, typer.Option(min=0, max=1, help="Share of its points lost by a line that follows from an error.")
]
Charge = Annotated[
    Literal["once", "each"] | None, typer.Option(help="Charge the same slip in several lines once, or each time.")
]
AnswersMayBe = Annotated[
    Literal["numbers", "formulas", "either"] | None, typer.Option("--answers", help="What an answer may be.")
]
Platform = Annotated[Literal["plain", "canvas", "moodle"], typer.Option(help="The columns of the gradebook.")]
Secret = Annotated[str | None, typer.Option(help="The secret of `tutor vary --roster`: each sheet must be its own.")]
Roster = Annotated[Path | None, typer.Option(help="A CSV of students with a column id.")]
HintStage = Annotated[
    int,
    typer.Option(
        "--hint",
        min=1,
        max=3,
        help="1 the question to ask oneself, 2 the rule, too, 3 the formula with your numbers, too.",
    ),
]
AllErrors = Annotated[bool, typer.Option("--all-errors", help="Tell every mistake, not only the first one.")]
Before = Annotated[
    list[Path] | None,
    typer.Option(
        help="What was handed in before: a sheet, or a folder of them under the same names. Once for each version."
    ),
]
Scale = Annotated[
    float | None,
    typer.Option(min=0.01, max=1_000_000, help="Write shares of so many points."),
]
Compare = Annotated[Path | None, typer.Option(help="What --json printed earlier: say whose marks have changed since.")]
Jobs = Annotated[int | None, typer.Option(min=1, max=64, help="Processes for a large class.")]
POLL_SECONDS = 0.3


@command()
def check(
    lesson: LessonName,
    paths: Sheets,
    printer: Printer,
    reveal: Reveal = False,
    hint: HintStage = 2,
    all_errors: AllErrors = False,
    before: Before = None,
    ask: Ask = None,
    decimals: Decimals = None,
    significant: Significant = None,
    points: Points = None,
    carried_penalty: Penalty = None,
    charge: Charge = None,
    answers: AnswersMayBe = None,
    gradebook: Annotated[Path | None, typer.Option(help="Write a CSV with one row a student.")] = None,
    platform: Platform = "plain",
    gradescope: Annotated[Path | None, typer.Option(help="Write Gradescope's results.json; a folder for many.")] = None,
    prairielearn: Annotated[Path | None, typer.Option(help="The same for PrairieLearn.")] = None,
    feedback: Annotated[Path | None, typer.Option(help="Write a Markdown file for each student into a folder.")] = None,
    secret: Secret = None,
    roster: Roster = None,
    scale: Scale = None,
    compare: Compare = None,
    force: Force = False,
    jobs: Jobs = None,
    watch: Annotated[bool, typer.Option("--watch", help="Mark the sheet again whenever it is saved.")] = False,
    json_output: Json = False,
) -> None:
    """Mark answer sheets: which line went wrong first, which slip it was, and credit for what follows from it.

    Sheets are CSV or a spreadsheet's own file (columns name and answer), TOML, JSON, the filled Markdown sheet of
    `tutor sheet`, or a form's export with a row for each student. An answer is a number or a formula. Ends with 0
    where every asked line earns credit, 1 where one does not.
    """
    from tutor.homework.earlier_marks import Earlier
    from tutor.homework.marker import ENDINGS, MarkingJob, passed_over, rows_of_form, sheets_in
    from tutor.homework.outputs import OutputFiles
    from tutor.homework.roster import read_roster
    from tutor.lessons.find import lesson_file, lesson_text, slug
    from tutor.lessons.read import parse_lesson
    from tutor.views.feedback import Telling

    text = lesson_text(lesson)
    parsed = parse_lesson(text, lesson)
    penalty = None if carried_penalty is None else str(carried_penalty)
    homework = homework_of(
        parsed, ask, decimals, significant, points, carried_penalty=penalty, charge=charge, answers=answers
    )
    files = sheets_in(paths)
    students = read_roster(roster) if roster else None
    job = MarkingJob(text, lesson, homework, _owners(files, secret, students), students, tuple(before or ()), feedback)
    earlier = Earlier(compare) if compare else None
    if not files:
        raise NothingThere("there is no sheet to mark")
    rows = rows_of_form(files[0], job) if len(files) == 1 else 0
    if watch and rows:
        raise TutorError(
            f"--watch marks one sheet again and again; {str(files[0])!r} is a form's export, a whole class"
        )
    if len(files) > 1 and not all(map(is_folder, before or ())):
        raise TutorError("for several sheets --before has to be the folder with the earlier ones")
    telling = Telling(reveal, hint, all_errors)
    if watch:
        _watch(job, files[0], printer, telling)
        return
    for folder, count in passed_over(paths):
        tell(f"tutor: {counted(count, 'entry')} of {str(folder)!r} passed over: no {', '.join(ENDINGS)}")
    single = len(files) == 1 and not is_folder(paths[0]) and not rows
    outputs = OutputFiles(parsed.title, single, gradebook, platform, gradescope, prairielearn, feedback, scale or 0)
    outputs.claim(files, [lesson_file(lesson), *(path for path in (roster, compare) if path)], force)
    if single:
        done = _mark_one(job, files[0], slug(lesson), printer, outputs, telling, json_output, earlier)
    else:
        done = _mark_class(job, files, slug(lesson), printer, outputs, telling, jobs, json_output, earlier, rows)
    if not done:
        raise typer.Exit(1)


def _owners(files: list[Path], secret: str | None, students: Students | None) -> Owners | None:
    """Who has which problem, where the teacher gives the secret."""
    if secret is None:
        return None
    from tutor.homework.ownership import Owners, codes_of

    return Owners(secret, students, codes_of(files, secret, students))


def _mark_one(
    job: MarkingJob,
    path: Path,
    lesson: str,
    printer: Printer,
    outputs: OutputFiles,
    telling: Telling,
    json_output: bool,
    earlier: Earlier | None,
) -> bool:
    """One sheet in full."""
    from tutor.homework.classroom import Checked, Summary
    from tutor.homework.marker import LessonMarker
    from tutor.homework.outputs import Outputs
    from tutor.marking.report import NotMarked
    from tutor.results import as_json
    from tutor.views.class_marks import changes_page
    from tutor.views.marks import sheet_page

    sheet = LessonMarker(job).mark_or_complain(path)
    summary = Summary(job.roster)
    summary.add(sheet)
    files = Outputs(
        outputs, partial(_feedback, telling)
    )  # a learning platform is told of a sheet that is not marked, too
    files.add(sheet)
    files.finish(summary.students)
    _warn(outputs, summary.students)
    changed = list(earlier.changes(sheet)) if earlier else None
    if isinstance(sheet, NotMarked):
        if json_output:
            print(as_json(Checked(lesson=lesson, sheets=[sheet], changed=changed)))
        raise Fault(f"{path.name}: {sheet.fault}") if sheet.fault else TutorError(f"{path}: {sheet.why}")
    if json_output:
        print(as_json(Checked(lesson=lesson, sheets=[sheet], changed=changed)))
    else:
        printer.show(sheet_page(sheet, telling))
        if earlier and changed is not None:
            printer.show(changes_page(changed, str(earlier.path)))
        _print_next(sheet, path, job, printer, telling)
    return sheet.done


def _print_next(sheet: SheetReport, path: Path, job: MarkingJob, printer: Printer, telling: Telling) -> None:
    """What to do with a marked sheet. The word of a secret is not repeated."""
    again = None if job.owners or "-" in (job.where, str(path)) else as_typed()
    lesson = None if job.owners else job.where
    if sheet.done:
        print_next(printer, "check right", lesson=lesson, fresh=free_name("new", ".toml"))
    else:
        wrong, stage = next(iter(sheet.root_errors), None), telling.hint
        more = typed_with("--hint", stage + 1) if again and wrong and stage < 3 else None
        print_next(
            printer,
            "check wrong",
            lesson=lesson,
            again=again,
            to_the_rule=more if stage == 1 else None,
            to_the_formula=more if stage == 2 else None,
            name=wrong if stage > 1 else None,
        )


def _mark_class(
    job: MarkingJob,
    paths: list[Path],
    lesson: str,
    printer: Printer,
    outputs: OutputFiles,
    telling: Telling,
    jobs: int | None,
    json_output: bool,
    earlier: Earlier | None,
    rows_of_form: int = 0,
) -> bool:
    """Every sheet in a line, and how the class did; as JSON everything, sheet by sheet as they are marked."""
    from tutor.homework.classroom import Checked, Summary, mark_all
    from tutor.homework.outputs import Outputs
    from tutor.printers.progress import progress
    from tutor.results import as_json
    from tutor.views.class_marks import changes_page, class_page

    summary, count = Summary(job.roster), 0
    changed: list[Change] = []
    between = ""
    if json_output:
        _print(as_json(Checked(lesson=lesson, sheets=[]), None).removesuffix("]}"), outputs)
    with _journal(job, paths, outputs) as journal:
        files = Outputs(outputs, partial(_feedback, telling))
        sheets = _started(mark_all(job, paths, jobs or os.cpu_count() or 1, journal))
        for sheet in progress(sheets, rows_of_form or len(paths), "marking", printer.screen):
            count += 1
            summary.add(sheet)
            files.add(sheet)
            changed += earlier.changes(sheet) if earlier else ()
            if json_output:
                _print(f"{between}{as_json(sheet, None)}", outputs)
                between = ","
        files.finish(summary.students)
    _warn(outputs, summary.students)
    if json_output:
        compared = f', "changed": {as_json(changed, None)}' if earlier else ""
        print(f'], "summary": {as_json(summary.report, None)}{compared}}}')
    else:
        printer.show(class_page(summary.students, summary.report))
        if earlier:
            printer.show(changes_page(changed, str(earlier.path)))
        if not job.owners:
            feedback = None if outputs.feedback else free_name("feedback", "")
            one = None if rows_of_form else paths[0]
            print_next(printer, "check class", lesson=job.where, again=as_typed(), feedback=feedback, file=one)
    for name in summary.broken:
        tell(f"tutor: {name!r} could not be marked")
    if summary.faults:
        first, fault = next(iter(summary.faults.items()))
        raise Fault(f"{first}: {fault}; {counted(len(summary.faults), 'sheet')} not marked for a fault of the program")
    return summary.done == count


def _journal(job: MarkingJob, paths: list[Path], outputs: OutputFiles) -> AbstractContextManager[Journal | None]:
    """What keeps what is marked until everything is, where files are written."""
    from tutor.homework.journal import Journal

    return nullcontext() if outputs.folder is None else Journal(outputs.folder, job, paths)


def _warn(outputs: OutputFiles, rows: Iterable[Row]) -> None:
    """What Moodle would refuse as a whole is said before it is handed to it."""
    from tutor.homework.gradebook import MOODLE_MOST

    if outputs.gradebook is None or outputs.platform != "moodle":
        return
    if (outputs.scale or max((row.score or 0 for row in rows), default=0)) > MOODLE_MOST:
        tell(f"tutor: Moodle refuses a file with a grade above {MOODLE_MOST}: use --scale {MOODLE_MOST}")


def _print(text: str, outputs: OutputFiles) -> None:
    """Print it; where nobody reads on, the files that are wanted, too, are written all the same."""
    try:
        print(text)
    except BrokenPipeError:
        if not outputs.targets:
            raise
        abandon_output()


def _feedback(telling: Telling, sheet: Report) -> str:
    from tutor.printers import document
    from tutor.views.marks import feedback_page

    return document(feedback_page(sheet, telling))


def _started(sheets: Iterator[Report]) -> Iterator[Report]:
    """The same, with the first one worked out: the processes are there before a progress bar begins to draw."""
    first = next(sheets, None)
    return chain([] if first is None else [first], sheets)


def _watch(job: MarkingJob, path: Path, printer: Printer, telling: Telling) -> None:
    """Mark the sheet, and again whenever the file changes, until Ctrl-C."""
    from tutor.homework.earlier_sheets import with_another
    from tutor.homework.marker import LessonMarker
    from tutor.views.marks import sheet_page

    marker, seen = LessonMarker(job), None
    while True:
        try:
            stamp = path.stat().st_mtime_ns
        except OSError:  # an editor is just replacing it
            stamp = 0
        if stamp != seen:
            seen = stamp
            try:
                sheet = marker.mark_file(path)
                marker.seen = with_another(sheet, marker.seen)
                printer.show(sheet_page(sheet, telling))
            except TutorError as error:
                printer.say(f"{path}: {error}")
            printer.say("", "Save the sheet to have it marked again; Ctrl-C ends.")
        time.sleep(POLL_SECONDS)
