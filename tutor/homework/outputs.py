"""Where the results of a class go: every file that was asked for, written sheet by sheet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from tutor.errors import TutorError
from tutor.files import Target, claim, make_folder, write_whole, written
from tutor.harmless import file_name, for_json
from tutor.homework import gradebook
from tutor.homework.earlier import keep
from tutor.homework.gradebook import Gradebook, student_of
from tutor.marking.report import Report, SheetReport
from tutor.read_files import real_path

_LARGEST_RESULT = 900_000


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

    @property
    def targets(self) -> list[Target]:
        """Each of them, as one that has to be free."""
        many = "" if self.single else "*.json"
        found = (
            ("--gradebook", self.gradebook, gradebook.book_kind(self.platform, self.title), ""),
            ("--gradescope", self.gradescope, gradebook.GRADESCOPE, many),
            ("--prairielearn", self.prairielearn, gradebook.PRAIRIELEARN, many),
            ("--feedback", self.feedback, gradebook.FEEDBACK, "*.md"),
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


class Outputs:
    """Open while a class is marked; nothing that it writes is ever found half-written."""

    def __init__(self, wanted: Wanted, feedback: Callable[[Report], str]) -> None:
        """`feedback` writes the page of Markdown for whoever handed in a sheet."""
        self.wanted = wanted
        self._feedback = feedback
        self._stack = ExitStack()
        self._book: Gradebook | None = None
        self._taken: set[str] = set()

    def __enter__(self) -> Outputs:
        for output in self.wanted.targets:
            if output.files:
                make_folder(output.path)
        if self.wanted.gradebook is not None:
            file = self._stack.enter_context(written(self.wanted.gradebook))
            self._book = Gradebook(file, self.wanted.platform, self.wanted.title)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add(self, sheet: Report) -> None:
        """Write whatever was asked for about one sheet; of a file that is no sheet, why it could not be marked."""
        if self._book is not None:
            self._book.add(sheet)
        name, wanted = file_name(student_of(sheet), self._taken), self.wanted
        if (wanted.gradescope, wanted.prairielearn, wanted.feedback) == (None, None, None):
            return
        told = self._feedback(sheet)
        if len(told) > _LARGEST_RESULT:
            told = f"{told[:_LARGEST_RESULT]}\n\nThe rest is too long to be shown.\n"
        for folder, made in (
            (wanted.gradescope, gradebook.gradescope),
            (wanted.prairielearn, gradebook.prairielearn),
        ):
            if folder is not None:
                write_whole(folder if wanted.single else folder / f"{name}.json", for_json(made(sheet, told)))
        if wanted.feedback is not None:
            write_whole(wanted.feedback / f"{name}.md", told)
            if isinstance(sheet, SheetReport):
                keep(wanted.feedback, name, sheet)
