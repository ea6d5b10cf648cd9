"""From the columns of a table to the inputs of a network: an input for each word of a column, and a number for a gap.

What words there are and what fills a gap is fitted on the training part alone, and is kept with the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import fsum
from typing import TYPE_CHECKING

import numpy as np

from tutor.data.builtin import Data, empty_rows
from tutor.data.columns import DROP
from tutor.data.limits import check_amount
from tutor.data.preprocessing import Columns, Missing
from tutor.errors import TutorError, counted, listed

if TYPE_CHECKING:
    from tutor.data.array_types import Doubles, Floats, Indices

_SHOWN = 5
Words = tuple[tuple[str, ...] | None, ...]


@dataclass(frozen=True)
class Encoding:
    """For each column the words that have an input each, in their order, or None for a column of numbers, which is one
    input. Where gaps are filled, `fill` has the number for a gap of each column, 0 for one of words, whose inputs are
    then all 0; else it is empty."""

    words: Words
    fill: tuple[float, ...] = ()

    @property
    def width(self) -> int:
        """How many inputs there are."""
        return sum(1 if words is None else len(words) for words in self.words)

    def inputs(self, columns: Sequence[str]) -> tuple[str, ...]:
        """The names of the inputs, from those of the columns."""
        named = zip(columns, self.words, strict=True)
        return tuple(n for column, words in named for n in ([column] if words is None else _named(column, words)))

    def apply(self, x: Floats, words: Words) -> Floats:
        """The inputs, (examples, inputs), for the columns of x, (examples, columns), whose words are these."""
        found, at = empty_rows(len(x), self.width, np.float64), 0
        for k, known in enumerate(self.words):
            column = x[:, k]
            if known is None:
                found[:, at] = np.where(np.isnan(column), self.fill[k], column) if self.fill else column
                at += 1
            else:
                here = {word: place for place, word in enumerate(words[k] or ())}
                for word in known:
                    found[:, at] = column == here.get(word, -1)
                    at += 1
        return found

    def unknown(self, x: Floats, words: Words, columns: Sequence[str]) -> Iterator[str]:
        """What to remark of words in x that have no input, column by column."""
        for k, (known, here) in enumerate(zip(self.words, words, strict=True)):
            if known is None or here is None:
                continue
            new = {place: word for place, word in enumerate(here) if word not in known}
            met = [place for place in new if (x[:, k] == place).any()]
            if met:
                shown = [repr(new[place][:40]) for place in met[:_SHOWN]]
                more = [f"{len(met) - _SHOWN} more"] if len(met) > _SHOWN else []
                count = int(np.isin(x[:, k], met).sum())
                have = f"{counted(count, 'example')} {'has' if count == 1 else 'have'}"
                yield (
                    f"{have} {listed([*shown, *more])} in {columns[k][:40]!r}, which no training example has: all "
                    "inputs of that column are 0 for them."
                )


def _named(column: str, words: Sequence[str]) -> list[str]:
    return [f"{column}={word}" for word in words]


def encoded(data: Data, train: Indices) -> tuple[Data, Encoding | None, tuple[str, ...]]:
    """The data with inputs in the place of columns, how they were made, and what to remark; with nothing to be done,
    the data as they are. Fitted on the examples at these indices."""
    if data.columns is None:
        return data, None, ()
    encoding = _fitted(data, data.columns, train)
    check_amount(data.source, (len(data), encoding.width))
    held = np.setdiff1d(np.arange(len(data)), train)
    told = [*_one_hot(data.features, encoding), *encoding.unknown(data.x[held], data.columns.words, data.features)]
    x = encoding.apply(data.x, data.columns.words)
    return replace(data, x=x, features=encoding.inputs(data.features), columns=None), encoding, tuple(told)


def _one_hot(columns: Sequence[str], encoding: Encoding) -> Iterator[str]:
    named = zip(columns, encoding.words, strict=True)
    made = [f"{column[:40]!r} ({len(words)})" for column, words in named if words is not None]
    if made:
        yield f"Each word of a column has an input of its own, 1 where it stands and else 0: {', '.join(made)}."


def _fitted(data: Data, columns: Columns, train: Indices) -> Encoding:
    words, fill = [], []
    for k, (name, known) in enumerate(zip(data.features, columns.words, strict=True)):
        column = data.x[train, k]
        there = column[~np.isnan(column)]
        if not len(there):
            told = DROP.format(repr(name[:40]))
            raise TutorError(f"{data.source}, column {name[:40]!r}: the training part has nothing but gaps; {told}")
        words.append(None if known is None else tuple(sorted(known[int(place)] for place in np.unique(there))))
        fill.append(0.0 if known is not None else _middle(there, columns.missing))
    return Encoding(tuple(words), tuple(fill) if columns.missing in ("mean", "median") else ())


def _middle(values: Doubles, missing: Missing) -> float:
    """The mean, of an exact sum, or the median; 0 where gaps are not filled."""
    if missing == "mean":
        try:
            return fsum(values.tolist()) / len(values)
        except OverflowError:
            raise TutorError("a column has numbers that are too large for a mean; give --missing median") from None
    if missing == "median":
        ordered = np.sort(values)
        low, high = float(ordered[(len(ordered) - 1) // 2]), float(ordered[len(ordered) // 2])
        return low if low == high else low / 2 + high / 2
    return 0.0
