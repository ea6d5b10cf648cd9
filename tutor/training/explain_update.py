"""One update of a training as a worksheet: from the numbers that the trainer had at that moment."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from tutor.errors import TutorError
from tutor.formulas.quantity import owned
from tutor.training.from_lesson import problem_of
from tutor.training.matrix.engine import MatrixEngine
from tutor.training.setup import LARGEST
from tutor.training.straight_line.engine import StraightLineEngine
from tutor.training.straight_line.steps import in_rows, worksheet_of_update
from tutor.training.trainer import Trainer
from tutor.worksheet.computation import TrainingState
from tutor.worksheet.named_network import name_network
from tutor.worksheet.problem import Example
from tutor.worksheet.step import Worksheet

if TYPE_CHECKING:
    from tutor.data.array_types import Indices


def explained(trainer: Trainer, number: int, chain: str | None = None) -> tuple[Worksheet, dict[str, float]]:
    """The exact worksheet of update `number` (from 1), and what the trainer itself made of each parameter.

    The trainer, a fresh one, is left after that update. Raises TutorError for an update that it does not come to, and
    for a network that is too large to read or has what no worksheet shows.
    """
    size, count = trainer.settings.batch_size, len(trainer.data.train)
    an_epoch = -(-count // size)
    _check(trainer, number, min(size, count), an_epoch * trainer.settings.epochs)
    epoch, place = (number - 1) // an_epoch + 1, (number - 1) % an_epoch
    if epoch > 1:
        trainer.engine.run(1, trainer.permutations(1, epoch - 1))
    order = trainer.permutations(epoch, epoch)
    if place:
        trainer.engine.run(epoch, order[:, : place * size])
    if trainer.engine.updates != number - 1:
        raise TutorError(
            f"the training ends before update {number}: {trainer.engine.failed or 'nothing is left to do'}"
        )
    group = order[:, place * size : (place + 1) * size]
    worksheet = _worksheet(trainer, group[0], epoch, chain)
    trainer.engine.run(epoch, group)
    return worksheet, dict(zip(_parameters(trainer), trainer.engine.vector.tolist(), strict=True))


def _check(trainer: Trainer, number: int, batch: int, last: int) -> None:
    settings, engine = trainer.settings, trainer.engine
    if not 1 <= number <= last:
        raise TutorError(f"--explain {number}: the updates are numbered from 1 to {last:,}")
    if settings.freeze:
        raise TutorError("--explain shows a worksheet, in which every layer learns; leave out --freeze")
    if settings.update_order != "together":
        raise TutorError(
            "--explain shows the worksheet of gradient descent, which works all gradients first; leave out "
            "--update-order, or see `tutor explain slip:updated-weight`"
        )
    if isinstance(engine, StraightLineEngine):
        return
    if settings.drop_rates or settings.batch_norm or settings.residual or settings.class_weights or settings.augment:
        raise TutorError("--explain works on networks without dropout and the like; a worksheet does not show those")
    if len(engine.vector) * batch > LARGEST["reproducible"]:
        said = f"{len(engine.vector)} parameters and {batch} examples an update"
        raise TutorError(f"--explain: {said} make a worksheet that nobody can read; try --hidden 2 --batch-size 1")


def _worksheet(trainer: Trainer, group: Indices, epoch: int, chain: str | None) -> Worksheet:
    engine = trainer.engine
    if isinstance(engine, StraightLineEngine):
        return engine.worksheet(group, epoch, chain)
    assert isinstance(engine, MatrixEngine)
    names, vector = _parameters(trainer), engine.vector.tolist()
    values = {name: Fraction(value) for name, value in zip(names, vector, strict=True)}
    for state, array in engine.optimization.state.items():
        values |= {owned(state, name): Fraction(value) for name, value in zip(names, array.tolist(), strict=True)}
    values |= {name: Fraction(value) for name, value in engine.optimization.shared.items()}
    indices = trainer.data.train[group]
    rows = zip(trainer.data.x[indices].tolist(), trainer.data.targets[:, indices].T.tolist(), strict=True)
    examples = [Example([*map(Fraction, x)], [*map(Fraction, t)]) for x, t in rows]
    problem = problem_of(trainer.architecture, engine.vector, trainer.settings.training)
    return worksheet_of_update(problem, examples, TrainingState(engine.updates, epoch - 1, values), chain)


def _parameters(trainer: Trainer) -> tuple[str, ...]:
    """The worksheet's names of the entries of the trainer's vector, in their order."""
    if isinstance(trainer.engine, StraightLineEngine):
        return trainer.engine.line.parameters
    network = problem_of(trainer.architecture, trainer.engine.vector, trainer.settings.training).network
    assert network is not None
    return in_rows(name_network(network, {}))
