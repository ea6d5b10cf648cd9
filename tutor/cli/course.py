"""What commands do with a lesson of the course as a whole."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from functools import cache
from typing import TYPE_CHECKING, Any

from tutor.cli.next_commands import next_blocks
from tutor.errors import TutorError
from tutor.escaping import is_harmless_page
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.course.experiment import Results, Watched
    from tutor.course.read import Block as Part
    from tutor.course.read import Course
    from tutor.lessons.course_text import CourseText
    from tutor.views.blocks import Block
    from tutor.views.course.page import Page
    from tutor.views.worksheet.model import WorksheetView


def page_of(
    course: Course,
    printer: Printer,
    digits: int = 3,
    most: int | None = None,
    silent: bool = False,
) -> Page:
    """The lesson ready to be shown; worksheets are worked out and experiments run when they are come to."""
    from tutor.cli.worksheet import marked_view
    from tutor.course.values import Values
    from tutor.views.course.page import Page

    def results(name: str) -> Results:
        return run_experiment(course, name, printer, silent)

    values = Values(course, results)

    @cache
    def view(name: str) -> WorksheetView:
        worksheet = values.worksheet(name)
        try:
            return marked_view(worksheet, course.text.worksheet(name), digits, most=most)
        except TutorError as error:
            raise TutorError(course.text.told_of(name, str(error))) from None

    return Page(course, values, view)


def run_experiment(course: Course, name: str, printer: Printer, silent: bool) -> Results:
    """What an experiment came to, while somebody at a terminal sees how far it is."""
    from tutor.course.experiment import results_of

    return results_of(course, course.of_kind("experiment")[name], _watched(printer, silent))


def _watched(printer: Printer, silent: bool) -> Watched:
    """How somebody at a terminal sees how far an experiment is, if it is not kept from an earlier time."""

    def watched(count: int) -> AbstractContextManager[Callable[[int], None]]:
        from tutor.printers.progress import counting

        return counting(count, printer.screen, silent)

    return watched


def show_course(
    name: str, text: CourseText, printer: Printer, digits: int, most: int | None, fresh: bool, json_output: bool
) -> None:
    """The whole lesson, in its order: as it was kept where nothing has changed since, else worked out and kept."""
    from tutor.course.kept import Shown, forget, kept_page
    from tutor.course.read import Course

    if fresh:
        forget(name)
    course = Course(name, text)
    place = kept_page(course, [printer.screen, digits, most, json_output])
    if (shown := place.read()) and is_harmless_page(shown.text):
        sys.stdout.write(shown.text)
        return
    page, said = page_of(course, printer, digits, most, silent=json_output), []
    for piece in _in_json(page) if json_output else printer.said(_with_next(page)):
        sys.stdout.write(piece)
        said.append(piece)
    place.write(Shown("".join(said)))


def _in_json(page: Page) -> Iterator[str]:
    from tutor.lessons.find import slug
    from tutor.results import as_json
    from tutor.views.course.document import lesson_document

    yield f"{as_json(lesson_document(slug(page.course.name), page))}\n"


def _with_next(page: Page) -> Iterator[Block]:
    """The lesson, and what to type next."""
    from tutor.views.course.page import lesson_blocks

    yield from lesson_blocks(page)
    name, text = page.course.name, page.course.text
    if not text.worksheets:
        yield from next_blocks("run text")
        return
    first = name if len(text.worksheets) == 1 else f"{name}/{text.worksheets[0]}"
    worksheet = page.view(text.worksheets[0]).worksheet
    line = worksheet.gradients[0][0] if worksheet.gradients else worksheet.steps[-1].name
    yield from next_blocks("run", lesson=first, name=line)


def remarks_on(name: str, text: CourseText, printer: Printer) -> list[str]:
    """What is to be mended in the lesson."""
    from tutor.course.read import Course
    from tutor.lessons.templates import left_as_written
    from tutor.views.course.remarks import remarks

    course = Course(name, text)
    return [*left_as_written(text), *remarks(page_of(course, printer, 6))]


def claims_of(name: str, text: CourseText, printer: Printer, silent: bool) -> Page:
    """The lesson, to be asked for its claims."""
    from tutor.course.read import Course

    return page_of(Course(name, text), printer, silent=silent)


def compare_in_lesson(
    name: str,
    printer: Printer,
    given: Mapping[str, Any],
    seeds: int | None,
    jobs: int,
    dask: str | None,
    json_output: bool,
    drawn: bool,
) -> list[Block]:
    """One experiment of a lesson by itself, in so many processes or on a cluster; `given` settings overrule its own.
    Returns what is shown of it, in JSON only if it is to be `drawn`."""
    from tutor.course.experiment import results_of, with_seeds
    from tutor.results import as_json
    from tutor.views.blocks import Heading, Level
    from tutor.views.course.experiment import ComparedDocument, experiment_blocks, experiment_document

    course, block = _experiment(name)
    if seeds:
        block = with_seeds(block, seeds)
    results = results_of(course, block, _watched(printer, json_output), given, jobs, dask)
    try:
        shown = [] if json_output and not drawn else [*experiment_blocks(course, block.spec, results, given)]
        if json_output:
            print(as_json(ComparedDocument(name, experiment_document(course, block.name, block.spec, results, given))))
    except ValueError as error:
        raise TutorError(f"{block.place.of(['show'])}: {error}") from None
    if not json_output:
        printer.show([Heading(f"{course.text.header.title}: {block.name}", Level.TITLE), *shown])
    return shown


def _experiment(name: str) -> tuple[Course, Part]:
    """The experiment of LESSON/EXPERIMENT, or the first of LESSON."""
    from tutor.course.read import Course
    from tutor.errors import nearest
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.find import address, open_lesson

    lesson, wanted = address(name)
    opened = open_lesson(lesson)
    known = Course(lesson, opened).of_kind("experiment") if isinstance(opened, CourseText) else {}
    if not known:
        raise TutorError(f"{lesson} has no experiment; `tutor compare --data moons` trains on data")
    found = wanted or next(iter(known))
    if found not in known:
        raise TutorError(f"{lesson}: there is no experiment {found[:60]!r}{nearest(found, known)}")
    assert isinstance(opened, CourseText)
    return Course(lesson, opened), known[found]
