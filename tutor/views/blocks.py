"""What there is to see, before anybody decides how it is said: plain data that every printer understands.

A view makes blocks and knows no width, no colour and no voice; a printer has one function for each kind of block. Text
stands in a block as somebody wrote it, and a formula as its tree: the printer spells both, and makes them harmless.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from string import ascii_letters
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from tutor.errors import counted

if TYPE_CHECKING:
    from tutor.worksheet.named_network import NamedNetwork


class Formula(Struct, frozen=True):
    """An expression within a text; with `numbers`, each quantity as the text of its number."""

    expression: Any
    numbers: Mapping[str, str] | None = None


class Strong(Struct, frozen=True):
    """Words that stand out."""

    text: str


class Aside(Struct, frozen=True):
    """Words that may be passed over."""

    text: str


class Code(Struct, frozen=True):
    """A name or an answer exactly as it is typed."""

    text: str


class Sign(Struct, frozen=True):
    """What stands in a picture for that which is named next, with what parts the two. Where nobody sees the picture it
    is not said."""

    text: str


class Verdict(Struct, frozen=True):
    """A verdict, or what is said in its colour."""

    verdict: str
    text: str = ""


Piece = str | Formula | Strong | Aside | Code | Sign | Verdict
Text = Piece | tuple[Piece, ...]


def pieces(text: Text) -> tuple[Piece, ...]:
    return text if isinstance(text, tuple) else (text,)


def called(name: str, sign: str) -> tuple[Piece, ...]:
    """The name of what a picture has a sign for, after that if it is another."""
    return (name,) if sign == name else (Sign(f"{sign}, "), name)


class Level(Enum):
    """What a heading stands over: everything, a section, or a few lines."""

    TITLE = 1
    SECTION = 2
    LINES = 3


class Heading(Struct, frozen=True):
    text: Text
    level: Level = Level.SECTION


class Paragraph(Struct, frozen=True):
    """Text that is wrapped as it needs; one that belongs to what stands above it is set in by some columns. What is
    said of a table or a picture that can be `seen` is not read aloud."""

    text: Text
    indent: int = 0
    seen: bool = False


class Verbatim(Struct, frozen=True):
    """Lines to be shown exactly as they are, such as a program's."""

    text: str


class Break(Struct, frozen=True):
    """Something else begins."""


class Kind(Enum):
    """What stands in a column. Numbers and answers are read from their ends."""

    TEXT = "text"
    NAME = "name"
    NUMBER = "number"
    ANSWER = "answer"


class Column(Struct, frozen=True):
    """A `continued` column goes on with the one before it, and stands below that where there is no room beside it."""

    heading: str
    kind: Kind = Kind.TEXT
    continued: bool = False


class Row(Struct, frozen=True):
    """The cells of a row, and `told`, the sentence that reads them aloud. `lines` say the same where there are no
    columns, if the sentence is not to do it. One row of a table may be the `best`; a row `ends` a section."""

    cells: tuple[Text, ...]
    told: Text
    lines: tuple[Paragraph, ...] = ()
    best: bool = False
    ends: bool = False


