"""The marks of an earlier time, as `tutor check --json` printed them: whose have changed since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from tutor.errors import TutorError
from tutor.homework.students import student_of
from tutor.marking.report import NotMarked, Report
from tutor.read_files import read_any_encoding

_LARGEST = 500_000_000


class Change(Struct, omit_defaults=True, kw_only=True):
    """A sheet whose mark has changed; null is none. `why` says why it has none now."""

    sheet: str
    student: str
    before: int | float | None
    after: int | float | None
    before_of: int | float | None
    after_of: int | float | None
    why: str = ""


class _Sheet(Struct):
    """What is needed of an earlier sheet."""

    sheet: str
    student: str | None = None
    score: int | float | None = None
    max_score: int | float | None = None


class _Checked(Struct):
    sheets: list[_Sheet]


class Earlier:
    """The marks of then, by the file of each sheet, or by its student where the file has another name now."""

    def __init__(self, path: Path) -> None:
        """Raises TutorError for what `tutor check --json` has not printed."""
        text = read_any_encoding(path, _LARGEST, "result of an earlier check")
        try:
            sheets = msgspec.convert(json.loads(text), _Checked).sheets
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise TutorError(f"{str(path)!r} is no result of `tutor check --json`") from None
        self.path = path
        self._by_file = {sheet.sheet: sheet for sheet in sheets}
        self._by_student = {sheet.student: sheet for sheet in sheets if sheet.student}

    def changes(self, sheet: Report) -> Iterator[Change]:
        """What has changed for this sheet, if anything has; of one that was not there, nothing."""
        then = self._by_file.get(sheet.sheet) or self._by_student.get(sheet.student or "")
        if then is None:
            return
        score, of = (None, None) if isinstance(sheet, NotMarked) else (sheet.score, sheet.max_score)
        if (score, of) != (then.score, then.max_score):
            yield Change(
                sheet=sheet.sheet,
                student=student_of(sheet),
                before=then.score,
                after=score,
                before_of=then.max_score,
                after_of=of,
                why=sheet.why if isinstance(sheet, NotMarked) else "",
            )
