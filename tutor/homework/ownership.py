"""Whose problem a sheet answers: by its code, and by its numbers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tutor.errors import TutorError
from tutor.homework.roster import Roster
from tutor.homework.variants import Code, problem_lesson, read_code, seed_of
from tutor.marking.answer import WrittenNumber, read_written
from tutor.marking.key import Compiled, Program, Values
from tutor.sheets.read import HandedIn, read_about
from tutor.worksheet.build import build

_FEWEST, _SHARE = 4, 0.7
_ROUNDINGS = 64  # by which a machine may be off at the end of a sheet


class NotOwn(TutorError):
    """Why a sheet is not marked: its problem is not known, or is not its student's own. `told` is what whoever handed
    it in may read of it."""

    def __init__(self, why: str, student: str | None, to_student: str = "") -> None:
        super().__init__(why)
        self.student, self.told = student, to_student


class Claim(NamedTuple):
    """Whose sheet it is, the seed of their problem, and the code of it, if the sheet has it. `note` is for the
    teacher, where that had to be found out."""

    student: str
    seed: str
    code: str
    note: str = ""


@dataclass(frozen=True)
class Owners:
    """With the `secret` of `tutor vary` it is known which problem each student has.

    `roster` says who they are, `codes` are the problems that the sheets of the class say they answer.
    """

    secret: str
    roster: Roster | None = None
    codes: Mapping[str, str] = field(default_factory=dict)

    def claim(self, name: str, handed_in: HandedIn) -> Claim:
        """Whose sheet it is: the student that it names, else the one after whom its file is named, else the one whose
        code it has. Raises NotOwn, and TutorError for what is no code."""
        written, named = handed_in.about.get("problem", ""), handed_in.about.get("student", "")
        student = whose(self.roster, name, named)
        if not written:
            if not student or (self.roster and not self.roster.find(student)):
                raise NotOwn("it has no code of a problem, and it is of no student on the roster", student)
            return Claim(student, seed_of(self.secret, student), "", f"{_UNSAID}; it is marked as that of {student}")
        seed = read_code(written).seed
        if student and seed in {seed_of(self.secret, known) for known in (student, named) if known}:
            return Claim(student, seed, written, "" if named else f"{_UNSAID}; it is marked as that of {student}")
        owner = self._by_seed.get(seed)
        if student:
            said = "this sheet answers another student's problem"
            raise NotOwn(f"{said}, that of {owner}" if owner else said, student, said)
        if owner is None:
            raise NotOwn("it does not say whose it is, and its code is that of no student on the roster", None)
        return Claim(owner, seed, written, f"{_UNSAID}; by its code it is that of {owner}")

    @cached_property
    def _by_seed(self) -> Mapping[str, str]:
        return {seed_of(self.secret, student): student for student in (self.roster.ids if self.roster else ())}


_UNSAID = "the sheet does not say which student's problem it answers"


def whose(roster: Roster | None, name: str, named: str) -> str | None:
    """The student that a sheet names, by the id on the roster where they are on it; else the one on the roster after
    whom the file is named."""
    if named:
        found = roster.find(named) if roster else None
        return found.id if found else named
    found = roster.of_file(Path(name).stem) if roster else None
    return found.id if found else None


def codes_of(paths: Sequence[Path], secret: str, roster: Roster | None) -> dict[str, str]:
    """The problem of every student, from those sheets that answer their own; the others are passed over. Raises
    TutorError where there are codes and none of them was drawn from the secret."""
    owners, codes, seeds = Owners(secret, roster), dict[str, str](), set[str]()
    for path in paths:
        try:
            abouts = read_about(path)
        except Exception:  # whatever is wrong with a sheet is told when it is marked
            continue
        for about in abouts:
            with suppress(TutorError):
                if about.get("problem"):
                    seeds.add(read_code(about["problem"]).seed)
                    claim = owners.claim(path.name, HandedIn({}, about))
                    codes[claim.student] = claim.code
    if seeds and not codes and not seeds & {seed_of(secret, student) for student in (roster.ids if roster else ())}:
        raise TutorError(
            "no code on these sheets fits the secret: give the word from which `tutor vary` drew the problems"
        )
    return codes


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

    def _numbers(self, handed_in: HandedIn) -> Iterator[tuple[int, WrittenNumber]]:
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


def _fits(written: WrittenNumber, truth: Decimal | None) -> bool:
    if truth is None:
        return False
    noise = Decimal(_ROUNDINGS * written.grain) * abs(truth)
    return abs(written.value - truth) <= max(written.half, noise)
