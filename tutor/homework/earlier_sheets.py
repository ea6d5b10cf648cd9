"""What a student handed in before: kept beside the feedback, so that a sheet handed in again is marked as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from tutor.errors import TutorError
from tutor.escaping import for_json
from tutor.files import make_folder, write_whole
from tutor.marking.report import SheetReport
from tutor.read_files import is_file, read_text
from tutor.sheets.read import LARGEST_SHEET

FOLDER = "earlier"
_MOST_KEPT = 20
"""Of a sheet that was handed in more often the first one is kept, and the latest."""
Answers = Mapping[str, str]


def kept(feedback: Path, name: str) -> list[Answers]:
    """The sheets that were marked before into this folder, the latest first; none from a file that is not ours."""
    path = _path(feedback, name)
    if not is_file(path):
        return []
    try:
        return list(
            msgspec.json.decode(read_text(path, _MOST_KEPT * LARGEST_SHEET, "earlier sheet"), type=list[dict[str, str]])
        )
    except (TutorError, msgspec.DecodeError):
        return []


def keep(feedback: Path, name: str, sheet: SheetReport) -> None:
    """Add this sheet to those kept, unless it is the same as the last one."""
    before = kept(feedback, name)
    now = with_another(sheet, before)
    if now != before:
        make_folder(feedback / FOLDER)
        write_whole(_path(feedback, name), for_json(now))


def with_another(sheet: SheetReport, before: Sequence[Answers]) -> list[Answers]:
    """The sheets before with this one, the latest first."""
    answers = {cell.name: cell.answer for cell in sheet.cells if cell.answer}
    if answers in before[:1]:
        return [*before]
    return [answers, *before[: _MOST_KEPT - 2], *before[_MOST_KEPT - 2 :][-1:]]


def _path(feedback: Path, name: str) -> Path:
    return feedback / FOLDER / f"{name}.json"
