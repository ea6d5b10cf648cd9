"""Many epochs of updates as one Python function over local variables: what a training runs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tutor.maths.optimizer import RATE
from tutor.worksheet.compile import compiled
from tutor.worksheet.one_update import COUNT, OneUpdate
from tutor.worksheet.statements import Statements, in_place
from tutor.worksheet.texts import literal
from tutor.worksheet.writer import Scope, Statement, power_name

Row = tuple[float, ...]
Epoch = tuple[Sequence[Any], Sequence[int], float, float]
"""The places of the examples of each full group (for groups of one only the places), those of the last, smaller group,
what the loss of the epoch is divided by, and the learning rate."""
SOURCE = "<worksheet>"  # as `compile` names it
Run = Callable[..., Any]


@dataclass(frozen=True)
class Loop:
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
        return found.removesuffix("[1]")


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
    pairs = [(known[name], written.result(new), name) for name, new in update.becomes.items()]
    yield from in_place(written.lines, pairs)
    yield Statement("total", f"total + {written.result(update.loss)}", update.loss)


def outputs_of(update: OneUpdate) -> Loop:
    """The forward pass of one example as run(kept, rows): for every row of inputs and targets the outputs."""
    scope = Scope()
    texts = {name: literal(value) for name, value in update.constants.items()}
    texts |= {name: scope.keep(name) for name in update.parameters}
    kept = _unpacked(list(scope.variables.values()))
    texts |= {name: scope.fresh() for name in update.rows[0]}
    written = Statements(update.steps, update.outputs, texts, scope)
    head = ["def run(kept, rows):", f" {kept} = kept", " found = []"]
    head += [f" for {_unpacked([texts[name] for name in update.rows[0]])} in rows:"]
    body = [f"  {line.target} = {line.text}" for line in written.lines]
    tail = [f"  found.append({_unpacked([written.result(name) for name in update.outputs])})", " return found"]
    steps = [*[""] * len(head), *(line.step for line in written.lines), *[""] * len(tail)]
    return Loop((*head, *body, *tail), tuple(steps), update.parameters)
