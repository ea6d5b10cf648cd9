"""`tutor compare`: the same training with several settings, several seeds each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tutor.cli.app import Force, command
from tutor.cli.course import compare_in_lesson
from tutor.cli.data_options import NAMED, Drop, Label, MissingName, TaskName, known_task, treatment_typed
from tutor.cli.lessons import Json
from tutor.cli.train import use_one_thread
from tutor.cli.vary_option import command_line, read_variations
from tutor.errors import TutorError
from tutor.files import STDOUT, Kind, claim, printed_too, write_whole
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.experiments.search import Setting, Varied
    from tutor.training.settings import Settings


Vary = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME=VALUES",
        help="An option of `tutor train` and its values; may be given several times.",
    ),
]
Seeds = Annotated[
    int | None, typer.Option(min=1, max=10_000, help="Runs of each setting: --seed, the next number, …; 3 of them.")
]
_SEEDS = 3
_LESSON = typer.Argument(metavar="LESSON/EXPERIMENT", help="An experiment of a lesson; options overrule its settings.")
Trials = Annotated[int | None, typer.Option(min=1, max=10_000, help="Settings that --search random draws.")]
Search = Annotated[Literal["grid", "random"], typer.Option(help="Every combination, or some drawn at random.")]
Jobs = Annotated[int | None, typer.Option(min=1, max=256, help="Processes; as many as processors unless given.")]
Table = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write a CSV with one row a run; - is stdout.")
]
Times = Annotated[bool, typer.Option("--times", help="Show how long the updates of a run take.")]
_INTERRUPTED = 130
RATES_TRIED = (
    "No rates are given, so every optimizer is tried with a few around its own, and stands at the best of them; "
    "--vary learning-rate=0.1,0.01 takes others, --learning-rate 0.1 one for all."
)


@command()
def compare(
    printer: Printer,
    given: dict[str, Any],
    lesson: Annotated[str | None, _LESSON] = None,
    data: Annotated[str | None, NAMED] = None,
    vary: Vary = None,
    seeds: Seeds = None,
    search: Search = "grid",
    trials: Trials = None,
    jobs: Jobs = None,
    label: Label = None,
    task: TaskName = None,
    drop: Drop = None,
    missing: MissingName = None,
    csv: Table = None,
    force: Force = False,
    times: Times = False,
    json_output: Json = False,
) -> None:
    """Train with several settings, several seeds each, and compare what comes out.

    `tutor compare momentum/race` runs an experiment of a lesson, and what is given here overrules what stands there.

    Try `tutor compare --data moons --vary optimizer=sgd,adam --vary learning-rate=0.1,0.01`: every combination.

    Where a value has commas itself, separate values by |: --vary 'hidden=16|32,16'. Switches are true or false; none is
    what is left to the data. Every option of `tutor train` holds for all runs.

    The spread is the standard deviation over the seeds, with n - 1. The best setting has the lowest mean validation
    loss where --validation holds examples out, else the lowest training loss; where --test does, it is trained once
    more and measured on these.

    With --search random --trials 20 --validation 0.2, --vary learning-rate=0.001..0.1 draws between two ends:
    log-uniformly where both are positive; uniformly from 0, for shares such as dropout, and for whole numbers.
    """
    if lesson is not None:
        if data or vary or csv or trials:
            raise TutorError(
                "an experiment of a lesson has its own data and rows; leave out --data, --vary and the like"
            )
        compare_in_lesson(lesson, printer, given, seeds, json_output)
        return
    if data is None:
        raise TutorError("say what to train on: --data moons, or an experiment of a lesson such as momentum/race")
    seeds = seeds or _SEEDS
    use_one_thread()  # a process is a job, and how many threads share a product may change its last bits
    from tutor.data.source import files_of, source_of
    from tutor.experiments.experiment import Run, Source, checked, measured_on_test, run_all
    from tutor.experiments.report import About, Final, report
    from tutor.experiments.search import with_rates
    from tutor.experiments.summary import compare as summarised
    from tutor.experiments.summary import measure_to_rank_by
    from tutor.printers.progress import counting
    from tutor.results import as_json
    from tutor.training.settings import Settings
    from tutor.views import comparison as view
    from tutor.views.comparison import COLUMNS, rows

    table = Kind("a table of runs", rb"([^\r\n]*,)?" + ",".join(COLUMNS).encode() + rb"(,seconds)?\r\n")
    claim(printed_too("--csv", csv, table, json_output), files_of(data), force)
    varied = read_variations(vary or [])
    base = Settings(**given)
    asked = _settings(varied, search, trials, base)
    settings = with_rates(asked, base.learning_rate, search == "grid")
    remarks = [RATES_TRIED] if len(settings) > len(asked) else []
    known = source_of(data, label, base.seed, known_task(task), treatment_typed(drop, missing))
    source = Source(data, label, known.task, known.treatment)
    shapes = checked(source, base, settings)
    runs = [replace(base, **{**setting, "seed": base.seed + k}) for setting in settings for k in range(seeds)]
    with counting(len(runs), printer.screen, json_output) as watch:
        outcomes = run_all([Run(source, wanted) for wanted in runs], jobs or os.cpu_count() or 1, watch)
    examples = source.load(base.seed)
    comparison = summarised(settings, outcomes, measure_to_rank_by(shapes, base.validation > 0, bool(examples.classes)))
    best, final = comparison.best, Final()
    if best is not None:
        line = command_line(known, {**given, **settings[best], "seed": base.seed})
        tested = measured_on_test(source, runs[best * seeds]) if base.test and comparison.complete else None
        final = Final(line, tested)
    if csv is not None:
        write_whole(csv, rows(comparison, times, "\n" if str(csv) == STDOUT else "\r\n"))
    about = About(
        examples.name,
        base,
        search,
        seeds,
        [*settings[0]],
        times,
        [*examples.remarks, *remarks],
    )
    if json_output:
        print(as_json(report(about, comparison, final)))
    elif str(csv) != STDOUT:
        printer.show(view.comparison_page(about, comparison, final))
    if not comparison.complete or (base.test and best is not None and final.tested is None):
        raise typer.Exit(_INTERRUPTED)


def _settings(varied: Sequence[Varied], search: str, trials: int | None, base: Settings) -> list[Setting]:
    """Raises TutorError where the search does not go with the other options."""
    from tutor.experiments.search import drawn, grid

    if search == "grid":
        if trials is not None:
            raise TutorError("--trials is how many settings --search random draws; add that, or leave --trials out")
        return grid(varied)
    if not varied:
        raise TutorError("--search random needs something to draw, as in --vary learning-rate=0.001..0.1")
    if trials is None:
        raise TutorError("--search random needs to know how many settings to draw, as in --trials 20")
    if not base.validation:
        raise TutorError("--search random chooses by the validation loss; hold something out with --validation 0.2")
    return drawn(varied, trials, base.seed)
