"""Which data a training was given: found once, and found again unchanged."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tutor.data.builtin import DATA, Data, load, of_classes
from tutor.data.limits import Task, size_of
from tutor.data.preprocessing import NO_PREPROCESSING, Missing, Preprocessing
from tutor.data.readers import is_file_name, read_file
from tutor.errors import TutorError
from tutor.read_files import is_file, opened

_PIECE = 1 << 20


@dataclass(frozen=True)
class Source:
    """A data set by its name and seed, or a file by its name as it was typed, its size and its SHA-256."""

    name: str
    seed: int = 0
    label: str | None = None
    size: int | None = None
    sha256: str | None = None
    task: Task = ""
    drop: tuple[str, ...] = ()
    missing: Missing = ""
    classes: tuple[str, ...] = ()

    @property
    def preprocessing(self) -> Preprocessing:
        return Preprocessing(self.drop, self.missing, self.classes)

    @property
    def is_file(self) -> bool:
        return self.sha256 is not None


def is_named(name: str) -> bool:
    """Whether this is a data set of the program rather than a file, which has its ending."""
    return name in DATA or not is_file_name(name)


def files_of(name: str) -> list[Path]:
    """The file that data are read from, if they are."""
    return [] if is_named(name) else [Path(name)]


def open_data(
    name: str, label: str | None, seed: int, task: Task = "", preprocessing: Preprocessing = NO_PREPROCESSING
) -> Data:
    """The data set of that name, or the examples in that file; those of the classes that are wanted."""
    found = load(name, seed) if is_named(name) else read_file(Path(name), label, task, preprocessing)
    return of_classes(found, preprocessing.classes)


def source_of(
    name: str, label: str | None, seed: int, task: Task = "", preprocessing: Preprocessing = NO_PREPROCESSING
) -> Source:
    """What has to be known to find the same data again. To be asked before a file is read: it may change later."""
    if is_named(name):
        if label is not None:
            raise TutorError(f"--label names a column of a file; {name!r} is a data set with classes of its own")
        if task:
            raise TutorError(f"--task says what the labels of a file are; what {name!r} has to be learned is known")
        if preprocessing.of_columns:
            raise TutorError(f"--drop and --missing are for the columns of a file; {name!r} has no gaps and no text")
        return Source(name, seed, classes=preprocessing.classes)
    path, of = Path(name), preprocessing
    return Source(name, seed, label, size_of(path), _digest(path), task, of.drop, of.missing, of.classes)


def possible_paths(source: Source, run: Path) -> list[Path]:
    """Where the file of a saved run's data is looked for, if there is one: where it was, then beside the run."""
    return [Path(source.name), run.parent / Path(source.name).name] if source.is_file else []


def found_again(source: Source, run: Path) -> Data:
    """The same data: a file is looked for where it was, then beside the saved run `run`.

    Raises TutorError where there is none, or another one.
    """
    if not source.is_file:
        return of_classes(load(source.name, source.seed), source.classes)
    path = next((place for place in possible_paths(source, run) if is_file(place)), None)
    if path is None:
        raise TutorError(f"{run} was trained on {source.name[:200]!r}, which is not there; put it beside it")
    if size_of(path) != source.size or _digest(path) != source.sha256:
        raise TutorError(f"{path} has changed since {run} was trained on it; nothing can go on from there")
    return open_data(str(path), source.label, source.seed, source.task, source.preprocessing)


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with opened(path) as file:
        while piece := file.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()
