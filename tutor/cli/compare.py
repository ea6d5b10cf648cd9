"""`tutor compare`: the same training with several settings, several seeds each."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from tutor.cli.app import Force, command
from tutor.cli.compare_result import Draw, Figure, drawn_of, figure_target, final_of, paths_of, regions_of, write_figure
from tutor.cli.compare_rows import in_rows, is_experiment, measures_typed, place_asked, varied
from tutor.cli.course import compare_in_lesson
from tutor.cli.data_options import NAMED, ClassNames, Drop, Label, MissingName, TaskName, preprocessing_typed
from tutor.cli.lessons import Json
from tutor.errors import TutorError
from tutor.experiments.measures import EXAMPLE, names_of_measures
from tutor.files import STDOUT, Kind, claim, printed_too, write_whole
from tutor.printers import Printer

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
_LESSON = typer.Argument(
    metavar="LESSON", help="A lesson, or its experiment or worksheet as LESSON/NAME; options overrule its settings."
)
Trials = Annotated[int | None, typer.Option(min=1, max=10_000, help="Settings that --search random draws.")]
Search = Annotated[Literal["grid", "random"], typer.Option(help="Every combination, or some drawn at random.")]
Jobs = Annotated[int | None, typer.Option(min=1, max=256, help="Processes; as many as processors unless given.")]
Dask = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS",
        help="Send the runs to a Dask cluster that you trust, as in tcp://10.0.0.5:8786, in place of --jobs.",
    ),
]
Table = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write a CSV with one row a run; - is stdout.")
]
Times = Annotated[bool, typer.Option("--times", help="Show how long the updates of a run take.")]
_INTERRUPTED = 130
Rows = Annotated[
    list[str] | None,
    typer.Option(
        "--row",
        metavar="'NAME: OPTION=VALUE …'",
        help="A setting of its own, in place of --vary; data= and worksheet= may stand in it, too.",
    ),
]
Columns = Annotated[
    str | None,
    typer.Option(
        metavar="NAME,…",
        help=f"Measures to stand in the table, as in '{EXAMPLE}': {names_of_measures()}.",
    ),
]
LayersToo = Annotated[bool, typer.Option("--layers", help="Also compare the networks layer by layer, at their end.")]
_TRAINED_ON = "say what to train on: --data moons, or a lesson such as mlp or momentum/race"


@command()
def compare(
    printer: Printer,
    given: dict[str, Any],
    lesson: Annotated[str | None, _LESSON] = None,
    data: Annotated[str | None, NAMED] = None,
    vary: Vary = None,
    row: Rows = None,
    seeds: Seeds = None,
    search: Search = "grid",
    trials: Trials = None,
    jobs: Jobs = None,
    dask: Dask = None,
    label: Label = None,
    task: TaskName = None,
    drop: Drop = None,
    missing: MissingName = None,
    classes: ClassNames = None,
    csv: Table = None,
    force: Force = False,
    times: Times = False,
    columns: Columns = None,
    layers: LayersToo = False,
    draw: Draw = None,
    figure: Figure = None,
    json_output: Json = False,
) -> None:
    """Train with several settings, several seeds each, and compare what comes out.

    `tutor compare momentum/race` runs an experiment of a lesson, and what is given here overrules what stands there.

    Try `tutor compare --data moons --vary optimizer=sgd,adam --vary learning-rate=0.1,0.01`: every combination.

    `tutor compare mlp --vary optimizer=sgd,adam` trains the network of a lesson on its own examples, LESSON/WORKSHEET
    that of a worksheet; one that minimises a function is compared by its value at the end. Rows that differ in more
    than one way have names: --row 'plain: optimizer=sgd learning-rate=0.1' --row 'deep: hidden=8,8 data=circles'.

    Where a value has commas itself, separate values by |: --vary 'hidden=16|32,16'. Switches are true or false; none is
    what is left to the data. Every option of `tutor train` holds for all runs.

    The spread is the standard deviation over the seeds, with n - 1. The best setting has the lowest mean validation
    loss where --validation holds examples out, else the lowest training loss; where --test does, it is trained once
    more and measured on these.

    Where one machine is outgrown, --dask ADDRESS sends the runs to the workers of a Dask cluster, which have this
    program and find the same files in the same places; what comes out is the same, byte for byte. It needs
    `pip install distributed`.

    With --search random --trials 20 --validation 0.2, --vary learning-rate=0.001..0.1 draws between two ends:
    log-uniformly where both are positive; uniformly from 0, for shares such as dropout, and for whole numbers.
    """
    if dask is not None and jobs is not None:
        raise TutorError("--jobs is how many processes of this machine work; leave it out, or leave out --dask")
    processes = jobs or os.cpu_count() or 1
    if row and (vary or trials or search != "grid"):
        raise TutorError("--row names each setting itself; leave out --vary, --search and --trials, or leave out --row")
    if lesson is not None and is_experiment(lesson, bool(vary or row)):
        own = {"--data": data, "--vary": vary, "--row": row, "--search": search != "grid", "--trials": trials,
               "--label": label, "--task": task, "--drop": drop, "--missing": missing, "--classes": classes,
               "--csv": csv, "--times": times, "--columns": columns, "--layers": layers, "--draw": draw}  # fmt: skip
        if extra := [name for name, there in own.items() if there]:
            raise TutorError(
                f"an experiment of a lesson has its own data and rows, and says what is shown; leave out {extra[0]}"
            )
        claim(figure_target(figure), [], force)
        shown = compare_in_lesson(lesson, printer, given, seeds, processes, dask, json_output, figure is not None)
        write_figure(figure, shown, "`show` of the experiment asks for no picture")
        return
    from tutor.data.source import files_of
    from tutor.experiments.candidates import check_measures, measure_to_rank_by, measures_of_layers
    from tutor.experiments.experiment import run_all
    from tutor.experiments.report import About, report
    from tutor.experiments.resampling import decomposed
    from tutor.experiments.summary import compare as summarised
    from tutor.printers.progress import counting
    from tutor.results import as_json
    from tutor.training.settings import Settings
    from tutor.views.comparison import COLUMNS, comparison_page, picture, rows

    table = Kind("a table of runs", rb"([^\r\n]*,)?" + ",".join(COLUMNS).encode() + rb"(,[^\r\n]*)?\r\n")
    outputs = [*printed_too("--csv", csv, table, json_output), *figure_target(figure)]
    claim(outputs, [] if data is None else files_of(data), force)
    base, preprocessing = Settings(**given), preprocessing_typed(drop, missing, classes)
    usual = place_asked(lesson, data, label, task, preprocessing, base.seed)
    if row:
        compared = in_rows(usual, given, row, preprocessing)
    elif usual is None:
        raise TutorError(_TRAINED_ON)
    else:
        compared = varied(usual, given, base, vary or [], search, trials)
    candidates, columns_asked = compared.candidates, measures_typed(columns)
    check_measures(candidates, columns_asked)
    drawn = drawn_of(candidates, draw)
    seeds = seeds or (_SEEDS if any(one.is_random for one in candidates) else 1)
    measures = [*columns_asked, *(measures_of_layers(candidates) if layers else [])]
    runs = [run for one in candidates for run in one.runs(seeds, measures)]
    with counting(len(runs), printer.screen, json_output) as watch:
        outcomes = decomposed(run_all(runs, processes, watch, dask), seeds)
    ranked_by, unranked = measure_to_rank_by(candidates, base.validation > 0)
    comparison = summarised([one.shown for one in candidates], outcomes, ranked_by)
    final = final_of(compared, comparison, base, runs)
    about = About(
        compared.title,
        base,
        search,
        seeds,
        [*candidates[0].shown],
        times,
        compared.remarks,
        unranked,
        all(one.subject.depth == 0 for one in candidates),
        columns_asked,
        layers,
        drawn,
        paths_of(candidates, comparison) if "paths" in drawn else [],
        regions_of(candidates, comparison) if "regions" in drawn else [],
    )
    if csv is not None:
        write_whole(csv, rows(about, comparison, "\n" if str(csv) == STDOUT else "\r\n"))
    if json_output:
        print(as_json(report(about, comparison, final)))
    elif str(csv) != STDOUT:
        printer.show(comparison_page(about, comparison, final))
    write_figure(figure, picture(drawn[-1], about, comparison), "No training got as far as a second epoch")
    if not comparison.complete or (base.test and comparison.best is not None and final.tested is None):
        raise typer.Exit(_INTERRUPTED)
