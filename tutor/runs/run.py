"""Saved runs: everything that a training is and has become, to go on with it to the same bits, or to use its network.

Shuffles and masks are drawn from the seed and the number of the epoch, so no generator has a state to be saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from math import isfinite, prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tutor import __version__
from tutor.data.builtin import Data
from tutor.data.encoding import Encoding
from tutor.data.seeds import SEEDS
from tutor.data.source import Source, found_again
from tutor.errors import TutorError, nearest
from tutor.maths.normalizers import NORMALIZERS
from tutor.maths.schedules import SCHEDULES
from tutor.runs.file import FORMAT, Heading, check_room, read_file, write_file
from tutor.training.architecture import Architecture
from tutor.training.measures import guess_of
from tutor.training.preparation import Scaling
from tutor.training.settings import Settings, check
from tutor.training.setup import architecture_of, set_up
from tutor.training.trainer import Epoch, Result, Trainer
from tutor.training.transfer import Origin

if TYPE_CHECKING:
    from tutor.data.array_types import Stored

State = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """A saved run. `states` has the parameters before the first update as `initial`, the state at the end as `last`,
    from which a training goes on, and, where it was watched with patience, the `best` one."""

    heading: Heading
    settings: Settings
    states: Mapping[str, State]

    @property
    def architecture(self) -> Architecture:
        return self.heading.architecture

    @property
    def trained(self) -> tuple[State, int]:
        """The state that the training kept in the end, and after how many epochs it was reached."""
        best = self.heading.best
        if best is not None and not self.heading.interrupted:
            return self.states["best"], best[1]
        return self.states["last"], len(self.heading.history)


def save_run(path: Path, source: Source, data: Data, trainer: Trainer, reached: Result | None = None) -> None:
    """Write what the trainer has come to, or what it had `reached`. Raises TutorError where that is no network to go on
    with."""
    result = reached or trainer.result
    if result.diverged:
        raise TutorError("the training diverged, so there is nothing to save; try a smaller --learning-rate")
    states = {"initial": {"vector": trainer.initial}, "last": result.last}
    if result.best is not None:
        states["best"] = result.best[2]
    arrays: dict[str, Stored] = {}
    numbers: dict[str, dict[str, Any]] = {}
    for which, state in states.items():
        numbers[which] = {name: value for name, value in state.items() if not isinstance(value, np.ndarray)}
        arrays |= {f"{which}.{name}": value for name, value in state.items() if isinstance(value, np.ndarray)}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise TutorError(f"{name} of the optimizer has numbers that are no longer finite; the run is not saved")
    guess = guess_of(trainer.data)
    heading = Heading(
        program="tutor",
        format=FORMAT,
        version=__version__,
        form=trainer.engine.name,
        settings=msgspec.to_builtins(trainer.settings),
        source=source,
        features=data.features,
        classes=data.classes,
        image=data.shape,
        architecture=trainer.architecture,
        scaling=trainer.data.scaling,
        history=[(e.loss, e.accuracy, _spelled(e.validation_loss), e.validation_accuracy) for e in result.history],
        seconds=result.seconds,
        ended=result.ended,
        interrupted=result.interrupted,
        best=result.best and (_spelled(result.best[0]), result.best[1]),
        numbers=numbers,
        targets=data.targets,
        encoding=trainer.data.encoding,
        target_scaling=trainer.data.target_scaling,
        guess=guess if np.isfinite(guess).all() else (),
    )
    write_file(path, heading, arrays)


def check_can_save(path: Path, trainer: Trainer) -> None:
    """Raises TutorError where what the trainer will come to cannot be saved there."""
    state = trainer.engine.state()
    numbers = sum(value.size for value in state.values() if isinstance(value, np.ndarray))
    numbers += 2 * len(state.get("states", ()))
    check_room(path, trainer.settings.epochs, 3 * numbers)


def load_run(path: Path) -> Run:
    """A saved run, checked. Raises TutorError with the file and what is wrong in it."""
    heading, arrays = read_file(path)
    try:
        settings = decoded_settings(heading.settings)
        states: dict[str, State] = {which: dict(numbers) for which, numbers in heading.numbers.items()}
        for name, array in arrays.items():
            which, dot, own = name.partition(".")
            if which not in states or not dot:
                raise TutorError(f"the array {name[:40]!r} belongs to nothing")
            states[which][own] = array
        run = Run(heading, settings, states)
        check_run(run)
    except TutorError as error:
        raise TutorError(f"{path}: {error}") from None
    return run


def origin_of(path: Path) -> Origin:
    """What the network of a saved run has learned, for another one to begin with."""
    run = load_run(path)
    return Origin(path.name, run.architecture, run.trained[0]["vector"], run.settings.normalize, run.heading.classes)


def go_on(path: Path, epochs: int | None) -> tuple[Source, Data, Trainer]:
    """The saved training, ready to go on to its last epoch, or to `epochs`.

    Raises TutorError where nothing is left to train, or the data are not the same.
    """
    run = load_run(path)
    done = len(run.heading.history)
    settings = run.settings if epochs is None else replace(run.settings, epochs=epochs)
    if settings.epochs < done:
        raise TutorError(f"{path} has {done} epochs behind it already; --epochs is how many there are to be in all")
    if settings.epochs == done and epochs is None and not run.heading.best:
        raise TutorError(f"{path} has all its {done} epochs behind it; train more with --epochs {2 * done}")
    data = found_again(run.heading.source, path)
    same = (data.features, data.classes, data.shape) == (run.heading.features, run.heading.classes, run.heading.image)
    trainer = set_up(data, settings) if same else None
    if trainer is None or trainer.architecture != run.architecture or _fitted(trainer) != _kept(run.heading):
        raise TutorError(f"{path} does not go with its data: their columns, classes or scaling are others")
    try:
        for which in ("last", "best"):
            if which in run.states:
                check_state(which, run.states[which], trainer.engine.state(), exact=True)
    except TutorError as error:
        raise TutorError(f"{path}: {error}") from None
    trainer.begin_with(run.states["initial"]["vector"])  # another network's, perhaps
    trainer.begin()
    trainer.engine.restore(run.states["last"])
    trainer.result = Result(_history(run), run.heading.seconds)
    if run.heading.best is not None:
        loss, epoch = run.heading.best
        trainer.result.best = float(loss), epoch, run.states["best"]
    return run.heading.source, data, trainer


def _fitted(trainer: Trainer) -> tuple[Scaling | None, Encoding | None, Scaling | None]:
    """What was fitted to the training part."""
    return trainer.data.scaling, trainer.data.encoding, trainer.data.target_scaling


def _kept(heading: Heading) -> tuple[Scaling | None, Encoding | None, Scaling | None]:
    return heading.scaling, heading.encoding, heading.target_scaling


def schedule_note(settings: Settings) -> str:
    """What changes where a training goes on to another number of epochs; empty where nothing does."""
    if "epochs" not in SCHEDULES[settings.schedule].settings or "epochs" in settings.schedule_setting:
        return ""
    return (
        f"The {settings.schedule} schedule runs over all epochs, now {settings.epochs}; those behind were trained with "
        "the one over the former number."
    )


def _history(run: Run) -> list[Epoch]:
    return [
        Epoch(number, loss, accuracy, None if held is None else float(held), held_accuracy)
        for number, (loss, accuracy, held, held_accuracy) in enumerate(run.heading.history, 1)
    ]


def _spelled(value: float | None) -> Any:
    """The number, or its name where JSON has none for it: a held-out loss may be infinite."""
    return value if value is None or isfinite(value) else str(float(value))


AnyState = Mapping[str, Any]
_LONGEST_TOLD = 150


def decoded_settings(raw: Mapping[str, Any]) -> Settings:
    """The settings, each of its type and within its limits; those that are not there are as they are by default."""
    valid = [entry.name for entry in fields(Settings)]
    for name in raw:
        if name not in valid:
            raise TutorError(f"unknown setting {name[:60]!r}{nearest(name[:60], valid)}")
    try:
        settings = msgspec.convert(dict(raw), Settings)
    except msgspec.ValidationError as error:
        said = str(error)  # which may have all that stands in the file in it, and ends with the place
        told = said if len(said) <= _LONGEST_TOLD else f"{said[:_LONGEST_TOLD]} … {said[-_LONGEST_TOLD:]}"
        raise TutorError(f"settings: {told}") from None
    check(settings)
    return settings


def check_run(run: Run) -> None:
    """Raises TutorError for the first thing that does not fit the others."""
    heading, architecture = run.heading, run.heading.architecture
    _check_architecture(run)
    if not 0 <= heading.source.seed < SEEDS:
        raise TutorError("the seed of the data is no number from 0 on with at most 18 digits")
    if len(set(heading.classes)) != len(heading.classes):
        raise TutorError("two classes have the same name")
    image = heading.image
    if image is not None and (len(image) not in (2, 3) or min(image) < 1 or prod(image) != architecture.sizes[0]):
        raise TutorError(f"no image of this size has {architecture.sizes[0]} pixels")
    _check_scaling(run)
    _check_guess(run)
    _check_epochs(run)
    _check_states(run)


def _check_architecture(run: Run) -> None:
    """That the network is the one that the settings make for these features and classes: of their numbers only."""
    features, classes, architecture = run.heading.features, run.heading.classes, run.heading.architecture
    if not features or len(classes) == 1:
        raise TutorError("there have to be features, and no classes or several")
    _check_encoding(run)
    encoding = run.heading.encoding
    inputs = len(features) if encoding is None else encoding.width
    settings = architecture_of(run.settings, inputs, classes, max((1, *architecture.sizes[-1:])))
    for entry in fields(Architecture):
        if getattr(settings, entry.name) != getattr(architecture, entry.name):
            raise TutorError(f"{entry.name!r} of 'shape' is not what the settings, the features and the classes make")


def _check_encoding(run: Run) -> None:
    """That it has words, or a number for a gap, for each column, as the source says."""
    encoding, heading = run.heading.encoding, run.heading
    fills = heading.source.preprocessing.fills
    if encoding is None:
        if fills:
            raise TutorError("'encoding' is to say what fills a gap")
        return
    if len(encoding.words) != len(heading.features):
        raise TutorError(f"'encoding' is to have the words of each of the {len(heading.features)} columns, or null")
    if any(words is not None and (not words or len({*words}) != len(words)) for words in encoding.words):
        raise TutorError("'encoding' has a column without words, or one with the same word twice")
    if len(encoding.fill) != (len(heading.features) if fills else 0) or not np.isfinite(encoding.fill).all():
        raise TutorError("'encoding' is to have a finite number for the gaps of each column, where they are filled")


def _check_scaling(run: Run) -> None:
    scaling, targets = run.heading.scaling, run.heading.target_scaling
    if (scaling.name if scaling else "") != run.settings.normalize:
        raise TutorError("'scaling' is not what the setting normalize says")
    if (targets is not None) != run.settings.target_scale or (targets is not None and run.heading.classes):
        raise TutorError("'target_scaling' is not what the setting target_scale says")
    if scaling is not None:
        each = NORMALIZERS[scaling.name].along != "row"
        _check_numbers("scaling", scaling, run.architecture.sizes[0] if each else 0, "inputs")
    if targets is not None:
        if targets.name != "zscore":
            raise TutorError("'target_scaling' is by zscore")
        _check_numbers("target_scaling", targets, run.architecture.sizes[-1], "outputs")


def _check_numbers(which: str, scaling: Scaling, count: int, of: str) -> None:
    if len(scaling.shift) != count or len(scaling.scale) != count:
        if not count:
            raise TutorError(f"{which!r} by {scaling.name} has no shift and no scale: each example has its own length")
        raise TutorError(f"{which!r} is to have a shift and a scale for each of the {count} {of}")
    if not np.isfinite([*scaling.shift, *scaling.scale]).all() or min(scaling.scale, default=1) <= 0:
        raise TutorError(f"{which!r} has a number that nothing can be divided by")


def _check_guess(run: Run) -> None:
    guess, wanted = run.heading.guess, len(run.heading.classes) or run.architecture.sizes[-1]
    if guess and (len(guess) != wanted or not np.isfinite(guess).all()):
        raise TutorError(f"'guess' is to have a finite number for each of the {wanted} classes or outputs")


def _check_epochs(run: Run) -> None:
    heading, done = run.heading, len(run.heading.history)
    if heading.seconds < 0:
        raise TutorError("'seconds' is below 0")
    if done > run.settings.epochs:
        raise TutorError(f"{done} epochs of at most {run.settings.epochs}")
    if heading.best is not None and not 1 <= heading.best[1] <= done:
        raise TutorError(f"the best epoch is none of the {done}")


def _check_states(run: Run) -> None:
    later = ["last", *(["best"] if run.heading.best is not None else [])]
    if run.states.keys() != {"initial", *later}:
        raise TutorError(f"'numbers' is to have initial, {', '.join(later)}, not {_listed(run.states)}")
    architecture: Architecture = run.architecture
    vector: Any = run.states["initial"].get("vector")
    if np.shape(vector) != (architecture.count,):  # before anything of this size is made
        raise TutorError(f"the network is to have {architecture.count:,} parameters; its vector has another size")
    template: dict[str, Any] = {"vector": vector}
    check_state("initial", run.states["initial"], template)
    variant = run.settings.training.variant
    template |= {f"state_{name}": template["vector"] for name in variant.state}
    for depth, size in enumerate(architecture.sizes[1:-1] if architecture.batch_norm else ()):
        template |= {f"mean_{depth}": np.zeros((size, 1)), f"variance_{depth}": np.zeros((size, 1))}
    template |= {"updates": 0, **dict.fromkeys(variant.shared_state, 0.0)}
    for which in later:
        state = run.states[which]
        if run.heading.form == "matrix":
            check_state(which, state, template)
        else:  # what the states are called is checked where the training goes on
            known = {"vector": template["vector"], "updates": 0}
            check_state(which, {name: value for name, value in state.items() if name != "states"}, known)
            if architecture.batch_norm or not isinstance(state.get("states"), Mapping):
                raise TutorError(f"{which}: 'states' is to have a number for each state of the optimizer")
        if any(name.startswith("variance_") and np.min(value) < 0 for name, value in state.items()):
            raise TutorError(f"{which}: a variance is below 0")


def check_state(which: str, state: AnyState, template: AnyState, exact: bool = False) -> None:
    """That a state has what the template has: the same names and shapes, with `exact` also the same precision."""
    for name in state:
        if name not in template:
            raise TutorError(f"{which}: {name[:40]!r} is unknown")
    for name, value in template.items():
        if name not in state:
            raise TutorError(f"{which}: {name!r} is missing")
        entry = state[name]
        if isinstance(value, np.ndarray):
            if not isinstance(entry, np.ndarray) or entry.shape != value.shape or entry.dtype.kind != "f":
                raise TutorError(f"{which}: {name!r} is to be an array of {value.shape}, not of {np.shape(entry)}")
            if exact and entry.dtype != value.dtype:
                raise TutorError(f"{which}: {name!r} is to be in {value.dtype}, not in {entry.dtype}")
        elif isinstance(value, Mapping):
            if not isinstance(entry, Mapping) or entry.keys() != value.keys():
                raise TutorError(f"{which}: {name!r} is to have {_listed(value)}")
        elif not isinstance(entry, int | float) or not isfinite(entry):
            raise TutorError(f"{which}: {name!r} is to be a number")
        elif isinstance(value, int) and (entry != int(entry) or not 0 <= entry < 2**53):
            raise TutorError(f"{which}: {name!r} is to be a whole number")


def _listed(names: Any) -> str:
    return ", ".join(str(name)[:40] for name in list(names)[:10])
