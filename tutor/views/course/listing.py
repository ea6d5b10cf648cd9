"""The course as it is listed: part by part, with minutes and progress."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from tutor.course.progress import Progress, done_of
from tutor.errors import counted
from tutor.lessons.format import Header, ListedLesson
from tutor.views.blocks import Block, Column, Heading, Kind, Row, Table

_NO_PART = "Other lessons"


def listed(lessons: Sequence[tuple[str, Header]], progress: Progress) -> list[ListedLesson]:
    return [
        ListedLesson(name, header.title, header.source, header.part, header.minutes, done_of(progress, name))
        for name, header in lessons
    ]


def listing_blocks(lessons: Sequence[ListedLesson]) -> Iterator[Block]:
    """A table for each part of the course, in the order of its first lesson."""
    order = list(dict.fromkeys(lesson.part for lesson in lessons))
    for part, group in groupby(sorted(lessons, key=lambda one: order.index(one.part)), key=lambda one: one.part):
        if order != [""]:
            yield Heading(part or _NO_PART)
        yield _table(list(group), any(lesson.done is not None for lesson in lessons))


def _table(lessons: Sequence[ListedLesson], with_progress: bool) -> Table:
    columns = [Column("lesson", Kind.NAME), Column("title"), Column("minutes", Kind.NUMBER)]
    columns += [Column("read", Kind.NUMBER)] if with_progress else []
    rows = []
    for lesson in lessons:
        minutes = "" if lesson.minutes is None else str(lesson.minutes)
        read = "" if lesson.done is None else f"{100 * lesson.done:.0f}%"
        told = [
            lesson.title,
            counted(lesson.minutes, "minute") if lesson.minutes else "",
            f"{read} read" if read else "",
        ]
        cells = [lesson.name, lesson.title, minutes, *([read] if with_progress else [])]
        rows.append(Row(tuple(cells), f"{lesson.name}: {', '.join(filter(None, told))}."))
    return Table(tuple(columns), tuple(rows))
