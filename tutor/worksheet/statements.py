"""The steps of one update as statements over local variables: what nothing needs is left out, what is used once is
written where it is used, and new values go where the old ones were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import sympy

from tutor.arithmetic.symbolic import symbol
from tutor.worksheet.step import Step
from tutor.worksheet.texts import ATOM, VARIABLE, Text
from tutor.worksheet.writer import HALF, Scope, Statement, Writer

_LONGEST_INLINE = 300  # characters


class Statements:
    """The statements of the `wanted` steps and all that they stand on.

    `known` has the text of everything that is there before, by its name.
    """

    def __init__(self, steps: Sequence[Step], wanted: Sequence[str], known: Mapping[str, str], scope: Scope) -> None:
        self.writer, self.wanted = Writer(known, scope), set(wanted)
        needed = _needed(steps, wanted)
        self.uses = _uses(needed)
        for step in needed:
            self._write(step)

    @property
    def lines(self) -> Sequence[Statement]:
        return self.writer.lines

    def result(self, name: str) -> str:
        """The variable of a wanted step."""
        return self.writer.texts[name].text

    def _write(self, step: Step) -> None:
        writer = self.writer
        writer.step = step.name
        found = writer.text(step.formula)
        once = self.uses[step.name] == 1 and len(found.text) <= _LONGEST_INLINE
        if step.name in self.wanted or not (once or found.is_atom):
            found = Text(writer.assign(found.whole), ATOM)
        elif not found.is_atom:
            writer.inlined[step.name] = step.formula
        writer.texts[step.name] = found
        writer.levels[symbol(step.name)] = writer.level(step.formula)


def in_place(lines: Sequence[Statement], pairs: Sequence[tuple[str, str, str]]) -> Iterator[Statement]:
    """The statements with each new value put at once where the old one was, unless that is still needed later."""
    made: dict[str, int] = {}
    read: dict[str, int] = {}
    for place, line in enumerate(lines):
        made[line.target] = place
        read |= dict.fromkeys(VARIABLE.findall(line.text), place)
    at_once = {new: old for old, new, _ in pairs if read.get(old, -1) <= made[new]}
    for line in lines:
        text = VARIABLE.sub(lambda found: at_once.get(found[0], found[0]), line.text)
        yield Statement(at_once.get(line.target, line.target), text, line.step)
    for old, new, name in pairs:
        if new not in at_once:
            yield Statement(old, new, name)


def _needed(steps: Sequence[Step], wanted: Sequence[str]) -> list[Step]:
    """The steps that the wanted ones stand on, in order."""
    names, found = set(wanted), []
    for step in reversed(steps):
        if step.name in names:
            names.update(step.inputs)
            found.append(step)
    return found[::-1]


def _uses(steps: Sequence[Step]) -> Counter[str]:
    """How often each quantity is written; one that is multiplied by itself several times."""
    found: Counter[str] = Counter()
    for step in steps:
        stack = [step.formula]
        while stack:
            node = stack.pop()
            if isinstance(node, sympy.Symbol):
                found[node.name] += 1
            else:
                stack.extend(node.args)
                if node.is_Pow and node.args[1] not in (-1, HALF):
                    stack.append(node.args[0])
    return found
