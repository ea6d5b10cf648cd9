"""What a sheet asks and what it is worth: which quantities, how many digits, how many points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import TypeVar

from tutor.errors import TutorError, counted, listed, nearest, nearest_in
from tutor.formulas.names import find_name
from tutor.lessons.format import Homework
from tutor.marking.answer import DEFAULT, Demand, WrittenNumber, read_written
from tutor.marking.formula_answer import EITHER
from tutor.marking.marked import MarkedSheet, Misconception
from tutor.marking.systematic import LINE
from tutor.marking.verdict import CREDIT
from tutor.slips.registry import ARITHMETIC, SCALED, SWAPPED_VALUES
from tutor.worksheet.step import STAGES, Worksheet, by_stage

Thing = TypeVar("Thing")
_SEVERAL = 5
_FACTOR = Decimal("0.05")  # by which the key times a number differs from the key at least


@dataclass(frozen=True)
class Assignment:
    """`asked` in worksheet order. `carried_penalty` is the share taken off a cell that follows from an error.

    With `charge_once` a slip that occurs in several cells costs the points of one of them. `answers` says what they may
    be. The right number beside a wrong formula has half of its points. `dropped` are the quantities that do not count,
    `accepted` the numbers that are right beside the key.
    """

    asked: Sequence[str]
    points: Mapping[str, float]
    demands: Mapping[str, Demand]
    carried_penalty: float
    charge_once: bool
    answers: str = EITHER
    dropped: Sequence[str] = ()
    accepted: Mapping[str, Sequence[WrittenNumber]] = field(default_factory=dict)

    @property
    def changes(self) -> list[str]:
        """What a teacher has changed about questions that turned out to be flawed."""
        told = [f"{listed(self.dropped)}: does not count"] if self.dropped else []
        return told + [
            f"{name}: {listed(str(other.value) for other in others)} is accepted too"
            for name, others in self.accepted.items()
        ]

    @cached_property
    def max_score(self) -> float:
        return round(sum(self.points.values()), 6)

    def earned(self, sheet: MarkedSheet) -> dict[str, float]:
        """The points of every cell that counts."""
        right = [c.mark.name for c in sheet.cells if c.mark.verdict == "correct" and self.points.get(c.mark.name)]
        room = sum(self.points[name] for name in right)
        excused: set[str] = set()
        no_work = _why_no_work(sheet)
        for name in self._excusable(sheet) if self.charge_once and not no_work else ():
            if self.points[name] <= room:
                room -= self.points[name]
                excused.add(name)
        shows_work = not no_work and self._has_right_lines_enough(sheet)
        earned: dict[str, float] = {}
        for cell in sheet.cells:
            name, verdict = cell.mark.name, cell.mark.verdict
            if name in self.points:
                fined = name in excused or (verdict == "carried" and name in sheet.after_errors)
                share = 1 - self.carried_penalty if fined else 1
                if cell.half:
                    share /= 2
                counts = verdict in CREDIT and not cell.degenerate and (verdict != "carried" or shows_work)
                earned[name] = self.points[name] * share if counts or name in excused else 0
        return earned

    def shows_sound_work(self, sheet: MarkedSheet) -> bool:
        """Whether there are at least as many lines that are correct against the key as there are mistakes: one made
        everywhere counts one, one made line by line each time, and so does each line that the story leaves over. One
        number in all lines, or the key times one number, is no work at all."""
        return not _why_no_work(sheet) and self._has_right_lines_enough(sheet)

    def _has_right_lines_enough(self, sheet: MarkedSheet) -> bool:
        if not sheet.root_errors:
            return True
        right = sum(c.mark.verdict == "correct" and bool(self.points.get(c.mark.name)) for c in sheet.cells)
        told = {name for m in sheet.misconceptions for name in m.cells}
        left = sum(name not in told for name in sheet.root_errors)
        mistakes = sum(m.apart + (m.scope != LINE) for m in sheet.misconceptions if not m.is_other)
        return mistakes + left <= right

    def please_look(self, sheet: MarkedSheet) -> Iterator[str]:
        """Why a teacher should look at the sheet."""
        if no_work := _why_no_work(sheet):
            yield f"{no_work}, so that only lines which are right earn anything"
        elif not self._has_right_lines_enough(sheet):
            yield "more mistakes than lines that agree with the key, so that lines which only follow earn nothing"
        if nothing := [cell.mark.name for cell in sheet.cells if cell.degenerate and cell.mark.name in self.points]:
            lines = counted(len(nothing), "line")
            yield f"{lines} below a 0 or below weights left as they were, in which nothing is left to show"

    def _excusable(self, sheet: MarkedSheet) -> Iterator[str]:
        """The lines after the first that the same mistake explains."""
        for told in sheet.misconceptions:
            if not told.is_other:
                yield from self._excused(sheet, told)

    def _excused(self, sheet: MarkedSheet, misconception: Misconception) -> Iterator[str]:
        """Of a slip found line by line those in which it is more than a guess."""
        counting = [name for name in misconception.cells if self.points.get(name)]
        for cell in sheet.cells if misconception.id not in (SWAPPED_VALUES, ARITHMETIC) else ():
            if cell.mark.name in counting[1:] and any(fit.id == misconception.id and fit.likely for fit in cell.slips):
                yield cell.mark.name

    def is_done(self, sheet: MarkedSheet) -> bool:
        """Whether every asked cell earns credit."""
        asked = (cell for cell in sheet.cells if cell.mark.name in self.points)
        return all(cell.mark.verdict in CREDIT and not (cell.degenerate or cell.earlier or cell.half) for cell in asked)


def _why_no_work(sheet: MarkedSheet) -> str:
    """Why the sheet was not worked at all; nothing for most."""
    if not sheet.root_errors:
        return ""
    if _says_one_number(sheet):
        return "the same number in every line"
    key, written = sheet.working.program.key, sheet.working.written
    lines = [(key[place], w) for place, w in written.items() if key[place] or w.value]
    if _are_multiples(lines):
        return "the right numbers times the same in every line"
    if _stages_scaled(sheet) > 1 and _are_multiples([(t, w) for t, w in lines if abs(w.value - t) > w.half]):
        return "the right numbers times the same in every line that is not right"
    return ""


def _stages_scaled(sheet: MarkedSheet) -> int:
    """In how many stages lines are told to be a multiple of what they should be. Somebody with one wrong sign has all
    gradients negated, but not the weights that follow."""
    by_name = sheet.working.program.worksheet.by_name
    told = (m for m in sheet.misconceptions if m.id in SCALED and not m.is_other)
    return len({by_name[name].stage for m in told for name in m.cells})


def _says_one_number(sheet: MarkedSheet) -> bool:
    """Whether the same number stands in all of several lines."""
    numbers = [written.value for written in sheet.working.written.values()]
    return len(numbers) >= _SEVERAL and len(set(numbers)) == 1


def _are_multiples(lines: Sequence[tuple[Decimal, WrittenNumber]]) -> bool:
    """Whether all of several lines are the right numbers times one factor, as negated or doubled in a spreadsheet: each
    line after the first often follows from those above, and yet nobody works so."""
    if len(lines) < _SEVERAL or not all(truth for truth, _ in lines):
        return False
    truth, largest = max(lines, key=lambda line: abs(line[0]))
    factor = largest.value / truth
    return abs(factor - 1) > _FACTOR and all(abs(w.value - factor * t) <= (1 + abs(factor)) * w.unit for t, w in lines)


def assign(worksheet: Worksheet, homework: Homework) -> Assignment:
    """What a lesson's [homework] asks of its worksheet. Raises TutorError where it names what is not there."""
    asked = set(_chosen(worksheet, homework.ask, "ask")) if homework.ask else {*worksheet.by_name}
    dropped = set(_chosen(worksheet, homework.drop, "drop"))
    names = [step.name for step in worksheet.steps if step.name in asked and step.name not in dropped]
    points = _by_quantity(worksheet, homework.points, "points", Fraction(1))
    decimals = _by_quantity(worksheet, homework.decimals, "decimals", None)
    significant = _by_quantity(worksheet, homework.significant, "significant", None)
    demands = {name: _demand(decimals[name], significant[name]) for name in names}
    return Assignment(
        names,
        {name: _plain(points[name] or 0) for name in names},
        demands,
        _plain(homework.carried_penalty or 0),
        homework.charge == "once",
        homework.answers,
        [step.name for step in worksheet.steps if step.name in dropped],
        {name: others for item in homework.accept.items() for name, others in _accepted(worksheet, *item)},
    )


