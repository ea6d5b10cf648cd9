"""Whose problem a sheet answers: by its code, and by its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path

from tutor.errors import TutorError
from tutor.homework.gradebook import names_of
from tutor.homework.variants import Code, problem_lesson, read_code, seed_of
from tutor.marking.answer import Written, read_written
from tutor.marking.key import Compiled, Program, Values
from tutor.sheets.read import HandedIn, read_about
from tutor.worksheet.build import build

_FEWEST, _SHARE = 4, 0.7
_ROUNDINGS = 64  # by which a machine may be off at the end of a sheet


@dataclass(frozen=True)
class Owners:
    """With the `secret` of `tutor vary` it is known which problem each student has.

    `students` are the ids on the roster, `codes` the problems that the sheets of the class say they answer.
    """

    secret: str
    students: tuple[str, ...] = ()
    codes: Mapping[str, str] = field(default_factory=dict)

    def student(self, name: str, handed_in: HandedIn) -> str:
        """Whose sheet it is: the student that it names, else the one on the roster after whom its file is named."""
        return handed_in.about.get("student", "") or self._by_file.get(Path(name).stem, "")

    @cached_property
    def _by_file(self) -> Mapping[str, str]:
        return {name: student for student in reversed(self.students) for name in names_of(student)}

    def remark(self, name: str, handed_in: HandedIn) -> str | None:
        """What there is to say where the code on the sheet is not that of its student."""
        written, student = handed_in.about.get("problem", ""), handed_in.about.get("student", "")
        if not written or not student:
            known = "" if written else self.student(name, handed_in)
            marked = f"; it is marked as that of {known}" if known else ""
            return f"the sheet does not say which student's problem it answers{marked}"
        seed = read_code(written).seed
        if seed == seed_of(self.secret, student):
            return None
        owner = next((s for s in self.students if seed_of(self.secret, s) == seed), None)
        return f"this sheet answers another student's problem{f', that of {owner}' if owner else ''}"


def codes_of(paths: Sequence[Path], secret: str) -> dict[str, str]:
    """The problem of every student, from those sheets that answer their own; the others are passed over."""
    found = {}
    for path in paths:
        try:
            abouts = read_about(path)
        except Exception:  # whatever is wrong with a sheet is told when it is marked
            continue
        for about in abouts:
            student, code = about.get("student", ""), about.get("problem", "")
            with suppress(TutorError):
                if student and read_code(code).seed == seed_of(secret, student):
                    found[student] = code
    return found


class Copies:
    """Finds numbers that belong to somebody else's problem. The keys of a class are worked out when first needed."""

    def __init__(self, text: str, compiled: Compiled, codes: Mapping[str, str]) -> None:
        self.text, self.compiled, self.codes = text, compiled, codes
        self._keys: dict[str, Values] = {}

    def source(self, handed_in: HandedIn, own: Values) -> str | None:
        """The student whose problem the numbers answer, if that is not this one's own."""
        numbers = list(self._numbers(handed_in))
        for student, code in self.codes.items():
            if code == handed_in.about.get("problem"):
                continue
            try:
                key = self._key(code)
            except (TutorError, ValueError):
                continue
            if len(key) != len(own):
                continue
            telling = [(place, w) for place, w in numbers if not (_fits(w, own[place]) and _fits(w, key[place]))]
            matches = sum(_fits(w, key[place]) and not _fits(w, own[place]) for place, w in telling)
            if matches >= _FEWEST and matches >= _SHARE * len(telling):
                return student
        return None

    def _numbers(self, handed_in: HandedIn) -> Iterator[tuple[int, Written]]:
        for name, text in handed_in.answers.items():
            try:
                yield self.compiled.places[name], read_written(text)
            except (KeyError, ValueError):
                continue

    def _key(self, code: str) -> Values:
        if code not in self._keys:
            problem: Code = read_code(code)
            worksheet = build(problem_lesson(self.text, problem))
            self._keys[code] = Program(worksheet, self.compiled.suited_to(worksheet)).key
        return self._keys[code]


def _fits(written: Written, truth: Decimal | None) -> bool:
    if truth is None:
        return False
    noise = Decimal(_ROUNDINGS * written.grain) * abs(truth)
    return abs(written.value - truth) <= max(written.half, noise)
