"""Choosing a good problem among those that a seed gives: one in which no value vanishes and no two slips coincide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from tutor.arithmetic import decimals
from tutor.errors import TutorError
from tutor.homework.candidates import Candidate, Candidates
from tutor.homework.program import Program, Values
from tutor.homework.slips import SWAPPED_VALUES
from tutor.homework.variant import Code, lesson_mark, problem_lesson
from tutor.lesson_format import Lesson
from tutor.worksheet.build import build
from tutor.worksheet.perceptron import RULE
from tutor.worksheet.step import Worksheet

MOST_ATTEMPTS = 60
_SMALLEST = 1e-5
_SMALLEST_SLOPE = 0.02
_ALIKE = 5  # significant digits to which two slips may not give the same number

Coincidence = tuple[int, str, str]


class Varier:
    """Makes fresh problems of one lesson."""

    def __init__(self, text: str, lesson: Lesson) -> None:
        self.text, self.mark = text, lesson_mark(text)
        try:
            self.worksheet = build(lesson)
        except ValueError as error:
            raise TutorError(str(error)) from None
        program = Program(self.worksheet)
        self.candidates = Candidates(program.compiled)
        self.by_rule = lesson.training is not None and lesson.training.rule == RULE
        self.unavoidable = self._coincidences(program)

    def problem(self, seed: str) -> Code:
        """The code of the first problem of the seed without anything degenerate, else of the one with the least."""
        best: tuple[int, Code] | None = None
        for attempt in range(MOST_ATTEMPTS):
            code = Code(self.mark, seed, attempt)
            faults = self._faults(code)
            if faults == 0:
                return code
            if faults is not None and (best is None or faults < best[0]):
                best = (faults, code)
        if best is None:
            raise TutorError(f"no usable problem was found in {MOST_ATTEMPTS} attempts; try another seed")
        return best[1]

    def _faults(self, code: Code) -> int | None:
        """How many things are degenerate in the problem; None where it cannot be worked at all."""
        try:
            worksheet = build(problem_lesson(self.text, code))
            values = worksheet.values
        except (TutorError, ValueError):
            return None
        if self.by_rule:
            return self._rule_faults(worksheet)
        program = Program(worksheet, self.candidates.compiled.suited_to(worksheet))
        vanishing = sum(
            abs(float(values[step.name])) < self._least(step.name)
            for step in worksheet.steps
            if self.worksheet.values.get(step.name)
        )
        return vanishing + self._twins(worksheet) + len(self._coincidences(program) - self.unavoidable)

    def _twins(self, worksheet: Worksheet) -> int:
        """How many parameters of the same size there are beyond those of the lesson: swapped, they would not show."""
        both = (worksheet, self.worksheet)
        sizes = [[abs(sheet.givens[n]) for n, _ in sheet.updated if n in sheet.givens] for sheet in both]
        new, old = (len(found) - len(set(found)) for found in sizes)
        return max(0, new - old)

    def _least(self, name: str) -> float:
        """The smallest size that a quantity may have: a saturated slope teaches nothing."""
        usual = abs(float(self.worksheet.values[name]))
        if name in self.candidates.roles.slopes:
            return min(_SMALLEST_SLOPE, usual / 2)
        return min(_SMALLEST, usual / 100)

    def _rule_faults(self, worksheet: Worksheet) -> int:
        """The perceptron rule is to correct something, and to come to an end where it did before."""
        now, before = worksheet.conventions.ended, self.worksheet.conventions.ended
        changes = any(worksheet.values[s.name] != 0 for s in worksheet.steps if s.reason == "desired - output")
        return int(not changes) + int("without error" in before and now.startswith("no epoch"))

    def _coincidences(self, program: Program) -> set[Coincidence]:
        if self.by_rule:
            return set()
        mine = self.candidates
        candidates = mine if program.compiled is mine.compiled else Candidates(program.compiled)
        with decimals.precision(program.digits):
            places = range(program.first, len(program.names))
            return {c for place in places for c in _alike(candidates.of(place), program.key, place)}


def _alike(candidates: Sequence[Candidate], key: Values, place: int) -> Iterator[Coincidence]:
    """Pairs of slips that give the same number in one line, as far as a student writes it."""
    slips: dict[str, set[str]] = {}
    for candidate in candidates:
        value = candidate.value(key) if candidate.id != SWAPPED_VALUES else None
        if value is not None:
            slips.setdefault(f"{float(value):.{_ALIKE}g}", set()).add(candidate.id)
    for ids in slips.values():
        yield from ((place, first, second) for first, second in combinations(sorted(ids), 2))
