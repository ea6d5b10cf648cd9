"""Where the results of a class go: every file that was asked for, written sheet by sheet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tutor.errors import TutorError
from tutor.escaping import file_name, for_json
from tutor.files import Target, claim, make_folder, write_whole, written
from tutor.homework import gradebook, platforms
from tutor.homework.earlier_sheets import keep
from tutor.homework.students import Row, student_of
from tutor.marking.report import Report, SheetReport
from tutor.read_files import real_path

_LARGEST_RESULT = 900_000


@dataclass(frozen=True)
class OutputFiles:
    """The files asked for. With `single` there is one sheet, so that its results go into one file, not a folder."""

    title: str
    single: bool
    gradebook: Path | None = None
    platform: str = "plain"
    gradescope: Path | None = None
    prairielearn: Path | None = None
    feedback: Path | None = None
    scale: float = 0.0

    @property
    def targets(self) -> list[Target]:
        """Each of them, as one that has to be free."""
        many = "" if self.single else "*.json"
        found = (
            ("--gradebook", self.gradebook, gradebook.book_kind(self.platform, self.title), ""),
            ("--gradescope", self.gradescope, platforms.GRADESCOPE, many),
            ("--prairielearn", self.prairielearn, platforms.PRAIRIELEARN, many),
            ("--feedback", self.feedback, platforms.FEEDBACK, "*.md"),
        )
        return [Target(option, path, kind, files) for option, path, kind, files in found if path is not None]

    def claim(self, sheets: Sequence[Path], others: Sequence[Path], force: bool) -> None:
        """Raises TutorError where one of them may not be written, or where results would lie among the sheets: there
        they would be marked the next time."""
        folders = {Path(real_path(path)).parent for path in sheets}
        for output in self.targets:
            if output.files and Path(real_path(output.path)) in folders:
                raise TutorError(f"{str(output.path)!r} has the sheets in it; name another folder for {output.option}")
        claim(self.targets, [*sheets, *others], force)

    @property
    def folder(self) -> Path | None:
        """One in which something is written."""
        return next((output.path.parent for output in self.targets), None)


class Outputs:
    """What is written while a class is marked; nothing of it is ever found half-written."""

    def __init__(self, files: OutputFiles, feedback: Callable[[Report], str]) -> None:
        """`feedback` writes the page of Markdown for whoever handed in a sheet."""
        self.files = files
        self._feedback = feedback
        self._taken: set[str] = set()
        for output in files.targets:
            if output.files:
                make_folder(output.path)

    def add(self, sheet: Report) -> None:
        """Write whatever was asked for about one sheet; of one that was not marked, why."""
        name, files = file_name(student_of(sheet), self._taken), self.files
        if (files.gradescope, files.prairielearn, files.feedback) == (None, None, None):
            return
        told = self._feedback(sheet)
        if len(told) > _LARGEST_RESULT:
            told = f"{told[:_LARGEST_RESULT]}\n\nThe rest is too long to be shown.\n"
        if files.gradescope is not None:
            self._write(files.gradescope, name, platforms.gradescope(sheet, told, files.scale))
        if files.prairielearn is not None:
            self._write(files.prairielearn, name, platforms.prairielearn(sheet, told))
        if files.feedback is not None:
            write_whole(files.feedback / f"{name}.md", told)
            if isinstance(sheet, SheetReport):
                keep(files.feedback, name, sheet)

    def _write(self, place: Path, name: str, result: dict[str, Any]) -> None:
        write_whole(place if self.files.single else place / f"{name}.json", for_json(result))

    def finish(self, rows: Iterable[Row]) -> None:
        """The gradebook, once it is known of whom there are several sheets, and of whom none."""
        if self.files.gradebook is not None:
            with written(self.files.gradebook) as file:
                gradebook.write_gradebook(file, self.files.platform, self.files.title, rows, self.files.scale)
