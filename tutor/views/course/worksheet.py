"""A worksheet within a lesson: all of it, or what its block says is to be shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tutor.errors import nearest
from tutor.formulas.names import find_name
from tutor.views.blocks import Block, Break, Calculations, Heading, Level
from tutor.views.worksheet import page
from tutor.views.worksheet.epochs import epochs
from tutor.views.worksheet.model import WorksheetView
from tutor.worksheet.step import STAGES

PIECES = ("picture", "conventions", "derivations", "epochs", "changes", "printed")
"""What may be shown beside stages and single quantities."""


def check_show(show: Sequence[str], view: WorksheetView) -> None:
    """Raises TutorError for a word that is no piece, no stage and no quantity."""
    from tutor.errors import TutorError

    for word in show:
        if word not in (*PIECES, *STAGES):
            try:
                find_name(word, view.worksheet.names)
            except TutorError:
                known = [*PIECES, *STAGES, *view.worksheet.names]
                raise TutorError(f"show: a worksheet has no {word[:60]!r}{nearest(word, known)}") from None


def shown_worksheet(view: WorksheetView, show: Sequence[str] | None, title: str = "") -> Iterator[Block]:
    """The worksheet, whole where nothing is said; else its pieces in the order of the worksheet. An empty list is for
    one that only gives the text its numbers."""
    if show is not None and not show:
        return
    if title:
        yield Heading(title, Level.LINES)
    if show is None:
        yield from page.worksheet(view)
        return
    if "conventions" in show:
        yield from page.introduction(view) if "picture" in show else list(page.introduction(view))[:1]
    elif "picture" in show:
        yield from page.setting(view)
    yield from _steps(view, show)
    if "epochs" in show and view.by_perceptron_rule:
        yield from epochs(view)
    if "printed" in show:
        yield from page.checks(view)
    if "changes" in show:
        yield from page.outcome(view)
    if "printed" in show:
        yield from page.legend(view)


def _steps(view: WorksheetView, show: Sequence[str]) -> Iterator[Block]:
    """The stages and the quantities that are to be shown, and how derivatives come out."""
    stages = [word for word in show if word in STAGES]
    single = {find_name(word, view.worksheet.names) for word in show if word not in (*PIECES, *STAGES)}
    derived = "derivations" not in show
    for part, stage, steps in view.parts():
        if view.by_perceptron_rule and part != view.worksheet.steps[0].part and not single:
            break
        wanted = [step for step in steps if stage in stages or step.name in single]
        if wanted:
            if stage in stages:
                yield Break()
                yield Heading(view.title(part, stage), Level.LINES)
            beginning, others = view.beginning(wanted)
            yield Calculations(tuple(page.calculation(view, step) for step in beginning), others)
        if stage == "partial" and not derived:
            yield from page.derivations(view)
            derived = True
