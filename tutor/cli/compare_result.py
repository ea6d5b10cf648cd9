"""What came out of a comparison, put together for the page, the figure and the documents."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from tutor.cli import tell
from tutor.cli.figure import PICTURE
from tutor.errors import TutorError
from tutor.files import Kind, Target, write_whole

if TYPE_CHECKING:
    from tutor.cli.compare_rows import Compared
    from tutor.experiments.candidates import Candidate
    from tutor.experiments.experiment import Run
    from tutor.experiments.paths import Plane as PathPlane
    from tutor.experiments.report import Final
    from tutor.experiments.summary import Comparison
    from tutor.training.plane import Plane
    from tutor.training.settings import Settings
    from tutor.views.blocks import Block

Draw = Annotated[
    Literal["curves", "paths", "regions"] | None,
    typer.Option(
        help="The picture: curves of the loss; paths of the two parameters of a function, on its level lines; regions "
        "that each network takes for what, with the first seed, and the examples in them."
    ),
]
Figure = Annotated[
    Path | None, typer.Option("--figure", metavar="FILE", help="Write the picture of --draw as .svg, too.")
]
_FIGURE = Kind("a picture", PICTURE)


def figure_target(path: Path | None) -> list[Target]:
    """Where the picture goes. Raises TutorError where no picture can be written there."""
    if path is None:
        return []
    if path.suffix.lower() != ".svg":
        raise TutorError(f"--figure {str(path)!r}: give it the ending .svg; the numbers are those of --json and --csv")
    return [Target("--figure", path, _FIGURE)]


def drawn_of(candidates: Sequence[Candidate], draw: str | None) -> list[str]:
    """The pictures on the screen, the last of which is that of the file. Raises TutorError where there is nothing of
    the kind to be drawn."""
    from tutor.experiments.paths import why_no_path

    why = next(filter(None, (why_no_path(one.source) for one in candidates)), "")
    if draw == "paths" and why:
        raise TutorError(f"--draw paths: {why}")
    if draw == "regions" and (lacking := next(filter(None, map(_no_plane, candidates)), "")):
        raise TutorError(f"--draw regions: {lacking}")
    return [draw] if draw else ["curves", *([] if why else ["paths"])]


def _no_plane(candidate: Candidate) -> str:
    from tutor.training.plane import why_no_plane

    return why_no_plane(candidate.subject.inputs, candidate.subject.classes)


def regions_of(candidates: Sequence[Candidate], comparison: Comparison) -> list[Plane]:
    """The plane of every setting that has ended, by its letter, made once more with the first seed."""
    from msgspec.structs import replace

    from tutor.experiments.trained import Trained, set_up, train
    from tutor.views.comparison import letter

    found = []
    for place, (one, summary) in enumerate(zip(candidates, comparison.summaries, strict=True)):
        if summary.outcomes:
            trainer = set_up(one.runs(1, ())[0])
            row = Trained(letter(place), trainer, train(trainer))
            plane = row.plane(row.last)
            found += [] if plane is None else [replace(plane, title=letter(place))]
    return found


def final_of(compared: Compared, comparison: Comparison, base: Settings, runs: Sequence[Run]) -> Final:
    """The command of the best setting, and what that comes to on the test part where there is one."""
    from tutor.experiments.experiment import Source, measured_on_test
    from tutor.experiments.report import Final

    best = comparison.best
    if best is None:
        return Final()
    given, first = compared.candidates[best].given, runs[best * (len(runs) // len(compared.candidates))]
    tested = None
    if base.test and comparison.complete and isinstance(first.source, Source):
        tested = measured_on_test(first.source, first.settings)
    return Final(compared.places[best].command({**given, "seed": base.seed}), tested)


def paths_of(candidates: Sequence[Candidate], comparison: Comparison) -> list[PathPlane]:
    """Those of every setting that has ended."""
    from tutor.experiments.experiment import OfFunction
    from tutor.experiments.paths import path_of, planes_of
    from tutor.experiments.search import called

    return planes_of(
        [
            (one.source, path_of(called(summary.setting), outcome.path, outcome.diverged))
            for one, summary in zip(candidates, comparison.summaries, strict=True)
            for outcome in summary.outcomes[:1]
            if isinstance(one.source, OfFunction)
        ]
    )


def write_figure(path: Path | None, shown: Iterable[Block], lacking: str) -> None:
    """Write the pictures among these blocks, where that is asked for; `lacking` says why there may be none."""
    from tutor.printers.svg import Picture, svg

    if path is None:
        return
    if not (pictures := [block for block in shown if isinstance(block, Picture)]):
        tell(f"{lacking}, so there is nothing to be drawn in {path}.")
        return
    write_whole(path, svg(*pictures))
    tell(f"The picture is in {path}.")
