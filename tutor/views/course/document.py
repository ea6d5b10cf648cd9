"""A lesson for programs: the keys of its first worksheet on top, and every section with what it computes."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, structs

from tutor.lessons.markdown import Prose
from tutor.results import Result
from tutor.views.course.claims import ClaimDocument, claim_document
from tutor.views.course.experiment import ExperimentDocument, experiment_document
from tutor.views.course.page import Page
from tutor.views.course.plots import plot_blocks
from tutor.views.course.prose import plain_texts, prose_blocks
from tutor.views.course.questions import QuestionDocument, question_document
from tutor.views.worksheet.document import WorksheetDocument, worksheet_document


class ProseDocument(Struct, tag_field="kind", tag="prose"):
    """Prose with its numbers, a text for each paragraph."""

    text: list[str]


class PlotDocument(Struct, tag_field="kind", tag="plot"):
    """What there is to be seen on a plot, in words."""

    name: str
    told: list[str]


class WorksheetPart(Struct, tag_field="kind", tag="worksheet"):
    """A worksheet of the lesson."""

    name: str
    worksheet: WorksheetDocument


PartDocument = ProseDocument | WorksheetPart | ExperimentDocument | ClaimDocument | QuestionDocument | PlotDocument


class SectionDocument(Struct):
    """A section with its parts, each of which says its kind."""

    title: str
    parts: list[PartDocument]


class LessonDocument(WorksheetDocument, kw_only=True):
    """A lesson with a worksheet: that one on top, then everything."""

    sections: list[SectionDocument]


class TextDocument(Result, kw_only=True):
    """A lesson without any worksheet."""

    lesson: str
    sections: list[SectionDocument]


def lesson_document(name: str, page: Page) -> LessonDocument | TextDocument:
    """What `tutor run LESSON --json` prints."""
    sections = [
        SectionDocument(section.title, [_part(name, page, part) for part in section.parts])
        for section in page.course.sections
    ]
    known = page.course.text.worksheets
    if not known:
        return TextDocument(lesson=name, sections=sections)
    first = worksheet_document(name, page.view(known[0]))
    return LessonDocument(**structs.asdict(first), sections=sections)


def _part(name: str, page: Page, part: Any) -> PartDocument:
    with page.placed(part):
        if isinstance(part, Prose):
            return ProseDocument(plain_texts(prose_blocks(part, page.values)))
        if part.kind == "worksheet":
            return WorksheetPart(part.name, worksheet_document(name, page.view(part.name)))
        if part.kind == "experiment":
            return experiment_document(page.course, part.name, part.spec, page.values.results(part.name))
        if part.kind == "claim":
            return claim_document(part.spec, page.finding(part), page.values, part.line)
        if part.kind == "question":
            return question_document(part.name, part.spec, page.answer(part), page.values)
        return PlotDocument(part.name, plain_texts(plot_blocks(part.spec, page.course, page.values)))
