"""Whether a sheet answers this lesson at all: one most of whose names are not on its worksheet is asked about."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache

from tutor.errors import TutorError
from tutor.formulas.names import plain_name
from tutor.lessons.find import lesson_files, read_lesson, worksheet_of
from tutor.sheets.read import HandedIn

_MOST_NAMED = 6


def check_lesson(handed_in: HandedIn) -> None:
    """Raises TutorError for a sheet most of whose names belong elsewhere, with the lesson where that is one of ours."""
    unknown, known = handed_in.unknown, handed_in.answers
    if len(unknown) <= len(known):
        return
    told = "none of its names is" if not known else f"only {len(known)} of its {len(known) + len(unknown)} names are"
    more = f" and {len(unknown) - _MOST_NAMED} more" if len(unknown) > _MOST_NAMED else ""
    named = ", ".join(unknown[:_MOST_NAMED])
    lesson = _where_they_belong([*known, *unknown], len(known))
    asked = f"is it the sheet of {lesson!r}?" if lesson else "is it the sheet of another lesson?"
    raise TutorError(f"{told} on this worksheet, {named}{more} not; {asked}")


def _where_they_belong(names: Collection[str], known: int) -> str:
    """The lesson that has more of the names than this one, and at least half."""
    plain = {plain_name(name.strip().strip("`")[:200]) for name in names}
    found = [(len(plain & theirs), lesson) for lesson, theirs in _names_of_lessons()]
    most, lesson = max(found, default=(0, ""), key=lambda pair: pair[0])
    return lesson if most > known and 2 * most >= len(plain) else ""


@cache
def _names_of_lessons() -> list[tuple[str, frozenset[str]]]:
    return list(_work_names())


def _work_names() -> Iterator[tuple[str, frozenset[str]]]:
    for name in lesson_files():
        try:
            yield name, frozenset(worksheet_of(read_lesson(name)).by_name)
        except TutorError:  # of a lesson that cannot be worked there is no sheet either
            continue