def _accepted(worksheet: Worksheet, word: str, numbers: Sequence[str]) -> Iterator[tuple[str, list[WrittenNumber]]]:
    """What is accepted for a quantity beside the key. Raises TutorError where it is no number."""
    try:
        yield find_name(word, worksheet.by_name), [read_written(number) for number in numbers]
    except TutorError:
        hint = nearest(word, worksheet.by_name)
        raise TutorError(f"homework.accept: {word!r} is no quantity of this worksheet{hint}") from None
    except ValueError:
        raise TutorError(f'homework.accept: {word} takes numbers as text, as in {word!r} = ["0.35"]') from None


def _plain(value: Fraction | int) -> float:
    return int(value) if value == int(value) else float(value)


def _demand(decimals: int | None, significant: int | None) -> Demand:
    if decimals is not None:
        return Demand(None, decimals, asked=True)
    return DEFAULT if significant is None else Demand(significant, asked=True)


def _chosen(worksheet: Worksheet, words: Iterable[str], key: str) -> list[str]:
    return [name for word in words for name in _meant(worksheet, word, key)]


def _meant(worksheet: Worksheet, word: str, key: str) -> list[str]:
    """The quantities that a word means: a stage, or one quantity."""
    if word in STAGES:
        return [step.name for step in worksheet.steps if step.stage == word]
    try:
        return [find_name(word, worksheet.by_name)]
    except TutorError:
        stages = by_stage(worksheet.steps)
        hint = nearest_in(word, {"stages": [stage for stage, names in stages.items() if names], **stages})
        raise TutorError(
            f"homework.{key}: {word!r} is neither a stage nor a quantity of this worksheet{hint}"
        ) from None


def _by_quantity(
    worksheet: Worksheet, given: Thing | Mapping[str, Thing] | None, key: str, default: Thing | None
) -> dict[str, Thing | None]:
    """One value for every quantity; in a table a single quantity counts more than its stage."""
    if not isinstance(given, Mapping):
        return dict.fromkeys(worksheet.by_name, default if given is None else given)
    found: dict[str, Thing | None] = dict.fromkeys(worksheet.by_name, default)
    for word in sorted(given, key=lambda word: word not in STAGES):
        for name in _meant(worksheet, word, key):
            found[name] = given[word]
    return found
