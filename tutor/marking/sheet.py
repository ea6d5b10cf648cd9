"""A whole sheet marked: every cell, the root errors in their order, and what went wrong in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tutor.marking.answer import is_same
from tutor.marking.candidates import Candidates
from tutor.marking.diagnosis import Diagnosis, Fit
from tutor.marking.formula_answer import RIGHT, WRONG, Formulas
from tutor.marking.machine import as_computed
from tutor.marking.student import Working
from tutor.marking.verdict import Mark, Marker
from tutor.numbers import decimals
from tutor.slips.registry import ARITHMETIC, SWAPPED_VALUES

_MOST_TRIED = 40  # explanations by a blank line that are followed to the end of the sheet
_WORTH_SOLVING = 2  # later lines wrong, before an unknown slip in a blank line is looked for


class Cell(NamedTuple):
    """A marked answer; a root error has the slips that fit, the best first.

    `formula` is set where the answer is or has one: right, wrong or undecided; `reason` where it cannot be read.
    """

    mark: Mark
    slips: Sequence[Fit] = ()
    formula: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class MarkedSheet:
    """`after_errors` are the lines that stand on a root error, or on a blank line in which a slip sits."""

    cells: Sequence[Cell]
    misconceptions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    after_errors: frozenset[str] = frozenset()

    @property
    def root_errors(self) -> list[str]:
        return [cell.mark.name for cell in self.cells if cell.mark.verdict == "wrong"]


class SheetMarker:
    """Marks sheets and names slips. `asked` are the quantities that a sheet must answer, in worksheet order."""

    def __init__(self, marker: Marker, asked: Sequence[str], candidates: Candidates | None = None) -> None:
        self.marker, self.asked = marker, asked
        self.program = marker.program
        self.candidates = candidates or Candidates(self.program.compiled)
        self.diagnosis = Diagnosis(self.program, self.candidates)
        self.formulas = Formulas(self.program)

    def mark(self, answers: Mapping[str, str]) -> MarkedSheet:
        """`answers` has the text written for each name; a name that is asked and not there is missing."""
        with decimals.precision(self.program.digits):
            return self._mark(answers)

    def _mark(self, answers: Mapping[str, str]) -> MarkedSheet:
        places = self.program.places
        found = {places[name]: text for name, text in answers.items()}
        for name in self.asked:
            found.setdefault(places[name], "")
        texts = {place: found[place] for place in sorted(found)}
        written, judged, reasons = self.formulas.read(texts)
        working = as_computed(Working(self.program, written, self.marker.demand_at))
        marks = self._marks(working, texts, judged)
        slips: dict[int, Sequence[Fit]] = {}
        while (root := next((p for p in texts if marks[p].verdict == "wrong" and p not in slips), None)) is not None:
            if judged.get(root) == RIGHT:  # then only the number is off
                slips[root] = ()
                continue
            slips[root], followed = self._diagnose(working, root)
            if followed is not None:
                working = followed
                marks |= self._marks(working, {p: text for p, text in texts.items() if p > root}, judged)
        cells = [Cell(mark, slips.get(p, ()), judged.get(p, ""), reasons.get(p, "")) for p, mark in marks.items()]
        if not slips:
            return MarkedSheet(cells)
        return MarkedSheet(cells, _misconceptions(cells), self._after([*slips, *working.held]))

    def _after(self, places: Sequence[int]) -> frozenset[str]:
        names, followers = self.program.names, self.program.compiled.followers
        return frozenset(names[follower] for place in places for follower in followers[place] if follower != place)

    def _marks(self, working: Working, texts: Mapping[int, str], judged: Mapping[int, str]) -> dict[int, Mark]:
        """The mark of each answer. A wrong formula earns nothing for a value that happens to be close."""
        marks = self.marker.marks(working, texts)
        for place in (p for p, found in judged.items() if found == WRONG and p in texts):
            mark, written = marks[place], working.written[place]
            truths = (truth for truth in (mark.key, mark.own) if truth is not None)
            if written.exponent is None and not any(is_same(written.value, truth) for truth in truths):
                marks[place] = mark._replace(verdict="wrong")
        return marks

    def _diagnose(self, working: Working, root: int) -> tuple[Sequence[Fit], Working | None]:
        """The slips that fit, and the sheet with the value of the blank line in which the slip seems to sit."""
        written = working.written[root]
        direct = self.diagnosis.direct(working, root, written)
        blank = self.diagnosis.through_blanks(working, root, written, anything=not direct)
        if direct and not blank:
            return direct, None
        later = sorted(place for place in working.written if place > root)
        here = self._errors(working, later)
        adopted, followed = self._best(working, root, blank[:_MOST_TRIED], later, here + (not direct))
        if not direct and adopted is None and here >= _WORTH_SOLVING:
            guesses = list(self.diagnosis.unknown(working, root, written))
            adopted, followed = self._best(working, root, guesses, later, here - _WORTH_SOLVING + 1)
        return _one_of_each([*([adopted] if adopted is not None else []), *direct, *blank]), followed

    def _best(
        self, working: Working, root: int, fits: Sequence[Fit], later: Sequence[int], most: int
    ) -> tuple[Fit | None, Working | None]:
        """The explanation by a blank line that leaves the fewest later lines wrong, if those are less than `most`."""
        best: tuple[int, Fit | None, Working | None] = (most, None, None)
        for fit in fits:
            held = {**working.held, fit.place: (fit.value, fit.spread)}
            followed = Working(self.program, working.written, working.demands, held)
            errors = self._errors(followed, later)
            if errors < best[0]:
                best = (errors, fit, followed)
        return best[1], best[2]

    def _errors(self, working: Working, places: Sequence[int]) -> int:
        """How many lines are wrong when the sheet stands like this."""
        written, verdict = working.written, self.marker.verdict
        return sum(verdict(working, place, written[place]) == "wrong" for place in places)


def _one_of_each(fits: Sequence[Fit]) -> list[Fit]:
    """Each slip once, where it fits best."""
    found: dict[str, Fit] = {}
    for fit in fits:
        found.setdefault(fit.id, fit)
    return list(found.values())


def _misconceptions(cells: Sequence[Cell]) -> dict[str, list[str]]:
    """Which root errors the same slip explains: of the slips that fit, the one that explains most of them.

    The slip that explains almost anything is taken only where no other fits.
    """
    if not any(cell.slips for cell in cells):
        return {}
    common = Counter(slip for cell in cells for slip in {fit.id for fit in cell.slips})
    common[SWAPPED_VALUES] = common[ARITHMETIC] = 0
    found: dict[str, list[str]] = {}
    for cell in cells:
        if cell.slips:
            best = max(cell.slips, key=lambda fit: common[fit.id])
            found.setdefault(best.id, []).append(cell.mark.name)
    return found
