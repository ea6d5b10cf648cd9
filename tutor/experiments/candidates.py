"""What is compared: each setting with its own source of examples, ready to be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tutor.errors import TutorError
from tutor.experiments.experiment import OfFunction, OfLesson, Run, Source
from tutor.experiments.measures import OF_LAYERS, Measure
from tutor.experiments.search import Setting, called
from tutor.training.settings import Settings

if TYPE_CHECKING:
    from tutor.worksheet.problem import Problem

_ONLY_HIDDEN = ("dead_share", "saturated_share")
OTHER_LOSSES = "their losses are of different kinds, which cannot be compared"
OTHER_EXAMPLES = "their examples differ, so their losses cannot be compared"


@dataclass(frozen=True)
class Candidate:
    """One setting: what is shown of it, what is given for it, where its examples come from, and all of its settings.

    `kind` says which loss it has and `classes` whether there are any, `examples` on what it is trained; `depth` is the
    number of its layers, 0 of a function; `title` is what its examples are called.
    """

    shown: Setting
    given: Mapping[str, Any]
    source: Source | OfLesson | OfFunction
    wanted: Settings
    kind: tuple[Any, ...] = ()
    examples: Any = None
    classes: bool = False
    depth: int = 0
    title: str = ""
    remarks: Sequence[str] = field(default_factory=tuple)

    @property
    def is_random(self) -> bool:
        """Whether a seed changes anything: a worksheet has its own weights."""
        return isinstance(self.source, Source) or (isinstance(self.source, OfLesson) and self.wanted.shuffle)

    def runs(self, seeds: int, layers: bool) -> list[Run]:
        """Its trainings, a seed each, in which layers are measured where they are asked for."""
        measures = tuple(measures_of_layers(self.depth)) if layers else ()
        first = self.wanted.seed
        return [Run(self.source, replace(self.wanted, seed=first + k), measures) for k in range(seeds)]


def measures_of_layers(depth: int) -> list[Measure]:
    """Every measure of every layer at the end of a training."""
    found = []
    for layer in range(1, depth + 1):
        names = [name for name in OF_LAYERS if layer < depth or name not in _ONLY_HIDDEN]
        found += [Measure(name, layer=layer) for name in names]
    return found


def candidate(
    source: Source | Problem, name: str, given: Mapping[str, Any], setting: Setting, shown: Setting | None = None
) -> Candidate:
    """Everything is set up once, so that what is wrong is said before hours of training. Raises TutorError with the
    name of the setting that does not fit; `given` holds for all, `setting` for this one alone."""
    whole = {**given, **setting}
    try:
        found = _of_data(source, whole) if isinstance(source, Source) else _of_worksheet(source, name, whole)
    except TutorError as error:
        said = called(shown or setting)
        raise TutorError(f"{said}: {error}" if said else str(error)) from None
    return replace(found, shown=dict(setting if shown is None else shown))


def _of_data(source: Source, given: Mapping[str, Any]) -> Candidate:
    wanted = Settings(**given)
    trainer = source.trainer(wanted)
    shape = trainer.shape
    kind = (shape.loss, shape.activations[-1] == "tanh")
    data, classes = source.load(wanted.seed), bool(trainer.data.classes)
    return Candidate({}, given, source, wanted, kind, source, classes, shape.depth, data.name, data.remarks)


def _of_worksheet(problem: Problem, name: str, given: Mapping[str, Any]) -> Candidate:
    own = {key: value for key, value in given.items() if key != "seed"}
    seed = given.get("seed", 0)
    if problem.minimize is not None:
        function = OfFunction(problem, name, own)
        _, wanted = function.descent()
        wanted = replace(wanted, seed=seed)
        return Candidate(
            {}, given, function, wanted, ("value",), (problem.minimize.objective, str(problem.givens)), title=name
        )
    lesson = OfLesson(problem, name, own)
    trainer = lesson.trainer(Settings(seed=seed))
    shape, classes = trainer.shape, bool(trainer.data.classes)
    kind = (shape.loss, shape.activations[-1] == "tanh")
    return Candidate({}, given, lesson, trainer.wanted, kind, str(problem.examples), classes, shape.depth, name)


def measure_to_rank_by(candidates: Sequence[Candidate], held_out: bool) -> tuple[str, str]:
    """The validation loss where something is held out, else the training loss. Different losses cannot be compared:
    then the accuracy decides, and nothing where there are no classes, or where each is trained on other examples; and
    why."""
    part = "validation" if held_out else "training"
    if any(one.examples != candidates[0].examples for one in candidates):
        return "", OTHER_EXAMPLES
    if all(one.kind == candidates[0].kind for one in candidates):
        return f"{part}_loss", ""
    return (f"{part}_accuracy", "") if candidates[0].classes else ("", OTHER_LOSSES)
