"""What every view of a worksheet needs: each value as it is written there, and what the source prints beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from typing import Any, TypeVar

from msgspec import Struct

from tutor.formulas.quantity import named
from tutor.maths.kind import Kind
from tutor.numbers.digits import exactly
from tutor.numbers.exact import as_fraction, is_number
from tutor.views.numbers import as_written, scientific, shown
from tutor.worksheet.derivation import Line, derive
from tutor.worksheet.headlines import by_perceptron_rule, headlines
from tutor.worksheet.step import Step, Worksheet

Thing = TypeVar("Thing")
OF_A_FORMULA = "A printed formula is judged by its meaning: whether it is the one that is asked for, with any numbers."
VERDICTS = {
    "correct": "agrees with the exact value to within half a unit of the last digit printed (0.51 of one, to be fair)",
    "carried": "follows correctly from the source's own earlier lines, rounded or wrong as they are",
    "rounding": "off by a unit or so in the last digit, as happens when results are rounded on the way",
    "coarse": "agrees as far as it goes, with the exact value or with what the source's earlier lines lead to; it has "
    "too few digits to tell",
    "wrong": "a misprint: not even the lines printed before it lead there",
    "unreadable": "not a number",
}


class PrintedRow(Struct, frozen=True):
    """A value as the source prints it, with its verdict and a note whose numbers are filled in."""

    name: str
    printed: str
    exact: Any
    verdict: str
    note: str
    place: str = ""


class WorksheetView(Struct, frozen=True, dict=True):
    """A worksheet with its values rounded for display, once, and the printed values by quantity.

    With `rounded` it shows what comes out when every line is rounded, and how far that drifts from the exact values.
    Of a longer stage only the first `most` steps are shown, and how many are not. A `brief` one has no derivations. A
    `blank` one knows what is given, exactly as it is, and no value of any step.
    """

    worksheet: Worksheet
    digits: int
    printed: Sequence[PrintedRow] = ()
    most: int | None = None
    rounded: Mapping[str, Fraction] | None = None
    rounding: str = ""
    brief: bool = False
    blank: bool = False

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """Every value as it is shown: once rounded, the same in its own row and wherever it is substituted."""
        if self.blank:
            return _Labels(self.worksheet.givens, lambda name: exactly(self.worksheet.givens[name]))
        if (rounded := self.rounded) is not None:
            return _Labels(rounded, lambda name: as_written(rounded[name], self.digits))
        values = self.worksheet.values
        before = {step.name: values[step.before] if step.before else None for step in self.worksheet.steps}
        every = (*self.worksheet.givens, *before)
        return _Labels(every, lambda name: shown(values[name], self.digits, before.get(name)))

    @cached_property
    def printed_by_name(self) -> Mapping[str, Sequence[PrintedRow]]:
        found: dict[str, list[PrintedRow]] = {}
        for row in self.printed:
            found.setdefault(row.name, []).append(row)
        return found

    @property
    def verdicts(self) -> Mapping[str, str]:
        """The meaning of every verdict that occurs."""
        found = {row.verdict for row in self.printed}
        return {verdict: meaning for verdict, meaning in VERDICTS.items() if verdict in found}

    @property
    def prints_a_formula(self) -> bool:
        return not all(is_number(row.printed) for row in self.printed)

    def cancelled(self, step: Step) -> str:
        """What is known of a sum in the step that comes to 0 though its terms are not rational; else empty."""
        if step.name not in self.worksheet.zeros or self.rounded is not None:
            return ""
        digits = self.worksheet.zeros[step.name]
        if digits is None:
            return "the terms cancel exactly, to 0"
        return f"the terms cancel in all {digits:,} digits that were tried; that they leave exactly 0 is not proved"

    def derivation(self, step: Step) -> tuple[Line, ...]:
        """How the local partial derivative comes out, rule by rule; empty for other steps."""
        if step.partial_of is None:
            return ()
        outer, inner = step.partial_of
        return derive(self.worksheet.by_name[outer], inner, step.formula)

    def derivations_by_kind(self) -> list[tuple[Step, tuple[Line, ...], list[str]]]:
        """One derivation of each kind, with the names of the partials that come out in the same way."""
        found: dict[Any, tuple[Step, list[str]]] = {}
        for step in self.worksheet.steps:
            if step.partial_of is None:
                continue
            outer, inner = step.partial_of
            above = self.worksheet.by_name[outer]
            alone = step.name if above.kind is Kind.EQUATION else ""  # no two equations are alike
            kind = (above.kind, above.which, bool(step.inputs), inner in self.worksheet.givens, alone)
            if kind in found:
                found[kind][1].append(step.name)
            else:
                found[kind] = (step, [])
        return [(step, self.derivation(step), others) for step, others in found.values()]

    @cached_property
    def by_perceptron_rule(self) -> bool:
        return by_perceptron_rule(self.worksheet)

    @cached_property
    def headlines(self) -> Mapping[str, str]:
        return headlines(self.worksheet)

    def beginning(self, things: Sequence[Thing]) -> tuple[Sequence[Thing], str]:
        """As many as are to be shown, and a sentence about the others, empty where there are none."""
        hidden = len(things) - self.most if self.most is not None else 0
        if hidden <= 0:
            return things, ""
        return things[: self.most], f"and {hidden} more like these; --all shows them, `tutor why` any one of them."

    def title(self, part: str, stage: str) -> str:
        """The headline of a group of steps."""
        title = self.headlines[stage]
        return f"{part}. {title}" if part else title

    def parts(self, only: Sequence[str] = ()) -> list[tuple[str, str, list[Step]]]:
        """The steps in their order as (part, stage, steps), where `only` has the stages wanted."""
        wanted = [step for step in self.worksheet.steps if not only or step.stage in only]
        groups = groupby(wanted, key=lambda step: (step.part, step.stage))
        return [(part, stage, list(steps)) for (part, stage), steps in groups]

    def examples(self) -> list[tuple[list[str], list[str]]]:
        """The inputs and the targets of every example, each as `name = value`."""
        known, labels = self.worksheet.network, self.labels
        if known is None:
            return []
        numbers = [k for k in range(len(labels)) if named(known.inputs[0], example=k) in labels]
        both = (known.inputs, known.targets)
        inputs, targets = ([[named(n, example=k) for n in names] for k in numbers] for names in both)
        return [(self._labelled(i), self._labelled(t)) for i, t in zip(inputs, targets, strict=True)]

    def given(self) -> list[str]:
        """Everything that is given, as `name = value`; for a network the picture and the examples say it."""
        if self.worksheet.network is not None:
            return []
        return self.all_given()

    def all_given(self) -> list[str]:
        """Everything that is given, as `name = value`."""
        return self._labelled(self.worksheet.givens)

    def _labelled(self, names: Iterable[str]) -> list[str]:
        return [f"{name} = {self.labels[name]}" for name in names]

    def drift(self, step: Step) -> tuple[str, str]:
        """The exact value, and how far the rounded one has moved away from it."""
        exact = as_fraction(self.worksheet.values[step.name])
        moved = (self.rounded or {}).get(step.name, exact) - exact
        return shown(exact, self.digits + 3), "0" if moved == 0 else scientific(moved, 2)

    @property
    def values(self) -> Mapping[str, Any]:
        """The values as they are shown: exact, or as rounded line by line."""
        return self.worksheet.values if self.rounded is None else self.rounded

    def changes(self) -> list[tuple[str, str, str, str]]:
        """Every updated parameter with its first and its last value and the change."""
        values, labels = self.values, self.labels
        return [
            (old, labels[old], labels[new], shown(as_fraction(values[new]) - as_fraction(values[old]), self.digits))
            for old, new in self.worksheet.updated
        ]

    def is_exact(self, step: Step) -> bool:
        """Whether the numbers that the step is worked out from are shown exactly, none of them rounded."""
        values = self.values
        return all(as_fraction(values[n]) == Fraction(self.labels[n]) for n in step.inputs)


class _Labels(Mapping[str, str]):
    """A text for each name, made when it is asked for: of a long worksheet a lesson shows a few lines."""

    def __init__(self, names: Iterable[str], write: Callable[[str], str]) -> None:
        self._made: dict[str, str | None] = dict.fromkeys(names)
        self._write = write

    def __getitem__(self, name: str) -> str:
        text = self._made[name]
        if text is None:
            text = self._made[name] = self._write(name)
        return text

    def __contains__(self, name: object) -> bool:
        return name in self._made

    def __iter__(self) -> Iterator[str]:
        return iter(self._made)

    def __len__(self) -> int:
        return len(self._made)


def changes_in_error(view: WorksheetView) -> Iterator[str]:
    """A sentence for each error: by how much it fell or rose with the new parameters."""
    for before, after in view.worksheet.outcomes:
        yield _change(view, before, after)


def _change(view: WorksheetView, before: str, after: str) -> str:
    values = view.values
    was, now = as_fraction(values[before]), as_fraction(values[after])
    error = after.replace("_after", "", 1)  # E, where its first value is E[1]
    if was == now:
        return f"{error} stays at {view.labels[before]}: this step changes nothing."
    verb = "fell" if now < was else "rose"
    difference = abs(was - now)
    old, new = shown(was, view.digits, now), shown(now, view.digits, was)
    share = "" if was == 0 else f", that is {shown(100 * difference / abs(was), 1)}%"
    return f"{error} {verb} from {old} to {new}, by {shown(difference, view.digits)}{share}."
