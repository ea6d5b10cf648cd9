"""The networks of an experiment, trained once more for what there is to be seen of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tutor.course.experiment import Setting, candidate_of, kept_training, settings_in
from tutor.course.format import Drawing, Experiment
from tutor.course.read import Course
from tutor.errors import nearest
from tutor.training.plane import Plane

if TYPE_CHECKING:
    from tutor.experiments.trained import Trained


def trained_row(
    course: Course, spec: Experiment, setting: Setting, seed: int = 0, epochs: Sequence[int] = (), layers: bool = False
) -> Trained:
    """One training of the experiment, from the cache where it is there, else made once more; the seed counts from 0
    within the experiment."""
    from tutor.experiments.trained import Ended, Trained, set_up, train

    run = candidate_of(course, spec, setting).runs(spec.seeds, ())[seed]
    place = kept_training(course, spec, [setting], Ended, [seed, list(epochs), layers])
    ended = place.read()
    if ended is None or not _is_of(row := Trained(setting.name, set_up(run), ended)):
        trainer = set_up(run)
        row = Trained(setting.name, trainer, train(trainer, epochs, layers))
        place.write(row.ended)
    return row


def _is_of(row: Trained) -> bool:
    """Whether what is kept fits the network: a file may be damaged."""
    try:
        for epoch in (*map(int, row.ended.states), row.last):
            row.restore(epoch)
    except (KeyError, TypeError, ValueError):
        return False
    return True


def trained_rows(course: Course, spec: Experiment, over: Mapping[str, Any] | None) -> list[Trained]:
    """Every row of the experiment with its first seed."""
    layers = "layers" in spec.show
    return [trained_row(course, spec, setting, layers=layers) for setting in settings_in(spec, over)]


def planes_of_row(spec: Drawing, course: Course, block: str, row: str) -> Iterator[Plane]:
    """The network of one row and seed after the epochs that are asked for."""
    if spec.updates:
        raise ValueError("updates: of an experiment say epochs, as in epochs = [0, 1, 6]")
    if spec.ranges:
        raise ValueError("ranges: those of a worksheet's plane; that of an experiment goes as far as its data")
    wanted = course.of_kind("experiment")[block].spec
    settings = {setting.name: setting for setting in settings_in(wanted)}
    if not row and len(settings) > 1:
        raise ValueError(f"regions: say which row of {block!r}, as in {block}.{next(iter(settings))}")
    name = row or next(iter(settings))
    if name not in settings:
        raise ValueError(f"regions: {block!r} has no row {name[:60]!r}{nearest(name, settings)}")
    if not 0 <= spec.seed < wanted.seeds:
        raise ValueError(f"seed: {block!r} has the seeds 0 to {wanted.seeds - 1}")
    found = trained_row(course, wanted, settings[name], spec.seed, spec.epochs)
    for epoch in spec.epochs or [found.last]:
        if not found.has(epoch):
            raise ValueError(f"epochs: there is no epoch {epoch}; {name} ended after {found.last}")
        plane = found.plane(epoch)
        if plane is None:
            raise ValueError(f"regions: {found.lacks}")
        yield plane
