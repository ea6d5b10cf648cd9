"""What a step comes to: every array with its verdict, then the mistakes, the first cause first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from msgspec import Struct, field

from tutor.errors import NothingThere, listed
from tutor.explanation import Explanation
from tutor.results import Result
from tutor.trace.algebra import Role
from tutor.trace.conventions import Reading, readings_of
from tutor.trace.marks import Beside, digits_of, error_of, mark_of, picture_of
from tutor.trace.mistakes.registry import ARITHMETIC, ARITHMETIC_MESSAGE
from tutor.trace.names import roles_of
from tutor.trace.options import Options
from tutor.trace.search import Change, Search
from tutor.trace.spelling import conventions_of, equation, name_of, said, unchecked, usual_name
from tutor.trace.verdicts import CARRIED, MISSING, RIGHT, WRONG, Judged, judged

Array = Any


_MOST_OF_OTHERS = 2


class ArrayReport(Struct, omit_defaults=True):
    """An array: how many digits of it agree with what is right, the largest error as a share of its largest number, and
    where that is. `step` counts from 1 where there are several."""

    name: str
    shape: list[int]
    verdict: str
    digits: int | None
    error: float | None
    where: str
    step: int = 0


class MistakeReport(Struct, omit_defaults=True):
    """A mistake, the arrays that go wrong by it, the equation as it should be and as it is. `mark` is what shows in the
    numbers, `also` names others that come to the same numbers, `follows` the arrays that are right but for it."""

    id: str
    arrays: list[str]
    message: str
    right: str
    written: str
    scope: str
    mark: str = ""
    numpy: str = ""
    pytorch: str = ""
    also: list[str] = field(default_factory=list)
    follows: list[str] = field(default_factory=list)
    picture: list[str] = field(default_factory=list)
    step: int = 0


class TraceReport(Result):
    """What `tutor trace --json` prints."""

    conventions: dict[str, Any]
    arrays: list[ArrayReport]
    mistakes: list[MistakeReport]
    said: str
    remarks: list[str] = field(default_factory=list)

    @property
    def is_right(self) -> bool:
        return not any(a.verdict == WRONG for a in self.arrays)

    def __str__(self) -> str:
        from tutor.trace.report_text import as_text

        return as_text(self)


@dataclass(frozen=True)
class Traced:
    """A step that was looked at, and its report."""

    reading: Reading
    report: TraceReport
    names: Mapping[Role, str]


def trace(steps: Sequence[Mapping[str, Array]], options: Options) -> list[Traced]:
    """Each step looked at, in order. Raises TutorError where arrays are none of a step, NothingThere where nothing in
    them can be checked."""
    found: list[Traced] = []
    for number, arrays in enumerate(steps, 1):
        before = {r: x.array for r, x in found[-1].reading.step.by_role.items()} if found else {}
        with np.errstate(all="ignore"):  # what is not finite is told, not warned of
            found.append(_one(arrays, options, before, number if len(steps) > 1 else 0))
    return found


def together(traced: Sequence[Traced]) -> TraceReport:
    """The report of all steps: the arrays of each in order, and what the first one was taken for."""
    first, *rest = [t.report for t in traced]
    if not rest:
        return first
    return TraceReport(
        first.conventions,
        [a for r in (first, *rest) for a in r.arrays],
        [m for r in (first, *rest) for m in r.mistakes],
        first.said,
        [*dict.fromkeys(remark for r in (first, *rest) for remark in r.remarks)],
    )


def _one(arrays: Mapping[str, Array], options: Options, before: Mapping[Role, Array], number: int) -> Traced:
    named, names, remarks = named_arrays(arrays)
    reading, verdicts, search, found = _simplest(readings_of(named, names, options), before)
    lines = [*verdicts]
    if not lines:
        raise NothingThere(
            "nothing here can be checked: record what the network is given (X, y, W1, b1, …) and what it computes"
        )
    stories = sorted(found, key=lambda f: min(map(lines.index, f.explained & set(lines)), default=0))
    report = TraceReport(
        conventions_of(reading),
        [a for role in reading.network.equations for a in _array(reading, role, verdicts, number)],
        [*_once(_mistakes(reading, stories, search.wrong, lines, verdicts, number))],
        said(reading),
        [*remarks, *reading.arrays.remarks, *unchecked(reading)],
    )
    report.arrays = [*_merged(report.arrays)]
    return Traced(reading, report, names)


def _simplest(
    readings: Sequence[Reading], before: Mapping[Role, Array]
) -> tuple[Reading, Mapping[Role, Judged], Search, list[Explanation[Change, Role]]]:
    """The reading that takes the fewest mistakes. Where none explains everything, two at once are looked for, too."""
    told = []
    for number, reading in enumerate(readings):
        verdicts = judged(reading.step)
        search = Search(reading.network, reading.step, before, verdicts)
        # Another than the most usual reading has to explain everything, and by less.
        found = search.run() if not number else search.run(_MOST_OF_OTHERS)
        told.append(((len(search.wrong), len(found), number), reading, verdicts, search, found))
        if not search.wrong and len(found) <= 1:
            break
    (left, _, _), reading, verdicts, search, found = min(told, key=lambda entry: entry[0])
    if left:
        search = Search(reading.network, reading.step, before, verdicts, in_pairs=True)
        found = search.run()
    return reading, verdicts, search, found


def named_arrays(arrays: Mapping[str, Array]) -> tuple[dict[Role, Array], dict[Role, str], list[str]]:
    """The arrays by their roles, what each is called, and what there is to say about names."""
    named: dict[Role, Array] = {}
    names: dict[Role, str] = {}
    remarks: list[str] = []
    unknown = []
    for name, role in roles_of(arrays).items():
        array = arrays[name]
        if role == Role("t") and array.size > 1:
            role = Role("T")
        if role is None or not array.size:
            unknown.append(name)
        elif role in named:
            kept, dropped = (name, names[role]) if array.ndim > named[role].ndim else (names[role], name)
            remarks.append(f"{names[role]} and {name} both stand for the same array; {kept} is used")
            if kept == name:
                named[role], names[role] = array, name
            del dropped
        else:
            named[role], names[role] = array, name
    if unknown:
        remarks.append(f"not known by name, and left out: {listed(unknown)}")
    if not any(role.kind in ("W", "dW", "W_new", "Z", "A") for role in named):
        raise NothingThere(
            f"none of these arrays is known by its name{': ' + listed(unknown) if unknown else ''}; "
            "names are X, y, W1, b1, Z1, A1, P, loss, dW1, db1, W1_new and the like"
        )
    return named, names, remarks


def _array(reading: Reading, role: Role, verdicts: Mapping[Role, Judged], number: int) -> Iterator[ArrayReport]:
    recorded = reading.step.by_role.get(role)
    if recorded is None:
        if _is_missed(reading, role):
            yield ArrayReport(usual_name(reading, role), [], MISSING, None, None, "", number)
        return
    if role not in verdicts:
        return
    verdict = verdicts[role].verdict
    error, place = error_of(reading.step, role, verdicts[role].truth)
    where = recorded.place(place) if error else ""
    shape = [int(size) for size in recorded.raw.shape]
    digits = digits_of(error, reading.precision) if error is not None else None
    yield ArrayReport(recorded.name, shape, verdict, digits, error, where, number)


def _is_missed(reading: Reading, role: Role) -> bool:
    """Whether others of the kind are recorded and this one is not."""
    last = reading.network.depth
    if "." in role.kind or role.kind == "loss" or role in (Role("dA", last), Role("A", last)):
        return False
    return any(r.kind == role.kind and r.layer for r in reading.step.by_role if r != Role("A", 0))


def _merged(arrays: Sequence[ArrayReport]) -> Iterator[ArrayReport]:
    """One line an array, also where it is weights and biases in one."""
    order = (WRONG, MISSING, CARRIED, RIGHT)
    by_name: dict[str, ArrayReport] = {}
    for array in arrays:
        known = by_name.get(array.name)
        if known is None or order.index(array.verdict) < order.index(known.verdict):
            by_name[array.name] = array
    yield from by_name.values()


def _mistakes(
    reading: Reading,
    stories: Sequence[Explanation[Change, Role]],
    left: set[Role],
    lines: Sequence[Role],
    verdicts: Mapping[Role, Judged],
    number: int,
) -> Iterator[MistakeReport]:
    carried = [r for r in lines if verdicts[r].verdict == CARRIED]
    for found in stories:
        arrays = [r for r in lines if r in found.explained]
        for change in filter(None, (found.mistake, found.mistake.second)):
            yield _mistake(reading, change, arrays, found.also, carried, number)
    for role in (r for r in lines if r in left):
        name = name_of(reading, role)
        right = equation(reading, role, reading.network.equations)
        mark, picture = _seen(reading, role)
        yield MistakeReport(
            ARITHMETIC, [name], ARITHMETIC_MESSAGE, right, "", "line", mark, picture=picture, step=number
        )


def _once(mistakes: Iterable[MistakeReport]) -> Iterator[MistakeReport]:
    """A mistake that is made in several equations is told once, with all of its arrays."""
    found: dict[tuple[str, str], MistakeReport] = {}
    for number, mistake in enumerate(mistakes):
        key = mistake.id, mistake.message if mistake.id != ARITHMETIC else str(number)
        if key in found:
            found[key].arrays += [a for a in mistake.arrays if a not in found[key].arrays]
        else:
            found[key] = mistake
    yield from found.values()


def _mistake(
    reading: Reading,
    change: Change,
    arrays: Sequence[Role],
    also: Sequence[Change],
    carried: Sequence[Role],
    number: int,
) -> MistakeReport:
    shown = next((r for r in change.nodes if r in arrays), next(iter(change.nodes)))
    mark, picture = _seen(reading, arrays[0])
    mistake = change.mistake
    others = dict.fromkeys(c.mistake.id for c in also if c.mistake.id != mistake.id and c.second is None)
    return MistakeReport(
        mistake.id,
        list(dict.fromkeys(name_of(reading, r) for r in arrays)),
        change.message,
        equation(reading, shown, reading.network.equations),
        equation(reading, shown, change.nodes),
        change.scope,
        mark,
        mistake.numpy,
        mistake.pytorch,
        [*others],
        list(dict.fromkeys(name_of(reading, r) for r in carried)),
        picture,
        number,
    )


def _seen(reading: Reading, role: Role) -> tuple[str, list[str]]:
    """What shows in the numbers of an array, in words and as a small picture."""
    beside, transposed = Beside.of(reading.step, role), reading.step.by_role[role].transposed
    sums = None
    if role.kind in ("A", "dA", "dZ") and role.layer and reading.step.is_known(Role("Z", role.layer)):
        sums = reading.step.value(Role("Z", role.layer)).value
    return mark_of(beside, transposed, sums), picture_of(beside, transposed)
