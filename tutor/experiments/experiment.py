"""An experiment: the same training with several settings, each with several seeds, in one process or in several."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import isfinite
from typing import TYPE_CHECKING, Any

import numpy as np

from tutor.data.builtin import Data
from tutor.data.limits import Task
from tutor.data.preprocessing import NO_PREPROCESSING, Preprocessing
from tutor.data.source import is_named, open_data
from tutor.errors import TutorError
from tutor.experiments.measures import Measure, Observed
from tutor.experiments.observer import Observer, at_the_end
from tutor.experiments.resampling import drawn, held_out
from tutor.processes import workers
from tutor.training.preparation import split
from tutor.training.settings import Settings
from tutor.training.setup import set_up
from tutor.training.trainer import GROWN, Epoch, Measurement, Result, Trainer

if TYPE_CHECKING:
    from tutor.data.array_types import Floats, Indices
    from tutor.training.straight_line.function import Descent
    from tutor.worksheet.problem import Problem

Watch = Callable[[int], None]
_TICK_SECONDS = 0.5


@dataclass(frozen=True)
class Source:
    """Where the examples come from: a data set by its name, drawn anew from each seed, or a file."""

    name: str
    label: str | None = None
    task: Task = ""
    preprocessing: Preprocessing = NO_PREPROCESSING

    def load(self, seed: int) -> Data:
        """The examples, to be used up. Raises TutorError where there are none."""
        data = _read(self, seed if is_named(self.name) else 0)
        wider = np.empty((len(data), data.x.shape[1] + 1), data.x.dtype)  # for the bias, so that it is copied once only
        wider[:, :-1] = data.x
        return replace(data, x=wider[:, :-1])

    def trainer(self, settings: Settings, resampled: int | None = None) -> Trainer:
        """Everything ready to be trained; `resampled` is the seed of the data and their parts where the training set is
        drawn anew from the training part."""
        if resampled is None:
            return set_up(self.load(settings.seed), settings)
        data = self.load(resampled)
        train, held_out, tested = split(data, settings.validation, settings.test, resampled)
        return set_up(data, settings, (drawn(train, settings.seed), held_out, tested))


@dataclass(frozen=True)
class OfLesson:
    """The network of a worksheet with its own examples; `given` are settings that replace its own."""

    problem: Problem
    name: str
    given: Mapping[str, Any]

    def trainer(self, settings: Settings) -> Trainer:
        from tutor.training.from_lesson import lesson_trainer

        return lesson_trainer(self.problem, self.name, {**self.given, "seed": settings.seed})[1]


@dataclass(frozen=True)
class OfFunction:
    """The function that a worksheet minimises; `given` are settings that replace its own. Nothing in it is random."""

    problem: Problem
    name: str
    given: Mapping[str, Any]

    def descent(self) -> tuple[Descent, Settings]:
        from tutor.training.from_lesson import function_descent

        return function_descent(self.problem, self.name, self.given)


@dataclass(frozen=True)
class Run:
    """One training, and what is measured of it; with the seed of its data where its training set is resampled."""

    source: Source | OfLesson | OfFunction
    settings: Settings
    measures: tuple[Measure, ...] = ()
    resampled: int | None = None

    def trainer(self) -> Trainer:
        """Everything ready to be trained. There is none for a function."""
        assert not isinstance(self.source, OfFunction)
        if isinstance(self.source, Source):
            return self.source.trainer(self.settings, self.resampled)
        return self.source.trainer(self.settings)


@lru_cache(maxsize=2)
def _read(source: Source, seed: int) -> Data:
    return open_data(source.name, source.label, seed, source.task, source.preprocessing)


@dataclass(frozen=True)
class Outcome:
    """What one training came to: losses and accuracies of the network at its end, over the training and the held-out
    part. A training that diverged has none; without classes there is no accuracy, without a held-out part no
    validation. `constant_loss` is that of the best constant guess on the training part. `path` has, for a function of
    two, where each parameter was before the first step and after each, `held_out` what the network says to the held-out
    examples beside what is true, until that is compared."""

    seed: int
    history: tuple[Epoch, ...]
    ended: str
    diverged: bool
    seconds: float
    training_loss: float | None = None
    training_accuracy: float | None = None
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    constant_loss: float | None = None
    measured: Mapping[Measure, float] = field(default_factory=dict)
    path: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    held_out: tuple[Floats, Floats] | None = field(default=None, compare=False)

    @property
    def epochs_done(self) -> int:
        return len(self.history)


def train_once(run: Run, watch: Watch = lambda done: None) -> Outcome | None:
    """One training, as `tutor train` does it; None where Ctrl-C ended it."""
    if isinstance(run.source, OfFunction):
        return _minimised(run)
    trainer = run.trainer()
    observer = Observer(trainer, run.measures)
    result = trainer.run(lambda epoch: watch(0))
    if result.interrupted:
        return None
    outcome = _outcome(trainer, result)
    if run.resampled is not None and not outcome.diverged:
        outcome = replace(outcome, held_out=held_out(trainer))
    return replace(outcome, measured=observer.measured(outcome)) if run.measures else outcome


def _minimised(run: Run) -> Outcome:
    assert isinstance(run.source, OfFunction)
    descent, settings = run.source.descent()
    points = [descent.point]
    outcome = _went_down(descent, settings, run.settings.seed, points)
    observed = Observed(outcome, outcome.epochs_done, 1, len(descent.names))
    path = dict(zip(descent.names, zip(*points, strict=True), strict=True)) if len(descent.names) == 2 else {}
    return replace(outcome, measured=at_the_end(run.measures, observed), path=path)


def _went_down(descent: Descent, settings: Settings, seed: int, points: list[tuple[float, ...]]) -> Outcome:
    """The value before every step as its loss, and the one at the end as that of the whole; `points` are gone on
    with."""
    history: list[Epoch] = []
    began = time.perf_counter()
    for epoch in range(settings.epochs):
        value = descent.step(epoch)
        if not isfinite(value):
            break
        history.append(Epoch(epoch + 1, value))
        points.append(descent.point)
    seconds, last = time.perf_counter() - began, descent.value
    first = history[0].loss if history else last
    if len(history) < settings.epochs or not isfinite(last):
        return Outcome(seed, tuple(history), f"diverged: no finite value at step {len(history) + 1}", True, seconds)
    if 0 < first * GROWN < last:
        ended = f"diverged: the value grew from {first:.3g} to {last:.3g}"
        return Outcome(seed, tuple(history), ended, True, seconds)
    return Outcome(seed, tuple(history), "all steps done", False, seconds, training_loss=last)


def _outcome(trainer: Trainer, result: Result) -> Outcome:
    bare = Outcome(trainer.settings.seed, tuple(result.history), result.ended, result.diverged, result.seconds)
    if result.diverged:
        return bare
    train, validation = (_measured(trainer, indices) for indices in (trainer.data.train, trainer.data.validation))
    if train is None or not isfinite(train.loss):
        return replace(bare, diverged=True, ended="diverged: the loss at the end was not finite")
    constant = None if trainer.settings.rule == "perceptron" else trainer.loss_of_a_constant()
    found = replace(bare, training_loss=train.loss, training_accuracy=train.accuracy, constant_loss=constant)
    if validation is None or not isfinite(validation.loss):
        wrong = replace(bare, diverged=True, ended="diverged: the held-out loss at the end was not finite")
        return found if validation is None else wrong
    return replace(found, validation_loss=validation.loss, validation_accuracy=validation.accuracy)


def _measured(trainer: Trainer, indices: Indices) -> Measurement | None:
    if not len(indices):
        return None
    with np.errstate(all="ignore"):
        return trainer.measure(indices)


def measured_on_test(source: Source, settings: Settings) -> Measurement | None:
    """Train once more and measure on the test part, which nothing has looked at before; None after Ctrl-C."""
    trainer = set_up(source.load(settings.seed), settings)
    return None if trainer.run().interrupted else trainer.measure(trainer.data.test)


def run_all(
    runs: Sequence[Run], jobs: int, watch: Watch = lambda done: None, cluster: str | None = None
) -> list[Outcome | None]:
    """The outcome of every training, in the order of `runs` however many processes work, or the `cluster` at that
    address; None for those that had not ended when Ctrl-C came. `watch` is called now and then with the number of
    trainings that have just ended."""
    outcomes: list[Outcome | None] = [None] * len(runs)
    try:
        if cluster is not None:
            from tutor.experiments.cluster import run_on_cluster

            run_on_cluster(runs, cluster, outcomes, watch)
        elif jobs == 1 or len(runs) == 1:
            _run_here(runs, outcomes, watch)
        else:
            _run_in_processes(runs, min(jobs, len(runs)), outcomes, watch)
    except KeyboardInterrupt:
        pass
    except BrokenProcessPool:
        raise TutorError("a process was ended from outside, perhaps for want of memory; try fewer --jobs") from None
    return outcomes


def _run_here(runs: Sequence[Run], outcomes: list[Outcome | None], watch: Watch) -> None:
    for place, run in enumerate(runs):
        outcomes[place] = train_once(run, watch)
        if outcomes[place] is None:
            return
        watch(1)


def _run_in_processes(runs: Sequence[Run], jobs: int, outcomes: list[Outcome | None], watch: Watch) -> None:
    with workers(jobs) as pool:
        places = {pool.submit(train_once, run): place for place, run in enumerate(runs)}
        waiting = set(places)
        while waiting:
            done, waiting = wait(waiting, _TICK_SECONDS, FIRST_COMPLETED)
            for future in done:
                outcomes[places[future]] = future.result()
            watch(len(done))
