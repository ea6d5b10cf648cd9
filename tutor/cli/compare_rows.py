"""What `tutor compare` compares: every combination of `--vary`, or named rows, on data or a worksheet."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tutor.cli.data_options import known_task
from tutor.cli.vary_option import command_line, options_typed, read_variations, setting_typed
from tutor.errors import TutorError, nearest

if TYPE_CHECKING:
    from tutor.data.preprocessing import Preprocessing
    from tutor.data.source import Source as Known
    from tutor.experiments.candidates import Candidate
    from tutor.experiments.experiment import Source
    from tutor.experiments.measures import Measure
    from tutor.experiments.search import Setting
    from tutor.training.settings import Settings
    from tutor.worksheet.problem import Problem

RATES_TRIED = (
    "No rates are given, so every optimizer is tried with a few around its own, and stands at the best of them; "
    "--vary learning-rate=0.1,0.01 takes others, --learning-rate 0.1 one for all."
)
_PLACES = ("data", "worksheet", "label")
"""What a row may also say: where its examples come from."""


@dataclass(frozen=True)
class Place:
    """Where examples come from: data with what is done about their columns, or a worksheet by its name."""

    source: Source | Problem
    name: str
    known: Known | None = None

    def command(self, chosen: Mapping[str, Any]) -> list[str]:
        """The words of the `tutor train` that trains so, each quoted for a shell; none for a function."""
        if self.known is not None:
            return command_line(self.known, chosen)
        if getattr(self.source, "minimize", None) is not None:
            return []
        return ["tutor", "train", shlex.quote(self.name), *options_typed(chosen)]


@dataclass(frozen=True)
class Compared:
    """The candidates, and for each of them its place."""

    candidates: list[Candidate]
    places: list[Place]
    own_remarks: list[str]

    @property
    def title(self) -> str:
        """What they are trained on, where that is one thing."""
        names = list(dict.fromkeys(one.title for one in self.candidates))
        return names[0] if len(names) == 1 else "rows"

    @property
    def remarks(self) -> list[str]:
        """What there is to say of the examples, and of the settings."""
        return [*dict.fromkeys(remark for one in self.candidates for remark in one.remarks), *self.own_remarks]


def place_of_data(data: str, label: str | None, task: str | None, preprocessing: Preprocessing, seed: int) -> Place:
    from tutor.data.source import source_of
    from tutor.experiments.experiment import Source

    known = source_of(data, label, seed, known_task(task), preprocessing)
    return Place(Source(data, label, known.task, known.preprocessing), data, known)


def place_of_worksheet(name: str) -> Place:
    """A worksheet that has something to train. Raises TutorError where it has not."""
    from tutor.lessons.find import read_lesson

    return Place(read_lesson(name), name)


def varied(
    place: Place, given: Mapping[str, Any], base: Settings, vary: Sequence[str], search: str, trials: int | None
) -> Compared:
    """Every combination of what `--vary` lists, or so many that are drawn."""
    from tutor.experiments.candidates import candidate
    from tutor.experiments.search import with_rates

    asked = _settings(vary, search, trials, base)
    settings = with_rates(asked, base.learning_rate, search == "grid", _own_rates(place))
    remarks = [RATES_TRIED] if len(settings) > len(asked) else []
    found = [candidate(place.source, place.name, given, setting) for setting in settings]
    return Compared(found, [place] * len(found), remarks)


def _own_rates(place: Place) -> dict[str, float]:
    """The rate that a worksheet gives its optimizer."""
    source: Any = place.source
    course = getattr(source, "training", None) or getattr(source, "minimize", None)
    if course is None or course.learning_rate is None:
        return {}
    return {course.optimizer: float(course.learning_rate)}


def _settings(vary: Sequence[str], search: str, trials: int | None, base: Settings) -> list[Setting]:
    """Raises TutorError where the search does not go with the other options."""
    from tutor.experiments.search import drawn, grid

    varied = read_variations(vary)
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


def in_rows(
    usual: Place | None, given: Mapping[str, Any], rows: Sequence[str], preprocessing: Preprocessing
) -> Compared:
    """Rows by their names. What is shown of each is whatever any row says, as all of them have it."""
    from tutor.experiments.candidates import candidate

    read = [_read_row(text) for text in rows]
    names = [name for name, _, _ in read]
    for name in names:
        if names.count(name) > 1:
            raise TutorError(f"two rows are called {name[:40]!r}; give each a name of its own")
    said = list(dict.fromkeys(key for _, setting, _ in read for key in setting))
    said += ["learning_rate"] if "optimizer" in said and "learning_rate" not in said else []
    several = [key for key in ("data", "worksheet") if any(key in where for _, _, where in read)]
    candidates, places = [], []
    for name, setting, where in read:
        place = _place_of_row(name, where, usual, preprocessing, int(given.get("seed", 0)))
        one = candidate(place.source, place.name, given, setting, {"row": name})
        shown: dict[str, Any] = {"row": name}
        if several:
            shown["trained on"] = place.name
        if any("label" in where for _, _, where in read):
            shown["label"] = getattr(place.source, "label", None)
        shown |= {key: _effective(one, key) for key in said}
        candidates.append(replace(one, shown=shown))
        places.append(place)
    return Compared(candidates, places, [])


def _effective(one: Candidate, key: str) -> Any:
    """What the setting is in the row, said there or not."""
    value = getattr(one.settings, key)
    if key == "learning_rate" and value is None:
        return float(one.settings.training.rate)
    return value


def _read_row(text: str) -> tuple[str, dict[str, Any], dict[str, str]]:
    """The name of a row, its settings, and where its examples come from."""
    name, colon, rest = text.partition(":")
    if not colon or not name.strip():
        raise TutorError(f"--row {text[:40]!r}: give it a name and its settings, as in 'plain: optimizer=sgd'")
    try:
        words = shlex.split(rest)
    except ValueError:
        raise TutorError(f"--row {name.strip()[:40]}: a quotation mark is not closed") from None
    setting, where = dict[str, Any](), dict[str, str]()
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise TutorError(f"--row {name.strip()[:40]}: {word[:40]!r} is no setting, as in learning-rate=0.1")
        if key in _PLACES:
            where[key] = value
        else:
            entry, read = setting_typed(f"--row {name.strip()[:40]}", key, value, _PLACES)
            setting[entry] = read
    return name.strip(), setting, where


def _place_of_row(
    name: str, where: Mapping[str, str], usual: Place | None, preprocessing: Preprocessing, seed: int
) -> Place:
    if "data" in where and "worksheet" in where:
        raise TutorError(f"--row {name[:40]}: it has data or a worksheet, not both")
    if "worksheet" in where and "label" in where:
        raise TutorError(f"--row {name[:40]}: a worksheet has its own targets; leave out label")
    if "worksheet" in where:
        return place_of_worksheet(where["worksheet"])
    known = None if usual is None else usual.known
    if "data" in where or ("label" in where and known is not None):
        data, label = where.get("data", known and known.name), where.get("label")
        return place_of_data(str(data), label, None, preprocessing, seed)
    if "label" in where:
        raise TutorError(f"--row {name[:40]}: label is a column of data; say which data, as in data=my.csv label=price")
    if usual is None:
        raise TutorError(
            f"--row {name[:40]}: say what to train on, as in data=moons, or for all rows with --data moons"
        )
    return usual


def place_asked(
    lesson: str | None, data: str | None, label: str | None, task: str | None, preprocessing: Preprocessing, seed: int
) -> Place | None:
    """What all settings are trained on, if anything is named. Raises TutorError for two things at once."""
    if lesson is not None and (data is not None or label is not None or task is not None or preprocessing.is_given):
        raise TutorError(
            "a lesson has its own data: leave out --data, --label, --task, --drop and --missing, or else the lesson"
        )
    if lesson is not None:
        return place_of_worksheet(lesson)
    return None if data is None else place_of_data(data, label, task, preprocessing, seed)


def is_experiment(lesson: str, more: bool) -> bool:
    """Whether LESSON/NAME is an experiment, or LESSON has one and nothing more is said that would be compared. Raises
    TutorError where there is neither an experiment nor a worksheet of that name."""
    from tutor.course.read import Course
    from tutor.lessons.course_text import CourseText
    from tutor.lessons.find import address, open_lesson

    name, experiment = address(lesson)
    opened = open_lesson(name)
    if not isinstance(opened, CourseText):
        return False
    known = Course(name, opened).of_kind("experiment")
    if not experiment:
        return bool(known) and not more
    if experiment not in known and experiment not in opened.worksheets:
        valid = [*known, *opened.worksheets]
        raise TutorError(f"{name}: there is no experiment or worksheet {experiment[:60]!r}{nearest(experiment, valid)}")
    return experiment in known


def measures_typed(text: str | None) -> list[Measure]:
    """What `--columns` names. Raises TutorError for what is no measure."""
    from tutor.experiments.measures import read_measures

    try:
        found = read_measures(text or "")
    except ValueError as error:
        raise TutorError(f"--columns: {error}") from None
    if text is not None and not found:
        raise TutorError("--columns names the measures of the table, as in parameters,worst_error")
    return found
