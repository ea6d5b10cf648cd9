"""A worksheet in sentences, one after the other, for screen readers and for reading aloud."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tutor.errors import counted
from tutor.views.notation import expression_text
from tutor.views.numbers import shown
from tutor.views.style import SPOKEN
from tutor.views.worksheet.conventions import conventions_line
from tutor.views.worksheet.epochs import epoch_sentences
from tutor.views.worksheet.model import OF_A_FORMULA, PrintedRow, Tableau, changes_in_error
from tutor.worksheet.derivation import Line
from tutor.worksheet.softmax import collapses
from tutor.worksheet.step import Step


def narrate_worksheet(tableau: Tableau, only: Sequence[str] = ()) -> Iterator[str]:
    """The whole worksheet, or the stages named in `only`, sentence by sentence."""
    yield conventions_line(tableau.worksheet, tableau.digits, tableau.rounding)
    if not only:
        yield from narrate_network(tableau)
    count = len(tableau.worksheet.steps)
    numbers = {step.name: f"Step {i} of {count}. " for i, step in enumerate(tableau.worksheet.steps, 1)}
    derived = False
    for part, stage, steps in tableau.parts(only):
        if tableau.by_perceptron_rule and part != tableau.worksheet.steps[0].part:
            yield from epoch_sentences(tableau)
            break
        yield f"{tableau.title(part, stage)}."
        beginning, others = tableau.beginning(steps)
        for step in beginning:
            yield numbers[step.name] + narrate_step(tableau, step)
        if others:
            yield others
        if stage == "partial" and not derived and not tableau.brief:
            derived = True
            for step, lines, alike in tableau.derivations_by_kind():
                yield narrate_derivation(step.name, lines)
                if alike:
                    named, more = tableau.beginning(alike)
                    yield f"In the same way: {', '.join(named)}{f', {more}' if more else '.'}"
            for name, lines in collapses(tableau.worksheet)[:1]:
                yield "With softmax and cross-entropy the gradient by a weighted sum becomes output minus target."
                yield narrate_derivation(name, lines)
    if not only:
        for row in tableau.printed:
            if row.name not in tableau.worksheet.by_name:
                yield f"{row.name} is {shown(row.exact, tableau.digits)}. {narrate_printed(row)}"
        yield from narrate_outcome(tableau)
        for verdict, meaning in tableau.verdicts.items():
            yield f"The verdict {verdict} means: {meaning}."
        if tableau.prints_a_formula:
            yield OF_A_FORMULA


def narrate_outcome(tableau: Tableau) -> Iterator[str]:
    """What changed, and by how much the error fell."""
    changes, others = tableau.beginning(tableau.changes())
    for name, before, after, change in changes:
        yield f"{name} goes from {before} to {after}, a change of {change}."
    if others:
        yield others
    yield from changes_in_error(tableau)


def narrate_network(tableau: Tableau) -> Iterator[str]:
    """What flows into each neuron, with the weights."""
    known = tableau.worksheet.network
    if known is None:
        yield f"Given: {', '.join(tableau.given())}."
        return
    examples = tableau.examples()
    shown_inputs = examples[0][0] if len(examples) == 1 else known.inputs
    yield f"The network has {counted(len(known.inputs), 'input')}: {', '.join(shown_inputs)}."
    sources = known.inputs
    for number, layer in enumerate(known.layers, 1):
        kind = "output layer" if number == len(known.layers) else "hidden layer"
        yield (
            f"Layer {number}, the {kind}, has {len(layer.neurons)} {layer.activation} neurons."
            if len(layer.neurons) > 1
            else f"Layer {number}, the {kind}, has one {layer.activation} neuron."
        )
        for neuron, row, bias in zip(layer.neurons, layer.weights, layer.biases, strict=True):
            arms = [f"{x} with weight {w} = {tableau.labels[w]}" for x, w in zip(sources, row, strict=True) if w]
            kind, how = ("threshold", ", subtracted") if layer.subtracted else ("bias", "")
            end = f"; its {kind} is {bias} = {tableau.labels[bias]}{how}" if bias else ""
            yield f"{neuron.output} takes {', '.join(arms)}{end}."
        sources = tuple(neuron.output for neuron in layer.neurons)
    for number, (inputs, targets) in enumerate(examples, 1):
        if len(examples) > 1:
            target = f"; the target is {', '.join(targets)}" if targets else ""
            yield f"Example {number}: {', '.join(inputs)}{target}."
        elif targets:
            yield f"The target is {', '.join(targets)}."


def narrate_step(tableau: Tableau, step: Step) -> str:
    """Name, rule, formula, numbers, value, and what is printed."""
    formula, numbers = tableau.formula(step, SPOKEN), tableau.substituted(step, SPOKEN)
    equation = formula
    if numbers:
        equation += f", which is {'about ' if tableau.sign(step) == '≈' else ''}{numbers}"
    if formula != tableau.labels[step.name]:
        equation += f", which is {tableau.labels[step.name]}"
    if note := tableau.cancelled(step):
        equation += f"; {note}"
    if tableau.rounded is not None:
        equation += "; the exact value is {}, the drift {}".format(*tableau.drift(step))
    printed = [narrate_printed(row) for row in tableau.printed_by_name.get(step.name, ())]
    return " ".join([f"{step.name}, {step.reason}: {equation}.", *printed])


def narrate_printed(row: PrintedRow) -> str:
    note = f" {row.note}" if row.note else ""
    return f"Printed is {row.printed}: {row.verdict}.{note}"


def narrate_derivation(name: str, lines: Sequence[Line]) -> str:
    """The derivation as one paragraph, rule before result."""
    first, *rest = lines
    told = [f"{name} is {expression_text(first.expression, SPOKEN)}."]
    told += [f"Then, {line.rule}: {expression_text(line.expression, SPOKEN)}." for line in rest]
    return " ".join(told)
