"""`tutor train`: a network trained on a data set or a lesson, shown as it learns, and kept where it is asked to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tutor.cli import tell
from tutor.cli.after_training import commands_for, lead_on, to_hold_out
from tutor.cli.app import Force, command
from tutor.cli.data_options import (
    NAMED,
    ClassNames,
    Drop,
    Label,
    MissingName,
    TaskName,
    known_task,
    preprocessing_typed,
)
from tutor.cli.figure import Draw, FigureFile, claim_figure, write_figure
from tutor.cli.find_rate import FindRate, growing, show_rates
from tutor.cli.folds import Folds, check_alone, train_in_folds
from tutor.cli.lessons import Json
from tutor.cli.next_commands import print_next
from tutor.cli.run_options import Checkpoint, Explain, InitFrom, LayersWanted, Resume, Save
from tutor.cli.worksheet import lesson_names
from tutor.errors import TutorError
from tutor.files import Target, claim
from tutor.printers import Printer

if TYPE_CHECKING:
    from tutor.data.builtin import Data
    from tutor.data.preprocessing import Preprocessing
    from tutor.data.source import Source
    from tutor.training.trainer import Trainer


def begun(
    lesson: str | None,
    data: str | None,
    label: str | None,
    task: str | None,
    preprocessing: Preprocessing,
    given: Mapping[str, Any],
    origin: Path | None,
    save: Path | None,
    force: bool,
) -> tuple[Source | None, Data, Trainer]:
    """A new training of a lesson or on data, with the weights of the `origin` where there is one; where the data came
    from, the examples, and the trainer."""
    from tutor.data.source import files_of, open_data, source_of
    from tutor.runs.run import origin_of
    from tutor.training.settings import Settings, check
    from tutor.training.setup import set_up

    if (lesson is None) == (data is None):
        raise TutorError("name a lesson, as in `tutor train mlp`, or data, as in --data moons: one of the two")
    if lesson is not None:
        if any((save, label, task, origin)) or preprocessing.is_given:
            said = "--save, --label, --drop, --missing, --classes, --task and --init-from go with --data"
            raise TutorError(f"{said}; a lesson has its network and its examples in its file")
        return None, *_lesson(lesson, given)
    assert data is not None
    _claim(save, [*files_of(data), *([] if origin is None else [origin])], force)
    settings = Settings(**given)
    check(settings, given)
    source = source_of(data, label, settings.seed, known_task(task), preprocessing)
    found = open_data(data, label, settings.seed, source.task, preprocessing)
    return source, found, set_up(found, settings, origin=None if origin is None else origin_of(origin))


def _lesson(name: str, given: Mapping[str, Any]) -> tuple[Data, Trainer]:
    from tutor.lessons.find import read_lesson, slug
    from tutor.training.from_lesson import lesson_trainer

    return lesson_trainer(read_lesson(name), slug(name), given)


def _claim(save: Path | None, inputs: Sequence[Path], force: bool) -> None:
    from tutor.runs.file import RUN, check_ending

    if save is not None:
        check_ending(save)
        claim([Target("--save", save, RUN)], inputs, force)


def gone_on(
    run: Path,
    data: str | None,
    label: str | None,
    task: str | None,
    preprocessing: Preprocessing,
    explain: int | None,
    given: Mapping[str, Any],
    origin: Path | None,
    save: Path | None,
    force: bool,
) -> tuple[Source | None, Data, Trainer]:
    """A saved run that goes on; all but the number of epochs is settled in it."""
    from tutor.data.source import possible_paths
    from tutor.runs.run import go_on, schedule_note
    from tutor.training.settings import option

    _claim(save, [], force)
    own = {
        "data": data,
        "label": label,
        "task": task,
        "drop": preprocessing.drop or None,
        "missing": preprocessing.missing or None,
        "classes": preprocessing.classes or None,
        "init_from": origin,
        "explain": explain,
        **{n: v for n, v in given.items() if n != "epochs"},
    }
    if extra := [option(name) for name, value in own.items() if value is not None]:
        raise TutorError(
            f"{extra[0]} is settled in the saved run; only --epochs, --save and --checkpoint go with --resume"
        )
    source, found, trainer = go_on(run, given.get("epochs"))
    _claim(save or run, possible_paths(source, run), force or save is None)  # it is kept where it was
    if "epochs" in given and (note := schedule_note(trainer.settings)):
        tell(note)
    return source, found, trainer


def keep_checkpoints(
    target: Path | None, every: int | None, source: Source | None, data: Data, trainer: Trainer
) -> None:
    """Have the trainer save the run after every so many epochs. Where that fails it is told, and the training goes
    on: there may be room again the next time, and the last checkpoint is still there."""
    from tutor.runs.run import save_run
    from tutor.training.trainer import Checkpoints, Result

    if every is None:
        return
    if target is None or source is None:
        raise TutorError("--checkpoint is how often the run is saved on the way; add --save FILE")
    file, origin = target, source

    def keep(reached: Result) -> None:
        try:
            save_run(file, origin, data, trainer, reached)
        except TutorError as error:
            tell(f"No checkpoint after epoch {len(reached.history)}: {error}")

    trainer.checkpoints = Checkpoints(every, keep)


def keep(target: Path | None, source: Source | None, data: Data, trainer: Trainer) -> TutorError | None:
    """Save the run before it is shown; why it could not be saved."""
    from tutor.runs.run import save_run

    if source is None or target is None or trainer.result.diverged:
        return None
    try:
        try:
            save_run(target, source, data, trainer)
        except KeyboardInterrupt:  # what has been reached is kept first
            save_run(target, source, data, trainer)
            raise
    except TutorError as error:
        return error
    return None


def tell_how_it_ended(target: Path | None, trainer: Trainer, unsaved: TutorError | None) -> None:
    """Say where the run is, and end with the exit code for how it ended."""
    result = trainer.result
    if unsaved is not None:
        raise unsaved
    if result.diverged:
        if target is not None:
            passed = trainer.checkpoints is not None and trainer.done >= trainer.checkpoints.every
            kept = f"; {target} has the last checkpoint" if passed else f", so nothing was saved in {target}"
            tell(f"The training diverged{kept}.")
        raise typer.Exit(1)
    if result.interrupted:
        if target is None:
            tell("Interrupted, and nothing was kept; with --save FILE it would have been.")
        else:
            tell(f"Interrupted and saved; go on with `tutor train --resume {target}`.")
        raise typer.Exit(130)
    if target is not None:
        tell(f"Saved in {target}.")


_LESSON = typer.Argument(help="A lesson, whose network learns its own examples.", autocompletion=lesson_names)


@command()
def train(
    printer: Printer,
    given: dict[str, Any],
    lesson: Annotated[str | None, _LESSON] = None,
    data: Annotated[str | None, NAMED] = None,
    label: Label = None,
    task: TaskName = None,
    drop: Drop = None,
    missing: MissingName = None,
    classes: ClassNames = None,
    init_from: InitFrom = None,
    explain: Explain = None,
    save: Save = None,
    checkpoint: Checkpoint = None,
    figure: FigureFile = None,
    draw: Draw = None,
    folds: Folds = None,
    force: Force = False,
    resume: Resume = None,
    layers: LayersWanted = False,
    find_rate: FindRate = False,
    json_output: Json = False,
) -> None:
    """Train a network on a data set, or that of a lesson, and see how the loss falls.

    Try `tutor train --data moons`. With `tutor train --data xor` a network learns XOR; with --hidden 1 you see it fail.
    The same seed gives the same bits on every machine; --arithmetic fast is faster, and its last digits may differ
    between machines.

    `tutor train --data xor --hidden 2 --explain 100` shows the worksheet of the hundredth update, from the trainer's
    own weights at that moment.

    In a CSV text and true or false become an input for each word; --drop COLUMN leaves a column out, --missing mean
    fills gaps, --label a,b learns several columns, and --target-scale helps where values to predict are large.

    With --layers you look inside: how far the gradient reaches, which units are dead or saturated, how much the weights
    of every layer change.

    `tutor train --data moons --optimizer sgd --find-rate` looks for a learning rate: it grows from update to update,
    and a tenth of the one at which the loss is lowest is suggested.

    With --init-from FILE a network begins with what another one has learned, and --freeze 1 keeps its first layer:
    `tutor train --data digits --classes 0,1,2,3,4 --save five.npz`, then `tutor train --data digits --classes 5,6,7
    --init-from five.npz --freeze 1`.

    With --save FILE the run is kept: `tutor train --resume FILE` goes on to the same bits as if it had never stopped,
    `tutor predict FILE` uses the network, `tutor export FILE` writes it as a script. With --checkpoint 100 it is also
    kept after every 100 epochs, so that no more than those are lost where the machine stops.
    """
    from tutor.data.source import possible_paths
    from tutor.printers.progress import watching
    from tutor.results import as_json
    from tutor.runs.run import check_can_save
    from tutor.training.advice import advice
    from tutor.training.layer_measures import watch_layers
    from tutor.training.measures import measures_of
    from tutor.training.obstacles import Advice
    from tutor.training.report import AdviceReport, report
    from tutor.training.results import confusion, plane
    from tutor.views.training import training_page

    preprocessing = preprocessing_typed(drop, missing, classes)
    if find_rate:
        others = {
            "--folds": folds,
            "--resume": resume,
            "--explain": explain,
            "--save": save,
            "--checkpoint": checkpoint,
        }
        settings = growing(lesson, given, {**others, "--figure": figure, "--draw": draw, "--layers": layers})
        source, examples, trainer = begun(lesson, data, label, task, preprocessing, settings, init_from, None, force)
        again = commands_for(Advice("", "", ({},)), lesson, source, given, None, trainer, init_from)
        show_rates(examples, trainer, again[0], printer, json_output)
        return
    if folds is not None:
        own = {"a lesson": lesson, "--explain": explain, "--save": save, "--checkpoint": checkpoint}
        own |= {"--init-from": init_from, "--figure": figure, "--draw": draw, "--resume": resume}
        check_alone({**own, "--layers": layers or None})
    if resume is not None:
        own_data = lesson or data
        source, examples, trainer = gone_on(
            resume, own_data, label, task, preprocessing, explain, given, init_from, save, force
        )
    else:
        source, examples, trainer = begun(lesson, data, label, task, preprocessing, given, init_from, save, force)
    if folds is not None and source is not None:
        train_in_folds(source, trainer.settings, folds, printer, json_output)
        return
    whole = {"--figure": figure is not None, "--layers": layers}
    if explain is not None and (extra := [name for name, there in whole.items() if there]):
        raise TutorError(
            f"{extra[0]} is about a whole training, and --explain shows one update in its place; leave one of them out"
        )
    claim_figure(figure, draw, trainer, [] if source is None else possible_paths(source, resume or Path()), force)
    if target := save or resume:
        check_can_save(target, trainer)
    if explain is not None:
        _explain(examples.name, trainer, explain, printer, json_output)
        return
    keep_checkpoints(target, checkpoint, source, examples, trainer)
    inside = watch_layers(trainer) if layers else []
    with watching(trainer.settings.epochs, printer.screen, json_output) as watch:
        result = trainer.run(watch)
        unsaved = keep(target, source, examples, trainer)  # before anything is shown: the terminal may be gone
    advised = advice(trainer, result)
    ways = [] if advised is None else commands_for(advised, lesson, source, given, resume, trainer, init_from)
    if json_output:
        told = (
            None if advised is None else AdviceReport(advised.kind, advised.seen, [" ".join(words) for words in ways])
        )
        print(as_json(report(examples, trainer, result, told, inside)))
    else:
        shown = None if advised is None else (advised.seen, ways)
        measured, held = measures_of(trainer), 0.0 if source is None or resume else to_hold_out(trainer)
        seen = confusion(trainer), plane(trainer)
        printer.show(training_page(examples, trainer, result, *seen, shown, measured, inside, held))
    write_figure(figure, draw, trainer)
    tell_how_it_ended(target, trainer, unsaved)
    if not json_output:
        lead_on(lesson, source, label, target, trainer, printer)


def _explain(name: str, trainer: Trainer, number: int, printer: Printer, json_output: bool) -> None:
    """The worksheet of one update in the place of the results of all."""
    from tutor.results import as_json
    from tutor.training.explain_update import explained
    from tutor.views.update import DIGITS, update_page
    from tutor.views.worksheet.document import update_document
    from tutor.views.worksheet.model import WorksheetView

    worksheet, trained = explained(trainer, number)
    if json_output:
        print(as_json(update_document(name, number, WorksheetView(worksheet, DIGITS), trained)))
    else:
        printer.show(update_page(name, number, worksheet, trained, trainer.settings.arithmetic))
        print_next(printer, "train explained", name=worksheet.conventions.optimizer)
