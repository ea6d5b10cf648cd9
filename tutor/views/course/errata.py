"""Everything that the course finds wrong in its source, or true under a condition only, each with its proof."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct, structs

from tutor.views.course.claims import claim_document, is_erratum
from tutor.views.course.page import Page
from tutor.views.numbers import full
from tutor.views.worksheet.errata import Chapter, proof

_SLIDE = re.compile(r"\bslides?\s+([0-9]+)", re.IGNORECASE)
_LAST = 10**6


class Erratum(Struct):
    """One statement of the source: where it stands, what it says, what is thought of it, and why."""

    number: int
    where: str
    says: str
    verdict: str
    printed: str
    correct: str
    proof: str
    lesson: str


def of_worksheet(lesson: str, chapter: Chapter) -> Iterator[Erratum]:
    """The values and labels that are printed wrongly in a worked example."""
    for row in chapter.wrong():
        where = row.place or chapter.source
        shown = " = ".join(proof(chapter, row))
        why = f"{shown}. {row.note}".strip()
        yield Erratum(0, where, f"{row.name} = {row.printed}", "wrong", row.printed, full(row.exact, 8), why, lesson)
    for label in chapter.labels:
        yield Erratum(0, label.place, label.printed, "wrong", label.printed, label.correct, label.why, lesson)


def of_claims(lesson: str, page: Page) -> Iterator[Erratum]:
    """The claims of a lesson that are wrong, or depend."""
    for block in page.course.blocks:
        if block.kind == "claim" and is_erratum(block.spec):
            with page.placed(block):
                told = claim_document(block.spec, page.finding(block), page.values)
            shown = " ".join([*told.proof, told.why] if told.why not in told.proof else told.proof)
            yield Erratum(0, told.where, told.says, told.verdict, told.printed, told.correct, shown, lesson)


def in_order(found: Iterable[Erratum]) -> list[Erratum]:
    """By slide, then as the lessons have them, and numbered so."""
    ordered = sorted(found, key=lambda one: _slide(one.where))
    return [structs.replace(one, number=number) for number, one in enumerate(ordered, 1)]


def _slide(where: str) -> int:
    found = _SLIDE.search(where)
    return int(found[1]) if found else _LAST