class Table(Struct, frozen=True):
    """Rows under headings. One of `whole` cells, mostly numbers, is read down as well as across: no cell of it is ever
    broken but between its pieces, and it stays a table wherever it fits. `narrower` takes its place where it does not
    fit, `aloud` where it is read aloud; else each row has its sentence. `about` is what columns do not say themselves
    and sentences do. A table that is `apart` has room before it, if it is one."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    whole: bool = False
    narrower: Table | Paragraph | None = None
    aloud: Paragraph | None = None
    about: str = ""
    apart: bool = False


class Confusion(Struct, frozen=True):
    """How often each class, a row, was taken for each, a column."""

    title: str
    classes: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]

    @property
    def told(self) -> str:
        """The confusions alone."""
        wrong = [
            f"{counted(count, 'time')} {name} for {taken}"
            for name, row in zip(self.classes, self.counts, strict=True)
            for taken, count in zip(self.classes, row, strict=True) if taken != name and count
        ]  # fmt: skip
        return f"Taken wrongly: {'; '.join(wrong)}." if wrong else "None was taken wrongly."

    @property
    def table(self) -> Table:
        rows = []
        for name, row in zip(self.classes, self.counts, strict=True):
            told = ", ".join(f"{count} for {taken}" for taken, count in zip(self.classes, row, strict=True))
            rows.append(Row((Strong(name), *map(str, row)), f"{name} was taken {told}."))
        columns, words = (Column(""), *(Column(name, Kind.NUMBER) for name in self.classes)), Paragraph(self.told)
        return Table(columns, tuple(rows), whole=True, narrower=words, aloud=words)


class Printed(Struct, frozen=True):
    """A value as a source prints it: where, what is thought of it, and what there is to say about it."""

    name: str
    value: str
    verdict: str
    note: str = ""
    place: str = ""

    @property
    def remark(self) -> str:
        """The note with what it is about; empty where there is none."""
        place = f" ({self.place})" if self.place else ""
        return f"{self.name}{place}, printed {self.value}, {self.verdict}: {self.note}" if self.note else ""


class Calculation(Struct, frozen=True):
    """A line of a worksheet: a quantity, its formula, the numbers to be put into it, the value.

    `exact` says whether these numbers are the exact ones or shown rounded. `position` is which of how many steps it
    is, `remark` what is known of the value besides, `in_full` the value with all its digits, `drift` the exact value
    and how far the rounded one is from it.
    """

    name: str
    reason: str
    formula: Any
    numbers: Mapping[str, str]
    exact: bool
    value: str
    position: str = ""
    remark: str = ""
    in_full: str = ""
    drift: tuple[str, str] | None = None
    printed: tuple[Printed, ...] = ()


class Calculations(Struct, frozen=True):
    """Lines that belong together, as a table where there is room; `more` says how many others there are."""

    lines: tuple[Calculation, ...]
    more: str = ""


class Derivation(Struct, frozen=True):
    """How a derivative comes out: every expression with the rule that led to it."""

    name: str
    lines: tuple[tuple[Any, str], ...]


class Network(Struct, frozen=True):
    """Layers, neurons, weights with their values, and the examples: the inputs and the targets of each."""

    named_network: NamedNetwork
    labels: Mapping[str, str]
    examples: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


class Axis(Struct, frozen=True):
    """From where to where a plot goes. `ticks` are where a part of a picture ends, where the axis itself gives way to
    that: at round numbers, or at whole ones, counted from its beginning."""

    label: str
    low: float
    high: float
    ticks: Literal["", "round", "whole"] = ""


class Series(Struct, frozen=True):
    """Points in their order, and what is drawn: a line through them, fainter if it is one of equal value (`level`), or
    each of them, as a dot or with the sign. At the points that are `marked` a line has its sign."""

    points: tuple[tuple[float, float], ...]
    drawn: Literal["line", "points", "level"] = "line"
    sign: str = ""
    marked: tuple[tuple[float, float], ...] = ()


class Plot(Struct, frozen=True):
    """Curves, and `told`, their numbers in words. Where a picture cannot be read without these, it is `keyed`: they
    stand below it, too. `about` says what to know of the picture."""

    title: str
    across: Axis
    up: Axis
    series: tuple[Series, ...]
    told: tuple[Text, ...]
    about: tuple[Paragraph, ...] = ()
    keyed: bool = False


Cells = Callable[[int, int], Sequence[Sequence[int]]]
"""For so many columns and rows the class of every place, from the top."""
Counts = Callable[[int, int], Mapping[int, float]]
"""For so many columns and rows how many of the places each class has."""
_LOOKED_AT = 120, 120
"""The places at which the shares of a plane are counted: so many that a straight boundary, which anybody can work out,
has its share to the per cent that is told."""


_LISTED = 3
"""The wrong examples whose places are told."""


class Example(Struct, frozen=True):
    """An example in a plane: where it is, the number of its class, and of the one that it is taken for."""

    x: float
    y: float
    of: int
    taken: int

    @property
    def is_wrong(self) -> bool:
        return self.of != self.taken


@dataclass(frozen=True, slots=True)
class Plane:
    """One of some planes: what is said of it alone, the class of each place, and the examples in it."""

    title: str
    cells: Cells = field(compare=False)
    examples: tuple[Example, ...] = ()
    counts: Counts | None = field(default=None, compare=False)


class Regions(Struct, frozen=True):
    """Which part of each plane belongs to which class; each axis has its name and its two ends, the same in all of the
    planes. The examples are those of the `part`; `about` says what else they have in common."""

    title: str
    classes: tuple[str, ...]
    across: tuple[str, float, float]
    up: tuple[str, float, float]
    planes: tuple[Plane, ...]
    part: str = ""
    about: str = ""

    @property
    def signs(self) -> tuple[str, ...]:
        """The sign of an example of each class: the letter that its name begins with where these differ, else a, b, c,
        …"""
        firsts = [name[:1] for name in self.classes]
        distinct = len({*firsts}) == len(firsts) and all(first.isascii() and first.isalnum() for first in firsts)
        return tuple(firsts) if distinct else tuple(ascii_letters[k % 52] for k in range(len(firsts)))

    @property
    def named(self) -> str:
        """The signs with the names of their classes."""
        both = zip(self.signs, self.classes, strict=True)
        return ", ".join(name if name == sign else f"{sign} {name}" for sign, name in both)

    @property
    def extent(self) -> str:
        """From where to where the planes go."""
        (across, left, right), (up, low, high) = self.across, self.up
        return f"{across} from {left:.3g} to {right:.3g}, {up} from {low:.3g} at the bottom to {high:.3g} at the top"

    def shares(self, plane: Plane) -> str:
        """How large a share of the plane each class has, in per cent."""
        columns, rows = _LOOKED_AT
        if plane.counts is None:
            counts: Mapping[int, float] = Counter(int(place) for row in plane.cells(columns, rows) for place in row)
        else:
            counts = plane.counts(columns, rows)
        said = [f"{100 * counts[k] / columns / rows:.0f}% for {name}" for k, name in enumerate(self.classes)]
        return ", ".join(said)

    def mistakes(self, plane: Plane) -> str:
        """How many of the examples are taken for another class, and where some of them are."""
        wrong = [one for one in plane.examples if one.is_wrong]
        part = f"{self.part} " if self.part else ""
        verb = "is" if len(wrong) == 1 else "are"
        whole = f"{len(wrong)} of {len(plane.examples)} {part}examples {verb} taken wrongly"
        names, some = self.classes, wrong[:_LISTED]
        places = [f"{names[one.of]} at {one.x:.3g}, {one.y:.3g} for {names[one.taken]}" for one in some]
        more = [f"{len(wrong) - _LISTED} more"] if len(wrong) > _LISTED else []
        listed = "; ".join([*places, *more])
        return f"{whole} ({listed})" if listed else whole

    @property
    def told(self) -> str:
        """The shares of all planes, and the examples that are on the wrong side."""
        if len(self.planes) == 1 and not self.planes[0].title:
            shares = f"Of the plane it takes {self.shares(self.planes[0])}."
        else:
            said = [f"{plane.title}: {self.shares(plane)}" for plane in self.planes]
            shares = f"Of the plane it takes, {'; '.join(said)}."
        shown = [plane for plane in self.planes if plane.examples]
        wrong = [f"{plane.title}: {self.mistakes(plane)}".removeprefix(": ") for plane in shown]
        if not wrong:
            return shares
        return f"{shares} {'Of the examples, ' if shown[0].title else ''}{'; '.join(wrong)}."


class Commands(Struct, frozen=True):
    """What to type next: the words of each command, and what it does, if that has to be said."""

    ways: tuple[tuple[tuple[str, ...], str], ...]


Block = (
    Heading
    | Paragraph
    | Verbatim
    | Break
    | Table
    | Confusion
    | Calculation
    | Calculations
    | Derivation
    | Network
    | Plot
    | Regions
    | Commands
)
