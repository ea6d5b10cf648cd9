"""A whole sheet marked: every cell, the root errors in their order, and what went wrong in each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tutor.arithmetic import decimals
from tutor.homework.candidates import Candidates
from tutor.homework.diagnosis import Diagnosis
from tutor.homework.equivalence import RIGHT, WRONG
from tutor.homework.fit import Fit
from tutor.homework.formulas import Formulas
from tutor.homework.marking import Mark, Marker
from tutor.homework.slips import ARITHMETIC, SWAPPED_VALUES
from tutor.homework.standing import Standing
from tutor.homework.written import Written, is_same

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
        texts = {self.program.places[name]: text for name, text in answers.items()}
        for name in self.asked:
            texts.setdefault(self.program.places[name], "")
        order = sorted(texts)
        written, judged, reasons = self.formulas.read({place: texts[place] for place in order})
        standing = Standing(self.program, written)
        marks = {place: self._mark_one(standing, place, texts[place], judged) for place in order}
        slips: dict[int, Sequence[Fit]] = {}
        while (root := next((p for p in order if marks[p].verdict == "wrong" and p not in slips), None)) is not None:
            if judged.get(root) == RIGHT:  # then only the number is off
                slips[root] = ()
                continue
            fits, followed = self._diagnose(standing, root, written, order)
            slips[root] = fits
            if followed is not None:
                standing = followed
                for place in (p for p in order if p > root):
                    marks[place] = self._mark_one(standing, place, texts[place], judged)
        cells = [Cell(marks[p], slips.get(p, ()), judged.get(p, ""), reasons.get(p, "")) for p in order]
        return MarkedSheet(
            cells, _misconceptions(cells), self._after([*slips, *standing.held]) if slips else frozenset()
        )

    def _after(self, places: Sequence[int]) -> frozenset[str]:
        names, followers = self.program.names, self.program.compiled.followers
        return frozenset(names[follower] for place in places for follower in followers[place] if follower != place)

    def _mark_one(self, standing: Standing, place: int, text: str, judged: Mapping[int, str]) -> Mark:
        """The mark of one answer. A wrong formula earns nothing for a value that happens to be close."""
        written = standing.written.get(place)
        mark = self.marker.mark_one(standing, place, text, written)
        if written is None or written.exponent is not None or judged.get(place) != WRONG:
            return mark
        exact = any(truth is not None and is_same(written.value, truth) for truth in (mark.key, mark.own))
        return mark if exact else mark._replace(verdict="wrong")

    def _diagnose(
        self,
        standing: Standing,
        root: int,
        written: Mapping[int, Written],
        order: Sequence[int],
    ) -> tuple[Sequence[Fit], Standing | None]:
        """The slips that fit, and the sheet with the value of the blank line in which the slip seems to sit."""
        direct = self.diagnosis.direct(standing, root, written[root])
        blank = self.diagnosis.through_blanks(standing, root, written[root], anything=not direct)
        later = [place for place in order if place > root and place in written]
        here = self._errors(standing, later) if later else 0
        adopted, followed = self._best(standing, root, blank[:_MOST_TRIED], later, here + (not direct))
        if not direct and adopted is None and here >= _WORTH_SOLVING:
            guesses = list(self.diagnosis.unknown(standing, root, written[root]))
            adopted, followed = self._best(standing, root, guesses, later, here - _WORTH_SOLVING + 1)
        return _one_of_each([*([adopted] if adopted is not None else []), *direct, *blank]), followed

    def _best(
        self, standing: Standing, root: int, fits: Sequence[Fit], later: Sequence[int], most: int
    ) -> tuple[Fit | None, Standing | None]:
        """The explanation by a blank line that leaves the fewest later lines wrong, if those are less than `most`."""
        best: tuple[int, Fit | None, Standing | None] = (most, None, None)
        for fit in fits:
            held = {**standing.held, fit.place: (fit.value, fit.spread)}
            followed = Standing(self.program, standing.written, held)
            errors = self._errors(followed, later)
            if errors < best[0]:
                best = (errors, fit, followed)
        return best[1], best[2]

    def _errors(self, standing: Standing, places: Sequence[int]) -> int:
        """How many lines are wrong when the sheet stands like this."""
        written = standing.written
        marks = (self.marker.mark_one(standing, p, "", written[p]) for p in places)
        return sum(mark.verdict == "wrong" for mark in marks)


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
