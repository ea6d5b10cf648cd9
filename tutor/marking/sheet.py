"""A whole sheet marked: every cell, the root errors in their order, and the story of what went wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from tutor.marking.answer import WrittenNumber, is_same
from tutor.marking.candidates import Candidates
from tutor.marking.computation import Computations
from tutor.marking.degenerate import Degenerate
from tutor.marking.diagnosis import Diagnosis, Fit
from tutor.marking.earlier import Following, still_following
from tutor.marking.floating_point import as_computed
from tutor.marking.formula_answer import EITHER, RIGHT, WRONG, Formulas
from tutor.marking.marked import Cell, MarkedSheet, Misconception
from tutor.marking.story import Mistake, Search
from tutor.marking.student import Working
from tutor.marking.systematic import LINE, SystematicErrors
from tutor.marking.verdict import CREDIT, Mark, Marker
from tutor.numbers import decimals
from tutor.slips.registry import ARITHMETIC, SWAPPED_VALUES

_MOST_TRIED = 40  # explanations by a blank line that are followed to the end of the sheet
_WORTH_SOLVING = 2  # later lines wrong, before an unknown slip in a blank line is looked for


class _Known(NamedTuple):
    """What is known of answers apart from their number: whether their formula is right, and whether they follow from
    an earlier sheet."""

    judged: Mapping[int, str]
    earlier: dict[int, Following]


class SheetMarker:
    """Marks sheets and tells their story. `asked` are the quantities that a sheet must answer, in worksheet order;
    `dropped` those that do not count."""

    def __init__(
        self,
        marker: Marker,
        asked: Sequence[str],
        candidates: Candidates | None = None,
        answers: str = EITHER,
        dropped: Collection[str] = (),
    ) -> None:
        """`answers` says whether those may be numbers, formulas, or either."""
        self.marker, self.asked, self.answers, self.dropped = marker, asked, answers, frozenset(dropped)
        self.program = marker.program
        self.candidates = candidates or Candidates(self.program.compiled)
        self.diagnosis = Diagnosis(self.program, self.candidates)
        self.formulas = Formulas(self.program)

    @property
    def systematic(self) -> SystematicErrors:
        return self.candidates.systematic

    def mark(self, answers: Mapping[str, str], before: Sequence[Mapping[str, str]] = ()) -> MarkedSheet:
        """`answers` has the text written for each name; a name that is asked and not there is missing. `before` are
        earlier sheets of the same writer, the latest first."""
        with decimals.precision(self.program.digits):
            return self._mark(answers, before)

    def _mark(self, answers: Mapping[str, str], before: Sequence[Mapping[str, str]]) -> MarkedSheet:
        places = self.program.places
        given = {places[name]: text for name, text in answers.items()}
        for name in self.asked:
            given.setdefault(places[name], "")
        texts = {place: given[place] for place in sorted(given)}
        read = self.formulas.read(texts, self.answers)
        working = as_computed(Working(self.program, read.written, self.marker.demand_at))
        judged, left = Computations(working, read).judged_and_left()
        known = _Known(judged, {})
        marks = self._marks(working, texts, known)
        if before:
            known = _Known(judged, self._still_following(working, marks, before))
            marks = self._marks(working, texts, known)
        slips: dict[int, Sequence[Fit]] = {
            p: () for p, m in marks.items() if m.verdict == "wrong" and judged.get(p) == RIGHT
        }
        wrong = [p for p, mark in marks.items() if mark.verdict == "wrong" and p not in slips]
        mistakes = Search(working, self.systematic, wrong, partial(self._has_slip, working)).run() if wrong else []
        if mistakes:
            alike = self._slips_alike(working, mistakes)
            working, marks = self._with_story(working, mistakes, marks, texts, known)
            slips |= {
                p: _one_of_each([*self._as_slips(working, mistakes, p), *alike.get(p, ())])
                for p in _explained(mistakes)
                if marks[p].verdict == "wrong"
            }
        working = self._line_by_line(working, texts, known, marks, slips)
        follows = any(m.verdict in CREDIT and m.own != m.key for m in marks.values())
        nothing = Degenerate(working, self.marker).lines if follows else ()
        earlier = known.earlier
        cells = [
            Cell(
                mark,
                () if mark.name in self.dropped else slips.get(p, ()),
                judged.get(p, ""),
                read.reasons.get(p, ""),
                mark.verdict == "carried" and (p in nothing or (p in earlier and earlier[p].degenerate)),
                [self.program.names[x] for x in earlier[p].changed] if p in earlier else (),
                mark.verdict in CREDIT and judged.get(p) == WRONG and read.is_beside(p),
                left.get(p),
                p in self.marker.accepted and mark.verdict == "correct" and self._is_only_accepted(p, working.written),
            )
            for p, mark in marks.items()
        ]
        if not slips:
            return MarkedSheet(cells, working, after_errors=self._after(list(earlier)), dropped=self.dropped)
        places, names = self.program.places, self.program.names
        story = self._story(mistakes, marks, working.written)
        single = _single(cells, {p for m in mistakes for p in m.explains}, places)
        misconceptions = list(self._counting(_told_once([*story, *single], places)))
        misconceptions.sort(key=lambda m: -len(m.cells))
        errors = [place for place in (*slips, *working.held) if names[place] not in self.dropped]
        return MarkedSheet(cells, working, misconceptions, self._after([*errors, *earlier]), self.dropped)

    def _is_only_accepted(self, place: int, written: Mapping[int, WrittenNumber]) -> bool:
        if (answer := written.get(place)) is None or not self.marker.accepts(place, answer):
            return False
        return bool(abs(answer.value - self.program.key[place]) > answer.half)

    def _counting(self, misconceptions: Iterable[Misconception]) -> Iterator[Misconception]:
        """Without those that show in lines alone that do not count."""
        for told in misconceptions:
            cells = [name for name in told.cells if name not in self.dropped]
            if cells or not told.cells:
                yield told._replace(cells=cells)

    def _has_slip(self, working: Working, place: int) -> bool:
        written, diagnosis = working.written[place], self.diagnosis
        return bool(
            diagnosis.direct(working, place, written)
            or diagnosis.through_blanks(working, place, written, anything=False)
        )

    def _line_by_line(
        self,
        working: Working,
        texts: Mapping[int, str],
        known: _Known,
        marks: dict[int, Mark],
        slips: dict[int, Sequence[Fit]],
    ) -> Working:
        """Diagnose the root errors that the story leaves over, one after the other; `marks` and `slips` are completed.
        Returns the sheet with the values of the blank lines in which slips seem to sit."""
        while (root := next((p for p in texts if marks[p].verdict == "wrong" and p not in slips), None)) is not None:
            slips[root], followed = self._diagnose(working, root)
            if followed is not None:
                working = followed
                again = self._marks(working, {p: text for p, text in texts.items() if p > root}, known)
                marks |= {p: mark for p, mark in again.items() if p not in slips}
        return working

    def _with_story(
        self,
        working: Working,
        mistakes: Sequence[Mistake],
        marks: Mapping[int, Mark],
        texts: Mapping[int, str],
        known: _Known,
    ) -> tuple[Working, dict[int, Mark]]:
        """The sheet with the story in its blank lines, and its marks. The lines that show a mistake in a blank line
        first stay root errors."""
        followers = self.program.compiled.followers
        for mistake in mistakes:
            for place, value, tolerance in self._blank_values(working, mistake):
                working = Working(
                    self.program, working.written, working.demands, {**working.held, place: (value, tolerance)}
                )
        again = self._marks(working, texts, known)
        explained = sorted(_explained(mistakes))
        shown = {next((p for p in explained if p in followers[blank]), None) for blank in working.held}
        return working, {p: marks[p] if p in shown else mark for p, mark in again.items()}

    def _blank_values(self, working: Working, mistake: Mistake) -> Iterator[tuple[int, Decimal, float]]:
        """What the blank lines come to that the mistake changes, and how far each may be off; those above first."""
        compiled, program = self.program.compiled, self.program
        values, spreads = list(working.values), dict[int, float]()
        change, given = mistake.change, mistake.given
        if given is not None:
            values[given] = mistake.read_as
        places = change.formulas if change else compiled.users[given] if given is not None else ()
        for place in sorted(p for p in places if p not in working.written and p not in working.held):
            value = change.value(place, values) if change is not None else program.value(place, values)
            if value is None:
                continue
            spreads[place] = working.bounds(place).likely
            yield place, value, spreads[place]
            values[place] = value
            for follower in sorted(compiled.followers[place] - {place}):
                if follower not in working.written and follower not in places:
                    values[follower] = program.value(follower, values)

    def _slips_alike(self, working: Working, mistakes: Sequence[Mistake]) -> dict[int, list[Fit]]:
        """By the first line that a misread given explains: the slips in blank lines that explain all the same lines."""
        found: dict[int, list[Fit]] = {}
        for mistake in (m for m in mistakes if m.given is not None):
            first = min(mistake.explains)
            for fit in self.diagnosis.through_blanks(working, first, working.written[first], anything=False):
                held = {**working.held, fit.place: (fit.value, fit.tolerance)}
                followed = Working(self.program, working.written, working.demands, held)
                if not self._errors(followed, mistake.explains):
                    found.setdefault(first, []).append(fit)
        return found

    def _as_slips(self, working: Working, mistakes: Sequence[Mistake], place: int) -> list[Fit]:
        """The mistakes of the story that explain the line, as slips."""
        mine = next(m for m in mistakes if place in m.explains)
        return [self._fit(working, mistake, place) for mistake in (mine, *mine.also)]

    def _fit(self, working: Working, mistake: Mistake, place: int) -> Fit:
        """The mistake as a slip in the line that shows it, or in the blank one above in which it sits."""
        change = mistake.change
        at = place if change is None else change.sits_in(place, working.written)
        said = mistake.hint if change is None or at not in change.formulas else change.hint(at)
        here = working.written[place].value if at == place else working.values[at]
        return Fit(mistake.id, "", self._value_with(working, mistake, at, here), at, (), 0.0, said=said)

    def _value_with(self, working: Working, mistake: Mistake, place: int, written: Decimal) -> Decimal:
        """What the line comes to with the mistake."""
        value = working.own[place]
        if mistake.given is not None:
            value = self.program.value(place, _replaced(working.values, mistake.given, mistake.read_as))
        elif mistake.change is not None and place in mistake.change.formulas:
            value = mistake.change.value(place, working.values)
        return written if value is None else value

    def _story(
        self, mistakes: Sequence[Mistake], marks: Mapping[int, Mark], written: Collection[int]
    ) -> Iterator[Misconception]:
        names = self.program.names
        for mistake in mistakes:
            cells = [names[p] for p in mistake.explains if marks[p].verdict == "wrong"]
            made = mistake.change.formulas if mistake.change is not None else ()
            blanks = [names[p] for p in sorted(made) if p not in written]
            for m in (mistake, *mistake.also):
                given = "" if m.given is None else names[m.given]
                other = m is not mistake
                yield Misconception(m.id, m.scope, cells, m.hint, given, m.read_as, m.entry, other, blanks=blanks)

    def _after(self, places: Sequence[int]) -> frozenset[str]:
        names, followers = self.program.names, self.program.compiled.followers
        return frozenset(names[follower] for place in places for follower in followers[place] if follower != place)

    def _marks(self, working: Working, texts: Mapping[int, str], known: _Known) -> dict[int, Mark]:
        """The mark of each answer. A wrong formula earns nothing for a value that happens to be close."""
        marks = self.marker.marks(working, texts)
        for place in (p for p, found in known.judged.items() if found == WRONG and p in texts):
            mark, written = marks[place], working.written[place]
            truths = (truth for truth in (mark.key, mark.own) if truth is not None)
            if written.exponent is None and not any(is_same(written.value, truth) for truth in truths):
                marks[place] = mark._replace(verdict="wrong")
        for place in known.earlier.keys() & marks.keys():
            marks[place] = marks[place]._replace(verdict="carried")
        return marks

    def _still_following(
        self, working: Working, marks: Mapping[int, Mark], before: Sequence[Mapping[str, str]]
    ) -> dict[int, Following]:
        wrong = [p for p, mark in marks.items() if mark.verdict == "wrong"]
        places = self.program.places
        sheets = ({places[n]: text for n, text in sheet.items() if n in places} for sheet in before)
        return still_following(working, (self.formulas.read(sheet).written for sheet in sheets), wrong, self.marker)

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
            held = {**working.held, fit.place: (fit.value, fit.tolerance)}
            followed = Working(self.program, working.written, working.demands, held)
            errors = self._errors(followed, later)
            if errors < best[0]:
                best = (errors, fit, followed)
        return best[1], best[2]

    def _errors(self, working: Working, places: Sequence[int]) -> int:
        """How many lines are wrong when the sheet stands like this."""
        written: Mapping[int, WrittenNumber] = working.written
        return sum(self.marker.verdict(working, place, written[place]) == "wrong" for place in places)


def _replaced(values: Sequence[Decimal | None], place: int, value: Decimal | None) -> Sequence[Decimal | None]:
    return [*values[:place], value, *values[place + 1 :]]


def _explained(mistakes: Sequence[Mistake]) -> set[int]:
    return {place for mistake in mistakes for place in mistake.explains}


def _one_of_each(fits: Sequence[Fit]) -> list[Fit]:
    """Each slip once, where it fits best."""
    best: dict[str, Fit] = {}
    for fit in fits:
        best.setdefault(fit.id, fit)
    return list(best.values())


def _told_once(misconceptions: Sequence[Misconception], places: Mapping[str, int]) -> Iterator[Misconception]:
    """A slip that is made throughout, and found in single lines as well, is one mistake."""
    throughout = {m.id for m in misconceptions if m.scope != LINE and not m.is_other}
    lines = {m.id: m.cells for m in misconceptions if m.scope == LINE and m.id in throughout}
    for m in misconceptions:
        if m.scope != LINE and not m.is_other and m.id in lines:
            single = lines.pop(m.id)
            yield m._replace(cells=sorted({*m.cells, *single}, key=places.__getitem__), apart=len(single))
        elif m.scope != LINE or m.id not in throughout:
            yield m


def _single(cells: Sequence[Cell], explained: set[int], places: Mapping[str, int]) -> Iterator[Misconception]:
    """The slips in single lines: of those that fit a line the one that explains most lines. The slip that explains
    almost anything is taken only where no other fits."""
    left = [cell for cell in cells if cell.slips and places[cell.mark.name] not in explained]
    common = Counter(slip for cell in left for slip in {fit.id for fit in cell.slips})
    common[SWAPPED_VALUES] = common[ARITHMETIC] = 0
    lines: dict[str, list[tuple[str, Fit]]] = {}
    for cell in left:
        best = max(cell.slips, key=lambda fit: common[fit.id])
        if best.id != ARITHMETIC:
            lines.setdefault(best.id, []).append((cell.mark.name, best))
    for slip, found in lines.items():
        yield Misconception(slip, LINE, [name for name, _ in found], found[0][1].hint, apart=len(found))
