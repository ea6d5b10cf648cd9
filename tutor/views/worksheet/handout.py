"""A problem on a page of its own, to be worked without the program: what is given, the conventions, what is asked with
how many digits, and what every name means. Nothing is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

from tutor.formulas.quantity import Role, read_name
from tutor.lessons.format import Lesson
from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS
from tutor.maths.kind import Kind as Made
from tutor.sheets.formats import Question
from tutor.views.blocks import Block, Code, Column, Heading, Kind, Level, Paragraph, Row, Table, Text
from tutor.views.worksheet.blank import coded, given, harmless_prose
from tutor.views.worksheet.model import WorksheetView
from tutor.views.worksheet.page import title
from tutor.worksheet.step import Step, Worksheet

_DIGITS = 3
_ROUNDING = "go on with more digits than you write down"


def handout(
    lesson: Lesson, worksheet: Worksheet, questions: Sequence[Question], whose: Mapping[str, str]
) -> Iterator[Block]:
    """The page; `whose` says which student's problem it is and how its code is."""
    view = WorksheetView(worksheet, _DIGITS, rounding=_ROUNDING, blank=True)
    yield from title(lesson.title, lesson.source, harmless_prose(lesson.about, view))
    for what, said in whose.items():
        yield Paragraph((f"{what.capitalize()}: ", Code(said)))
    yield Heading("What is given")
    yield from given(view)
    if functions := _functions(worksheet):
        yield Heading("The functions")
        yield from (Paragraph(text, 2) for text in functions)
    yield Heading("What the names mean")
    yield from (Paragraph(text, 2) for text in names(worksheet, questions))
    yield Heading("What is asked")
    yield Paragraph(
        "Write each answer beside its name, as a number with the digits asked for, or as a formula in the names of "
        "this page, or both: formula = number. What follows rightly from an earlier mistake counts as right."
    )
    for heading, group in groupby(questions, key=lambda q: _heading(view, q)):
        yield Heading(heading, Level.LINES)
        yield _table(worksheet, list(group))


def _heading(view: WorksheetView, question: Question) -> str:
    step = view.worksheet.by_name[question.name]
    return view.title(step.part, step.stage)


def _table(worksheet: Worksheet, questions: Sequence[Question]) -> Table:
    columns = (Column("name", Kind.NAME), Column("what it is"), Column("digits"), Column("points", Kind.NUMBER))
    rows = []
    for question in questions:
        said = meaning(worksheet.by_name[question.name], worksheet)
        told = "".join(piece.text if isinstance(piece, Code) else piece for piece in said)
        sentence = f"{question.name}, {told}: {question.digits}; points: {question.points}."
        rows.append(Row((Code(question.name), said, question.digits, question.points), sentence))
    return Table(columns, tuple(rows))


def meaning(step: Step, worksheet: Worksheet) -> tuple[str | Code, ...]:
    """What a quantity is, in words."""
    found = read_name(step.name)
    said: tuple[str | Code, ...] = (step.reason,)
    if found.of is not None:
        said = ("the derivative of ", Code(str(found.of)), " by ", Code(found.base))
        said = (*said, f", {step.reason}") if step.kind is Made.REDUCTION else said
    elif step.kind in (Made.WEIGHTED_SUM, Made.ACTIVATION):
        said = (_of_neuron(step, found.base, worksheet),)
    elif step.kind is Made.LOSS:
        said = (f"the loss: {step.reason}",)
    elif step.kind is Made.UPDATE and step.before:
        said = (Code(step.before), f" after the update: {step.reason}")
    elif step.kind is Made.EQUATION:
        said = ("what its equation gives",)
    return (*said, ", with the new parameters") if step.stage == "after" else said


def _of_neuron(step: Step, base: str, worksheet: Worksheet) -> str:
    """Which neuron's weighted sum or output it is."""
    for neuron in (n for layer in worksheet.network.layers for n in layer.neurons) if worksheet.network else ():
        if neuron.sum == base:
            return f"the weighted sum of neuron {neuron.stem}"
        if neuron.output == base:
            return f"the output of neuron {neuron.stem}: {step.which.replace('_', ' ')}"
    return step.reason


def names(worksheet: Worksheet, questions: Sequence[Question]) -> Iterator[Text]:
    """How the names of this worksheet are made, those that occur among what is asked or given."""
    named = [read_name(q.name) for q in questions]
    known = {*named, *(q.of for q in named if q.of is not None), *map(read_name, worksheet.givens)}
    network = worksheet.network
    if network is not None:
        neuron = network.layers[0].neurons[0]
        yield (Code(neuron.sum), " is the weighted sum of a neuron, ", Code(neuron.output), " its output")
        if network.targets:
            yield (*coded(network.targets), ": what should come out")
    if "eta" in worksheet.givens:
        yield (Code("eta"), ": the learning rate")
    if any(q.of is not None for q in named):
        goal = read_name(worksheet.goal).base if worksheet.goal in worksheet.by_name else "what is differentiated"
        yield (
            Code("dA/dB"),
            f" is the derivative of A by B: of {goal} along all paths, of any other quantity the factor that stands "
            "in its own formula",
        )
    if any(q.example for q in known):
        yield (Code("@2"), " after a name: of the second example")
    if any(q.update for q in known):
        yield (Code("[2]"), " after a name: in the second update; after a parameter: its value after two updates")
    if any(q.role is Role.NEW for q in known):
        yield (Code(str(Role.NEW)), " after a name: its value after the update")
    if any(q.role is Role.AFTER for q in known):
        yield (Code(str(Role.AFTER)), " after a name: worked out again with the new parameters")


def _functions(worksheet: Worksheet) -> list[str]:
    """The equation of every activation, a of the weighted sum z."""
    layers = worksheet.network.layers if worksheet.network else []
    used = dict.fromkeys(layer.activation for layer in layers)
    equations = {name: (ACTIVATIONS.get(name) or VECTOR_ACTIVATIONS[name]).equation for name in used}
    return [f"{name.replace('_', ' ')}: {equation}" for name, equation in equations.items()]
