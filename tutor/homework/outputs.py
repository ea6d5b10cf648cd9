"""Where the results of a class go: every file that was asked for, written sheet by sheet."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tutor.errors import TutorError
from tutor.harmless import file_name
from tutor.homework import gradebook
from tutor.homework.gradebook import Gradebook, student_of
from tutor.homework.report import Document
from tutor.read_files import real_path
from tutor.whole_files import written_whole


@dataclass(frozen=True)
class Wanted:
    """The files asked for. With `single` there is one sheet, so that its results go into one file, not a folder."""

    title: str
    single: bool
    gradebook: Path | None = None
    platform: str = "plain"
    gradescope: Path | None = None
    prairielearn: Path | None = None
    feedback: Path | None = None
    sheets: Sequence[Path] = ()


class Outputs:
    """Open while a class is marked; nothing that it writes is ever found half-written."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self._stack = ExitStack()
        self._book: Gradebook | None = None
        self._taken: set[str] = set()

    def __enter__(self) -> Outputs:
        self._spare_the_sheets()
        folders = [self.wanted.feedback]
        if not self.wanted.single:
            folders += [self.wanted.gradescope, self.wanted.prairielearn]
        for folder in filter(None, folders):
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise TutorError(f"the folder {str(folder)!r} cannot be made: {error.strerror}") from None
        if self.wanted.gradebook is not None:
            file = self._stack.enter_context(written_whole(self.wanted.gradebook))
            self._book = Gradebook(file, self.wanted.platform, self.wanted.title)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def _spare_the_sheets(self) -> None:
        """Nothing is written over a sheet, or among the sheets, where it would be marked the next time."""
        sheets = {real_path(path) for path in self.wanted.sheets}
        folders = {str(Path(path).parent) for path in sheets}
        files = [
            self.wanted.gradebook,
            *([self.wanted.gradescope, self.wanted.prairielearn] if self.wanted.single else []),
        ]
        for file in filter(None, files):
            if real_path(file) in sheets:
                raise TutorError(f"{str(file)!r} is one of the sheets; name another file")
        several = [
            self.wanted.feedback,
            *([] if self.wanted.single else [self.wanted.gradescope, self.wanted.prairielearn]),
        ]
        for folder in filter(None, several):
            if real_path(folder) in folders:
                raise TutorError(f"{str(folder)!r} has the sheets in it; name another folder")

    def add(self, sheet: Document) -> None:
        """Write whatever was asked for about one sheet; of a file that is no sheet, why it could not be marked."""
        if self._book is not None:
            self._book.add(sheet)
        name = file_name(student_of(sheet), self._taken)
        for folder, made in (
            (self.wanted.gradescope, gradebook.gradescope),
            (self.wanted.prairielearn, gradebook.prairielearn),
        ):
            if folder is not None:
                gradebook.write_json(folder if self.wanted.single else folder / f"{name}.json", made(sheet))
        if self.wanted.feedback is not None:
            gradebook.write_text(self.wanted.feedback / f"{name}.md", gradebook.feedback(sheet))
