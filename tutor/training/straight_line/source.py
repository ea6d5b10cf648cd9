"""The steps of one update as statements over local variables: what nothing needs is left out, what is used once is
written where it is used, and new values go where the old ones were."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sympy
from msgspec import Struct, field

from tutor.formulas.code import HALF, Code
from tutor.formulas.compiled import compiled
from tutor.formulas.expressions import symbol
from tutor.formulas.quantity import read_name
from tutor.maths.optimizer import RATE
from tutor.training.straight_line.steps import COUNT, OneUpdate
from tutor.training.straight_line.writer import VARIABLE, LineWriter, Scope, Statement, literal, power_name
from tutor.worksheet.step import Step

_LONGEST_INLINE = 300  # characters


class Statements:
    """The statements of the `results` steps and all that they stand on.

    `known` has the text of everything that is there before, by its name.
    """

    def __init__(self, steps: Sequence[Step], results: Sequence[str], known: Mapping[str, str], scope: Scope) -> None:
        self.writer, self.results = LineWriter(known, scope), set(results)
        needed = _needed(steps, results)
        self.uses = _uses(needed)
        for step in needed:
            self._write(step)

    @property
    def lines(self) -> Sequence[Statement]:
        return self.writer.lines

    def result(self, name: str) -> str:
        """The variable of a result."""
        return self.writer.texts[name].text

    def _write(self, step: Step) -> None:
        writer = self.writer
        writer.step = step.name
        found = writer.code(step.formula)
        once = self.uses[step.name] == 1 and len(found.text) <= _LONGEST_INLINE
        if step.name in self.results or not (once or found.is_atom):
            found = Code(writer.assign(found.whole))
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


def _needed(steps: Sequence[Step], results: Sequence[str]) -> list[Step]:
    """The steps that the results stand on, in order."""
    names, found = set(results), []
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


Row = tuple[float, ...]
Epoch = tuple[Sequence[Any], Sequence[int], float, float]
"""The places of the examples of each full group (for groups of one only the places), those of the last, smaller group,
what the loss of the epoch is divided by, and the learning rate."""
SOURCE = "<worksheet>"  # as `compile` names it
Run = Callable[..., Any]


class Loop(Struct, frozen=True):
    """The source of the function, and of each of its lines the step for which it was written.

    `kept` names what lives on from update to update, in the order in which the function takes and returns it: the
    parameters, the states of the optimizer, and what changes with the number of the update alone: the number itself,
    and powers of settings, of which `powers` has the base by their name.
    """

    lines: tuple[str, ...]
    steps: tuple[str, ...]
    kept: tuple[str, ...]
    powers: Mapping[str, str] = field(default_factory=dict)

    def function(self, arithmetic: Any) -> Run:
        """run(kept, rows, epochs): the kept values after the epochs, and the loss of each of them.

        An epoch whose loss is not finite is the last one. The function changes none of its arguments.
        """
        run: Run = compiled(self.lines, arithmetic, [])["run"]
        return run

    def step_of(self, error: BaseException) -> str:
        """The worksheet's name of the step whose line raised the error."""
        found = ""
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename == SOURCE:
                found = self.steps[trace.tb_lineno - 1]
            trace = trace.tb_next
        return read_name(found).in_any_update


def loop_of(full: OneUpdate, rest: OneUpdate | None, until_clean: bool = False) -> Loop:
    """The loop over the updates by `full` groups of examples, each epoch ending in one by the smaller group `rest`.

    With `until_clean` an epoch without any loss is the last one.
    """
    scope = Scope()
    for name in full.becomes:
        scope.keep(name)
    bodies = [list(_body(update, scope)) for update in (full, rest) if update is not None]
    kept = _unpacked(list(scope.variables.values()))
    lines = [
        ("def run(kept, rows, epochs):", ""),
        (f" {kept} = kept", ""),
        (" losses = []", ""),
        (" for order, rest, count, eta in epochs:", ""),
        *((f"  {target} = {text}", RATE) for text, target in scope.once_an_epoch.items()),
        ("  total = 0.0", ""),
        (f"  for {_places(full)} in order:", ""),
        *((f"   {line.target} = {line.text}", line.step) for line in bodies[0]),
    ]
    if rest is not None:
        lines += [("  if rest:", ""), (f"   {_places(rest)}, = rest", "")]
        lines += [(f"   {line.target} = {line.text}", line.step) for line in bodies[1]]
    lines += [("  losses.append(total / count)", ""), ("  if total - total != 0.0: break", "")]
    if until_clean:
        lines.append(("  if total == 0.0: break", ""))
    lines.append((f" return {kept}, losses", ""))
    powers = {power_name(base): base for base in scope.powers}
    return Loop(tuple(text for text, _ in lines), tuple(step for _, step in lines), tuple(scope.variables), powers)


def _places(update: OneUpdate) -> str:
    """The variables for where the examples of a group are among the rows."""
    return ", ".join(f"i{place}" for place in range(len(update.rows)))


def _unpacked(variables: Sequence[str]) -> str:
    return f"({', '.join(variables)},)" if variables else "()"


def _body(update: OneUpdate, scope: Scope) -> Iterator[Statement]:
    """One update: its examples, its steps, and the new values in the place of the old ones."""
    known = {name: literal(value) for name, value in update.constants.items()}
    known |= {name: scope.keep(name) for name in update.becomes}
    for place, row in enumerate(update.rows):
        known |= {name: scope.fresh() for name in row}
        yield Statement(_unpacked([known[name] for name in row]), f"rows[i{place}]", "the examples")
    written = Statements(update.steps, [update.loss, *update.becomes.values()], known, scope)
    if COUNT in scope.variables:
        yield Statement(scope.variables[COUNT], f"{scope.variables[COUNT]} + 1.0", COUNT)
    for base, factor in scope.powers.items():
        name = power_name(base)
        yield Statement(scope.variables[name], f"{scope.variables[name]} * {factor}", name)
    pairs = [(known[name], written.result(new), name) for name, new in update.becomes.items() if new != name]
    yield from in_place(written.lines, pairs)
    yield Statement("total", f"total + {written.result(update.loss)}", update.loss)


def forward_of(update: OneUpdate, results: Sequence[str]) -> Loop:
    """The forward pass of one example as run(kept, rows): for every row of inputs and targets what is wanted."""
    scope = Scope()
    texts = {name: literal(value) for name, value in update.constants.items()}
    texts |= {name: scope.keep(name) for name in update.parameters}
    kept = _unpacked(list(scope.variables.values()))
    texts |= {name: scope.fresh() for name in update.rows[0]}
    written = Statements(update.steps, results, texts, scope)
    head = ["def run(kept, rows):", f" {kept} = kept", " found = []"]
    head += [f" for {_unpacked([texts[name] for name in update.rows[0]])} in rows:"]
    body = [f"  {line.target} = {line.text}" for line in written.lines]
    tail = [f"  found.append({_unpacked([written.result(name) for name in results])})", " return found"]
    steps = [*[""] * len(head), *(line.step for line in written.lines), *[""] * len(tail)]
    return Loop((*head, *body, *tail), tuple(steps), update.parameters)
