"""What is compared: each setting with its own source of examples, ready to be trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tutor.errors import TutorError
from tutor.experiments.experiment import OfFunction, OfLesson, Run, Source
from tutor.experiments.measures import OF_LAYERS, Measure, Subject
from tutor.experiments.search import Setting, called
from tutor.training.measures import PROBABLE
from tutor.training.settings import Settings

if TYPE_CHECKING:
    from tutor.training.trainer import Trainer
    from tutor.worksheet.problem import Problem

OTHER_LOSSES = "their losses are of different kinds, which cannot be compared"
OTHER_EXAMPLES = "their examples differ, so their losses cannot be compared"


@dataclass(frozen=True)
class Candidate:
    """One setting: what is shown of it, what is given for it, where its examples come from, and all of its settings.

    `kind` says which loss it has, `examples` on what it is trained, `subject` what can be measured of it; `title` is
    what its examples are called.
    """

    shown: Setting
    given: Mapping[str, Any]
    source: Source | OfLesson | OfFunction
    settings: Settings
    kind: tuple[Any, ...] = ()
    examples: Any = None
    subject: Subject = field(default_factory=Subject)
    title: str = ""
    remarks: Sequence[str] = field(default_factory=tuple)

    @property
    def is_random(self) -> bool:
        """Whether a seed changes anything: a worksheet has its own weights."""
        return isinstance(self.source, Source) or (isinstance(self.source, OfLesson) and self.settings.shuffle)

    def runs(self, seeds: int, measures: Sequence[Measure]) -> list[Run]:
        """Its trainings, a seed each, with those measures that it has; each with a training set of its own where one of
        these is over all runs. Raises TutorError where that is only one run."""
        own = tuple(one for one in dict.fromkeys(measures) if not self.subject.lacks(one))
        first = self.settings.seed
        over_runs = [one.name for one in own if one.kind.over_runs]
        if over_runs and seeds < 2:
            raise TutorError(f"{over_runs[0]} is over several training sets; give 2 seeds or more")
        of = first if over_runs else None
        return [Run(self.source, replace(self.settings, seed=first + k), own, of) for k in range(seeds)]


def measures_of_layers(candidates: Sequence[Candidate]) -> list[Measure]:
    """Every measure of every layer at the end of a training."""
    depth = max(one.subject.depth for one in candidates)
    return [Measure(name, layer=layer) for layer in range(1, depth + 1) for name in OF_LAYERS]


def check_measures(candidates: Sequence[Candidate], measures: Sequence[Measure]) -> None:
    """Raises TutorError for a measure that none of them has."""
    for measure in measures:
        lacking = [one.subject.lacks(measure) for one in candidates]
        if all(lacking):
            raise TutorError(f"{measure.text}: {lacking[0]}")


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
    settings = Settings(**given)
    trainer = source.trainer(settings)
    architecture = trainer.architecture
    kind = (architecture.loss, architecture.activations[-1] == "tanh")
    data = source.load(settings.seed)
    return Candidate({}, given, source, settings, kind, source, subject_of(trainer), data.name, data.remarks)


def subject_of(trainer: Trainer) -> Subject:
    """What can be measured of this training."""
    data, architecture = trainer.data, trainer.architecture
    probable, held_out = architecture.activations[-1] in PROBABLE, len(data.validation) > 0
    return Subject(architecture.depth, bool(data.classes), probable, held_out, architecture.sizes[0])


def _of_worksheet(problem: Problem, name: str, given: Mapping[str, Any]) -> Candidate:
    own = {key: value for key, value in given.items() if key != "seed"}
    seed = given.get("seed", 0)
    if problem.minimize is not None:
        function = OfFunction(problem, name, own)
        _, settings = function.descent()
        settings = replace(settings, seed=seed)
        return Candidate(
            {}, given, function, settings, ("value",), (problem.minimize.objective, str(problem.givens)), title=name
        )
    lesson = OfLesson(problem, name, own)
    trainer = lesson.trainer(Settings(seed=seed))
    architecture = trainer.architecture
    kind = (architecture.loss, architecture.activations[-1] == "tanh")
    return Candidate({}, given, lesson, trainer.settings, kind, str(problem.examples), subject_of(trainer), name)


def measure_to_rank_by(candidates: Sequence[Candidate], held_out: bool) -> tuple[str, str]:
    """The validation loss where something is held out, else the training loss. Different losses cannot be compared:
    then the accuracy decides, and nothing where there are no classes, or where each is trained on other examples; and
    why."""
    part = "validation" if held_out else "training"
    if any(one.examples != candidates[0].examples for one in candidates):
        return "", OTHER_EXAMPLES
    if all(one.kind == candidates[0].kind for one in candidates):
        return f"{part}_loss", ""
    return (f"{part}_accuracy", "") if candidates[0].subject.classes else ("", OTHER_LOSSES)
