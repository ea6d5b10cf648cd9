"""Fresh problems of the same shape: the same structure and names, other numbers, all drawn from a seed."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations
from typing import Any, NamedTuple

from tutor.errors import TutorError
from tutor.escaping import for_markdown, for_toml
from tutor.lessons.format import Lesson
from tutor.lessons.read import parse_lesson
from tutor.marking.candidates import Candidate, Candidates
from tutor.marking.key import Program, Values
from tutor.maths.kind import Kind
from tutor.numbers import decimals
from tutor.numbers.exact import read_number
from tutor.slips.registry import SWAPPED_VALUES
from tutor.toml_text import parse_toml
from tutor.worksheet.build import build
from tutor.worksheet.perceptron import RULE
from tutor.worksheet.step import Worksheet

_CODE = re.compile(r"([0-9a-f]{8})-([0-9A-Za-z]{1,40})-([0-9]{1,4})")
_MAY_CHANGE = ("title", "homework")
_NOT_HERE = ("printed", "misprints", "order", "source", "about")
_SHORT_LIST = re.compile(r"\[\n([^\[\]{}]*)\n\s*\]")
_KEPT_SIGN = 70  # percent of the weights


@dataclass(frozen=True, slots=True)
class Code:
    """`lesson` is what tells the lesson that was varied from every other."""

    lesson: str
    seed: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.lesson}-{self.seed}-{self.attempt}"


def read_code(text: str) -> Code:
    """Raises TutorError for what is no code."""
    found = _CODE.fullmatch(text.strip())
    if not found:
        raise TutorError(f"{text[:60]!r} is no code of a problem; copy it from the sheet as it was handed out")
    return Code(found[1], found[2], int(found[3]))


def lesson_mark(text: str) -> str:
    """What tells a lesson from every other, and from its own later versions: the beginning of the SHA-256 of all that
    its problems are drawn from. What is asked, or said about it, may be mended when they are handed out already."""
    drawn_from = {key: value for key, value in parse_toml(text).items() if key not in (*_NOT_HERE, *_MAY_CHANGE)}
    return hashlib.sha256(json.dumps(drawn_from, default=str).encode()).hexdigest()[:8]


def seed_of(secret: str, student: str) -> str:
    """The seed of a student's own problem; nobody without the teacher's secret can work it out.

    It is that of the id as it stands on a sheet in Markdown, which cannot hold every character.
    """
    return hmac.new(secret.encode(), for_markdown(student).strip().casefold().encode(), "sha256").hexdigest()[:16]


class RandomIntegers:
    """Whole numbers from a seed."""

    def __init__(self, seed: str) -> None:
        self.seed, self.count = seed, 0

    def below(self, limit: int) -> int:
        """A number from 0 to limit - 1, each as likely as any other to within one part in 2^200."""
        self.count += 1
        return int.from_bytes(hashlib.sha256(f"{self.seed}/{self.count}".encode()).digest()) % limit

    def between(self, low: int, high: int) -> int:
        return low + self.below(max(1, high - low + 1))


def problem_text(text: str, code: Code) -> str:
    """The lesson file of the problem: the one in `text` with its numbers drawn again."""
    return _varied(text, code)[0]


def _varied(text: str, code: Code) -> tuple[str, list[tuple[Any, Any]]]:
    """The same, and every weight of the lesson with the one that was drawn for it."""
    import tomli_w

    raw = {key: value for key, value in parse_toml(text).items() if key not in _NOT_HERE}
    raw.get("homework", {}).pop("accept", None)  # numbers of the lesson, which are no answers here
    weights = _vary(raw, RandomIntegers(f"{code.seed}/{code.attempt}"))
    about = f"The same steps as in {raw['title']!r}, with numbers of their own."
    head = {"format": raw.pop("format"), "title": raw.pop("title"), "source": "drawn by `tutor vary`", "about": about}
    head["problem"] = str(code)
    return for_toml(_SHORT_LIST.sub(_on_one_line, tomli_w.dumps({**head, **raw}))), weights


def problem_lesson(text: str, code: Code) -> Lesson:
    return parse_lesson(problem_text(text, code), f"problem {code}")


def _on_one_line(found: re.Match[str]) -> str:
    return "[" + ", ".join(line.strip().rstrip(",") for line in found[1].splitlines()) + "]"


def _vary(raw: dict[str, Any], draw: RandomIntegers) -> list[tuple[Any, Any]]:
    """Draw every number again that a problem consists of; settings and encodings such as 0 and 1 stay. Returns the
    weights as they were and as they are."""
    weights: list[tuple[Any, Any]] = []

    def weight(value: Any) -> Any:
        fresh = _fresh(value, draw, signed=True)
        weights.append((value, fresh))
        return fresh

    def data(value: Any) -> Any:
        return _fresh(value, draw, signed=False)

    for layer in raw.get("network", {}).get("layers", ()):
        for key in ("weights", "biases", "bias", "thresholds"):
            if key in layer:
                layer[key] = _each(layer[key], weight)
    minimize = raw.get("minimize", {})
    for table in (raw.get("givens", {}), minimize.get("start", {}), minimize.get("gradients", {})):
        for name in table:
            table[name] = _each(table[name], weight)
    for table in (minimize.get("state", {}), raw.get("training", {}).get("state", {})):
        for name in (name for name in table if name != "t"):
            table[name] = data(table[name])
    examples = raw.get("examples", ())
    for key in ("inputs", "targets"):
        numbers = [number for example in examples for number in example.get(key, ())]
        shares = key == "targets" and raw.get("network", {}).get("loss") == "cross_entropy"
        if shares or all(number in (0, 1, -1) for number in numbers):
            continue
        for example in examples:
            example[key] = _each(example[key], data)
    return weights


def _twins(weights: Sequence[tuple[Any, Any]]) -> int:
    """How many weights of the same size there are beyond those of the lesson: swapped, they would not show."""
    sizes = [[str(weight).lstrip("-") for weight in one] for one in zip(*weights, strict=True)]
    old, new = (len(found) - len(set(found)) for found in sizes or ([], []))
    return max(0, new - old)


def _each(value: Any, change: Callable[[Any], Any]) -> Any:
    return [_each(item, change) for item in value] if isinstance(value, list) else change(value)


def _fresh(value: Any, draw: RandomIntegers, signed: bool) -> Any:
    """Another number of about the same size with as few decimals; names, and zeros, are left alone."""
    try:
        old = read_number(str(value))
    except ValueError:
        return value
    if old == 0 or isinstance(value, bool):
        return value
    decimals = max(0, -int(Decimal(str(value)).as_tuple().exponent)) if "/" not in str(value) else 2
    if decimals == 0:
        new = Decimal(draw.between(1, 2 * int(abs(old)) + 3))
    else:
        while abs(old) * 10**decimals < 10:
            decimals += 1
        whole = int(abs(old) * 10**decimals)
        most = whole * 9 // 5 if whole > 10**decimals else min(whole * 9 // 5, 10**decimals - 2)
        least = max(1, whole * 2 // 5)
        chosen = draw.between(least, max(most, least + 9))
        new = Decimal(chosen + (chosen % 10 == 0)).scaleb(-decimals)  # no zero at the end
    negative = (old < 0) != (signed and draw.below(100) >= _KEPT_SIGN)
    fresh = -new if negative else new
    return int(fresh) if decimals == 0 else fresh


MOST_ATTEMPTS = 60
_SMALLEST = 1e-5
_SMALLEST_SLOPE = 0.02
_ALIKE = 5  # significant digits to which two slips may not give the same number
_TRIALS = 6  # problems that show which slips give the same number without any bad luck

Coincidence = tuple[int, str, str]


class Drawn(NamedTuple):
    """A fresh problem: its code, its lesson file, the worksheet that it leads to, and how many weights are alike."""

    code: Code
    text: str
    worksheet: Worksheet
    twins: int


class Varier:
    """Makes fresh problems of one lesson."""

    def __init__(self, text: str, lesson: Lesson) -> None:
        self.text, self.mark = text, lesson_mark(text)
        try:
            self.worksheet = build(lesson)
        except ValueError as error:
            raise TutorError(str(error)) from None
        self.candidates = Candidates(Program(self.worksheet).compiled)
        self.by_rule = lesson.training is not None and lesson.training.rule == RULE
        self.unavoidable = self._unavoidable()

    def problem(self, seed: str) -> Code:
        """The code of the first problem of the seed without anything degenerate, else of the one with the least."""
        return self.draw(seed).code

    def draw(self, seed: str) -> Drawn:
        """The same problem as a whole. What is quickly seen to be degenerate is worked only where all others are."""
        codes = [Code(self.mark, seed, attempt) for attempt in range(MOST_ATTEMPTS)]
        promising = (code for code in codes if self.by_rule or not _twins(_varied(self.text, code)[1]))
        best = self._best(promising)
        if best is None or best[0]:
            best = self._best(codes)
        if best is None:
            raise TutorError(f"no usable problem was found in {MOST_ATTEMPTS} attempts; try another seed")
        return best[1]

    def _best(self, codes: Iterable[Code]) -> tuple[int, Drawn] | None:
        """The first problem with the fewest faults, of those that can be worked, with their number."""
        best: tuple[int, Drawn] | None = None
        for code in codes:
            with suppress(TutorError, ValueError):
                drawn = self.drawn(code)
                faults = self._faults(drawn, best[0] if best else None)
                if best is None or faults < best[0]:
                    best = (faults, drawn)
            if best is not None and best[0] == 0:
                break
        return best

    def drawn(self, code: Code) -> Drawn:
        """The problem of a code. Raises TutorError or ValueError for one that cannot be worked."""
        text, weights = _varied(self.text, code)
        return Drawn(code, text, build(parse_lesson(text, f"problem {code}")), _twins(weights))

    def _faults(self, drawn: Drawn, enough: int | None) -> int:
        """How many things are degenerate in the problem. Where that are `enough` to reject it no more are looked for,
        and what costs most comes last."""
        if self.by_rule:
            return self._rule_faults(drawn.worksheet)
        faults = drawn.twins
        for count in (self._vanishing, self._accidents):
            if enough is not None and faults >= enough:
                break
            faults += count(drawn.worksheet)
        return faults

    def _vanishing(self, worksheet: Worksheet) -> int:
        """How many quantities are next to nothing that are not so in the lesson."""
        values = worksheet.values
        return sum(
            abs(float(values[step.name])) < self._least(step.name)
            for step in worksheet.steps
            if self.worksheet.values.get(step.name)
        )

    def _accidents(self, worksheet: Worksheet) -> int:
        return len(self._coincidences(worksheet) - self.unavoidable)

    def _unavoidable(self) -> set[Coincidence]:
        """What coincides in the lesson itself, or in one of a few problems: ReLU is the identity for every second
        neuron, and no other numbers would change that."""
        found = self._coincidences(self.worksheet)
        for attempt in range(0 if self.by_rule else _TRIALS):
            with suppress(TutorError, ValueError):
                found |= self._coincidences(self.drawn(Code(self.mark, "trial", attempt)).worksheet)
        return found

    def _least(self, name: str) -> float:
        """The smallest size that a quantity may have: a saturated slope teaches nothing."""
        usual = abs(float(self.worksheet.values[name]))
        if name in self.candidates.roles.slopes:
            return min(_SMALLEST_SLOPE, usual / 2)
        return min(_SMALLEST, usual / 100)

    def _rule_faults(self, worksheet: Worksheet) -> int:
        """The perceptron rule is to correct something, and to come to an end where it did before."""
        now, before = worksheet.conventions.ended, self.worksheet.conventions.ended
        changes = any(worksheet.values[s.name] != 0 for s in worksheet.steps if s.kind is Kind.ERROR)
        return int(not changes) + int("without error" in before and now.startswith("no epoch"))

    def _coincidences(self, worksheet: Worksheet) -> set[Coincidence]:
        if self.by_rule:
            return set()
        mine = self.candidates
        program = Program(worksheet, mine.compiled.suited_to(worksheet))
        candidates = mine if program.compiled is mine.compiled else Candidates(program.compiled)
        with decimals.precision(program.digits):
            places = range(program.first, len(program.names))
            return {c for place in places for c in _alike(candidates.of(place), program.key, place)}


def _alike(candidates: Sequence[Candidate], key: Values, place: int) -> Iterator[Coincidence]:
    """Pairs of slips that people make there and that give the same number, as far as a student writes it."""
    slips: dict[str, set[str]] = {}
    for candidate in candidates:
        if candidate.unusual or candidate.id == SWAPPED_VALUES:
            continue
        if (value := candidate.value(key)) is not None:
            slips.setdefault(f"{float(value):.{_ALIKE}g}", set()).add(candidate.id)
    for ids in slips.values():
        yield from ((place, first, second) for first, second in combinations(sorted(ids), 2))
