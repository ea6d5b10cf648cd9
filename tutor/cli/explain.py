"""`tutor explain`: one activation, loss, optimizer, schedule, penalty, initializer, normalizer or term."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated

import typer

from tutor.cli.app import command
from tutor.cli.lessons import Json
from tutor.cli.next_commands import print_next
from tutor.cli.worksheet import Digits
from tutor.errors import TutorError, nearest
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.course.format import Claim
    from tutor.views.course.errata import Entry

_SLIP = "slip:"


@command()
def explain(
    name: Annotated[list[str], typer.Argument(help="What to explain, such as sigmoid, adam, dropout or chain rule.")],
    printer: Printer,
    digits: Digits = 3,
    json_output: Json = False,
) -> None:
    """Explain an activation, a loss, an optimizer, a word of the field …: equation, derivation rule by rule, range,
    picture, values; and what the lecture says of it that is not so.

    A name that is more than one thing is written with its kind: activation:step, schedule:step. A mistake that `check`
    or `trace` names is explained as slip:missing-slope: what it is on paper, in numbers and in code.
    """
    word = " ".join(name)
    if word.strip().lower().startswith(_SLIP):
        _explain_slip(word.strip().lower().removeprefix(_SLIP).strip(), printer, digits, json_output)
        return
    from tutor.results import as_json
    from tutor.views import catalogue
    from tutor.views.course.errata import quoted_blocks
    from tutor.views.entry_document import entry_document
    from tutor.worksheet.catalogue import find_entry

    kind, found = find_entry(word)
    errata = _errata_about(found, printer)
    if json_output:
        print(as_json(entry_document(found.name, kind, found, [one.quoted for one in errata])))
    else:
        printer.show(catalogue.entry_page(found.name, kind, found, digits))
        printer.show(quoted_blocks(errata))
        shown_by = getattr(found, "command", "").split()
        print_next(printer, f"explain {kind}:{found.name}", name=found.name, command=shown_by)


def _explain_slip(name: str, printer: Printer, digits: int, json_output: bool) -> None:
    from tutor.lessons.find import course_worksheets
    from tutor.results import as_json
    from tutor.slips.example import example_of
    from tutor.slips.registry import SLIPS
    from tutor.trace.mistakes.registry import MISTAKES
    from tutor.views.slip import slip_document, slip_page

    in_code = {mistake.id: mistake for mistake in reversed(MISTAKES)}
    if name not in SLIPS and name not in in_code:
        known = dict.fromkeys((*SLIPS, *in_code))
        raise TutorError(f"there is no mistake called {name!r}{nearest(name, known)}")
    example = example_of(SLIPS[name], course_worksheets()) if name in SLIPS else None
    document = slip_document(name, example, in_code.get(name))
    if json_output:
        print(as_json(document))
        return
    printer.show(slip_page(document, example, digits))
    line = example.step.name if example is not None else None
    print_next(printer, "explain slip", lesson=example and example.address, name=line)


def _errata_about(entry: object, printer: Printer) -> list[Entry]:
    """The errata that say so themselves. A lesson of the reader's own that is broken is told of elsewhere."""
    from tutor.cli.errata import entries
    from tutor.worksheet.catalogue import find_entry

    def is_of_it(names: Iterable[str]) -> bool:
        return any(find_entry(name)[1] is entry for name in names)

    with suppress(TutorError):
        if is_of_it(name for claim in _errata() for name in claim.about):  # else they need no numbers
            return [one for one in entries(printer) if is_of_it(one.about)]
    return []


def _errata() -> Iterator[Claim]:
    """What the lessons say of their sources that is not so, or not always."""
    from tutor.course.read import Course
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.find import open_course
    from tutor.views.course.claims import is_erratum

    for name, text in open_course():
        if isinstance(text, CourseText):
            yield from (block.spec for block in Course(name, text).claims if is_erratum(block.spec))
