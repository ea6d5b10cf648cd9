"""The values of a lesson's blocks by their full names: `and.W1[end]`, `mlp.dE/dW1`, `and.epochs`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from tutor.errors import TutorError, nearest
from tutor.formulas.names import meant_by
from tutor.formulas.quantity import read_name
from tutor.lessons.format import Lesson

if TYPE_CHECKING:
    from tutor.lessons.course_text import CourseText
    from tutor.worksheet.step import Worksheet

Number = Any
_ENDING = re.compile(r"\[\s*(end|epoch\s+([0-9]{1,6}))\s*\]")
_WORD = r"(?<![\w.])({})\.([A-Za-z_][\w/@]*(?:\.\w+)*)"


class BlockValues:
    """The worksheets of a lesson, each worked out when something of it is asked for."""

    def __init__(self, course: CourseText) -> None:
        self.course = course
        self._worksheets: dict[str, Worksheet] = {}
        self._others: dict[str, Worksheet] = {}
        self._values: dict[str, dict[str, Number]] = {}

    def blocks(self) -> Mapping[str, str]:
        """The kind of every block that has values, by its name."""
        return dict.fromkeys(self.course.worksheets, "worksheet")

    def worksheet(self, name: str) -> Worksheet:
        """The worksheet with its values. Raises TutorError, with its line, where it cannot be written or worked out."""
        from tutor.worksheet.build import build

        if name not in self._worksheets:
            try:
                made = build(self.course.worksheet(name))
                _ = made.values
            except (TutorError, ValueError) as error:
                raise TutorError(self.course.told_of(name, str(error))) from None
            self._worksheets[name] = made
        return self._worksheets[name]

    def number(self, formula: str) -> Number:
        """The exact value of a formula over values of blocks. Raises ValueError where it cannot be read or has none."""
        from tutor.formulas.parse import parse
        from tutor.worksheet.values import evaluate_formula

        text, known = self.names_in(formula)
        try:
            return evaluate_formula(parse(text, known), known)
        except TutorError as error:
            raise ValueError(str(error)) from None

    def names_in(self, formula: str) -> tuple[str, dict[str, Number]]:
        """The formula with every ending written as a number, and all values of the blocks that it speaks of."""
        from tutor.formulas.syntax import SPELLINGS

        formula = formula.translate(SPELLINGS)
        named = self._named(formula)
        known: dict[str, Number] = {}
        for block in named:
            known |= self.values_of(block)
        text = self._with_numbers(formula, known)
        for block, rest in self._mentioned(text):
            if not _is_in(f"{block}.{rest}", known):
                known = {**self._of_the_other_chain(block), **known}
            if not _is_in(f"{block}.{rest}", known):
                self._check_known(block, rest, known)
        return text, known

    def _of_the_other_chain(self, block: str) -> dict[str, Number]:
        """What only the chain `delta` writes down, such as dE/dh1_in, which can be asked for all the same."""
        from tutor.worksheet.build import build

        if self.blocks()[block] != "worksheet" or not self.worksheet(block).gradients:
            return {}
        if block not in self._others:
            self._others[block] = build(self.course.worksheet(block), "delta")
        return {f"{block}.{name}": value for name, value in self._others[block].values.items()}

    def _check_known(self, block: str, rest: str, known: Mapping[str, Number]) -> None:
        """A part of what looks like a name may be one: W1 of `and.W1/and.W2`."""
        own = [name.removeprefix(f"{block}.") for name in known if name.startswith(f"{block}.")]
        pieces = rest.split("/")
        if any("/".join(pieces[:count]) in own for count in range(1, len(pieces))):
            return
        raise ValueError(f"there is no {rest[:60]!r} in {block!r}{meant_by(rest, own)}")

    def _mentioned(self, text: str) -> Iterator[tuple[str, str]]:
        known = sorted(self.blocks(), key=len, reverse=True)
        if known:
            yield from ((m[1], m[2]) for m in re.finditer(_WORD.format("|".join(map(re.escape, known))), text))

    def _named(self, formula: str) -> list[str]:
        """The blocks that the formula speaks of. Raises ValueError where it speaks of one that is not there."""
        for word in re.findall(r"(?<![\w.)\]])([A-Za-z]\w*)\.[A-Za-z]", formula):
            if word not in self.blocks():
                raise ValueError(f"there is no block {word[:60]!r}{nearest(word, self.blocks())}")
        return list(dict.fromkeys(block for block, _ in self._mentioned(formula)))

    def values_of(self, block: str) -> dict[str, Number]:
        """Everything that the block has, by its full name."""
        if block not in self._values:
            worksheet = self.worksheet(block)
            counts = counts_of(worksheet, self.course.worksheet(block))
            values = {**{name: Fraction(count) for name, count in counts.items()}, **worksheet.values}
            self._values[block] = {f"{block}.{name}": value for name, value in values.items()}
        return self._values[block]

    def _with_numbers(self, formula: str, known: Mapping[str, Number]) -> str:
        """`W1[end]` and `W1[epoch 2]` as the update that is meant."""

        def written(found: re.Match[str]) -> str:
            before = formula[: found.start()]
            name = next((n for n in self._bases(known) if re.search(rf"(?<![\w.]){re.escape(n)}$", before)), "")
            if not name:
                raise ValueError(f"{found[0]} follows the name of a quantity of a worksheet, as in and.W1[end]")
            block, _, rest = name.partition(".")
            return self._update(block, rest, int(found[2] or 0))

        return _ENDING.sub(written, formula)

    def _bases(self, known: Mapping[str, Number]) -> list[str]:
        """The names before any update, the longest first."""
        found = dict.fromkeys(f"{n.partition('.')[0]}.{_base(n.partition('.')[2])}" for n in known)
        return sorted(found, key=len, reverse=True)

    def _update(self, block: str, name: str, epoch: int) -> str:
        """The ending that the last update gives this quantity, or the last of an epoch."""
        worksheet = self.worksheet(block)
        made = [read_name(other).update for other in worksheet.names if _base(other) == name]
        last = max(made, default=0)
        if not last:
            if f"{name}_new" in worksheet.by_name:
                return "_new"
            raise ValueError(f"{name} of {block!r} changes with no update; leave the brackets out")
        if not epoch:
            return f"[{last}]"
        counts = counts_of(worksheet, self.course.worksheet(block))
        if epoch > counts["epochs"]:
            raise ValueError(f"{block!r} has {counts['epochs']} epochs; there is no epoch {epoch}")
        wanted = epoch * counts["updates"] // counts["epochs"]
        return f"[{max(k for k in made if k <= wanted)}]"


def _is_in(name: str, known: Mapping[str, Number]) -> bool:
    """Whether it is a name, or one without its index or example."""
    return name in known or any(other.startswith((f"{name}[", f"{name}@", f"{name}(")) for other in known)


def _base(name: str) -> str:
    return read_name(name).in_any_update


def counts_of(worksheet: Worksheet, lesson: Lesson) -> dict[str, int]:
    """How many updates the worksheet makes, and in how many epochs."""
    from tutor.worksheet.perceptron import RULE

    numbers = [read_name(new).update for _, new in worksheet.updated]
    updates = max([*(read_name(step.name).update for step in worksheet.steps if step.stage == "update"), *numbers, 0])
    updates = updates or int(bool(worksheet.updated))
    training = lesson.training
    if training is None:
        return {"updates": updates, "epochs": updates}
    size = 1 if training.rule == RULE else training.batch_size(len(lesson.examples))
    each = -(-len(lesson.examples) // size) if size else 1
    return {"updates": updates, "epochs": updates // max(each, 1)}
