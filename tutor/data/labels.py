"""What is to be learned of a table: the classes or the values in one column, or the values in several."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Protocol

import numpy as np

from tutor.data.cells import GAPS_IN_WORDS, MISSING, number_hint, tidy, value_of
from tutor.data.limits import (
    MOST_CLASSES,
    Task,
    are_classes,
    check_classes,
    doubtful_classes,
    no_values,
    what_was_taken,
)
from tutor.errors import TutorError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tutor.data.array_types import Labels
    from tutor.data.read_table import Table

Targets = tuple["Labels", tuple[str, ...], tuple[str, ...]]
"""The number of the class of each example, (examples,), and their names, or the values, (examples, outputs), and none;
and what to remark."""


class TargetColumns(Protocol):
    """The columns to be learned, row by row."""

    columns: list[int]

    def is_missing(self, row: Sequence[str]) -> bool: ...
    def add(self, number: int, row: Sequence[str]) -> None: ...
    def targets(self) -> Targets: ...


def target_columns(table: Table, columns: list[int], task: Task) -> TargetColumns:
    """Who reads these columns. Raises TutorError where there are several, and they are to be classes."""
    if len(columns) == 1:
        return OneColumn(table, columns[0], task)
    if task == "classes":
        raise TutorError(f"{table.path}: several columns are learned as values; for classes name one, as in --label y")
    return SeveralColumns(table, columns)


class SeveralColumns:
    """Columns of values, an output each."""

    def __init__(self, table: Table, columns: list[int]) -> None:
        self.table, self.columns = table, columns
        self._values = array("d")

    def is_missing(self, row: Sequence[str]) -> bool:
        return any(row[column].strip().lower() in GAPS_IN_WORDS for column in self.columns)

    def add(self, number: int, row: Sequence[str]) -> None:
        self._values.extend(self.table.numbers(number, [row[column] for column in self.columns], self.columns))

    def targets(self) -> Targets:
        return np.frombuffer(self._values, dtype=np.float64).reshape(-1, len(self.columns)), (), ()


class OneColumn:
    """One column: each label as text and, where it is one, a number."""

    def __init__(self, table: Table, column: int, task: Task) -> None:
        self.table, self.columns, self.task = table, [column], task
        self.values, self.codes = array("d"), array("q")
        self.names: dict[str, int] = {}
        self.text_in: int | None = None

    def is_missing(self, row: Sequence[str]) -> bool:
        return row[self.columns[0]].strip().lower() in GAPS_IN_WORDS

    def add(self, number: int, row: Sequence[str]) -> None:
        """Take in a label. Raises TutorError where there is none."""
        text = tidy(row[self.columns[0]])
        if not text:
            said = "the label is missing; fill it in, or leave out such rows with --missing drop"
            raise self.table.wrong(number, self.columns[0], said)
        value = self.table.value(number, text)
        if value is None:
            self.text_in = self.text_in or number
        if text not in self.names and len(self.names) <= MOST_CLASSES:
            self.names[text] = len(self.names)
        self.values.append(0.0 if value is None else value)
        self.codes.append(self.names.get(text, -1))

    def targets(self) -> Targets:
        """Classes or values. Raises TutorError where the labels cannot be learned."""
        values, codes = np.frombuffer(self.values, dtype=np.float64), np.frombuffer(self.codes, dtype=np.int64)
        label = self.table.names[self.columns[0]]
        where = f"{self.table.path}, column {label[:40]!r}"
        few = len(self.names) <= MOST_CLASSES
        if self.text_in is not None:
            self._check_text(where, few, self.text_in)
            counts = np.bincount(codes, minlength=len(self.names)).tolist()
            return codes, tuple(self.names), doubtful_classes(label, tuple(self.names), counts)
        by_value: dict[float, str] = {}
        for name in self.names:
            by_value.setdefault(self.table.value(0, name) or 0.0, name)
        classed = (few or self.task == "classes") and are_classes(where, by_value, self.task)
        remarks = what_was_taken(label, by_value, classed, self.task)
        if not classed:
            return values[:, None], (), remarks
        different = sorted(by_value)
        classes = tuple(by_value[value] for value in different)
        check_classes(where, classes, len(codes))
        return np.searchsorted(np.array(different), values), classes, remarks

    def _check_text(self, where: str, few: bool, text_in: int) -> None:
        """Raises TutorError where labels that are text cannot be classes."""
        if not few:
            raise TutorError(f"{where}: more than {MOST_CLASSES} classes; are these the labels?")
        words = {name for name in self.names if value_of(name, self.table.decimal_commas) is None}
        dressed = min(words)
        if (how := number_hint(dressed)) and all(map(number_hint, words)):
            raise TutorError(f"{where}: {dressed[:40]!r} is not a number{how}; write all of them so")
        check_classes(where, tuple(self.names), len(self.codes))
        if len(words) < len(self.names) and all(word.lower() in MISSING for word in words):
            raise self.table.wrong(text_in, self.columns[0], f"{min(words)!r} is no label, the others are numbers")
        if self.task == "regression":
            raise no_values(where)
