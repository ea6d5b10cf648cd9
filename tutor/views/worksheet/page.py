"""A worksheet from its conventions to what changed: every line of it, or one, and how its derivatives come out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tutor.views.blocks import (
    Block,
    Break,
    Calculation,
    Calculations,
    Column,
    Derivation,
    Heading,
    Kind,
    Level,
    Network,
    Paragraph,
    Printed,
    Row,
    Table,
    Verdict,
)  # fmt: skip
from tutor.views.numbers import shown
from tutor.views.worksheet.conventions import conventions_line
from tutor.views.worksheet.epochs import epochs
from tutor.views.worksheet.meaning import first_order
from tutor.views.worksheet.model import OF_A_FORMULA, PrintedRow, WorksheetView, changes_in_error
from tutor.worksheet.derivation import Line
from tutor.worksheet.softmax import collapses
from tutor.worksheet.step import Step


def title(of: str, source: str, about: str) -> Iterator[Block]:
    """What the worksheet is called, where it comes from, and what the reader should know first."""
    yield Heading(f"{of} ({source})" if source else of, Level.TITLE)
    yield Break()
    for paragraph in filter(None, about.strip().split("\n\n")):
        yield Paragraph(" ".join(paragraph.split()))
        yield Break()


def introduction(view: WorksheetView) -> Iterator[Block]:
    """The conventions, and what is given."""
    yield Paragraph(conventions_line(view.worksheet, view.digits, view.rounding, view.blank))
    yield from setting(view)


def setting(view: WorksheetView) -> Iterator[Block]:
    """The network with its weights and examples, or what is given where there is none."""
    network = view.worksheet.network
    if network is None:
        if given := view.given():
            yield Break()
            yield Paragraph(f"Given: {', '.join(given)}.")
    else:
        yield Network(network, view.labels, tuple((tuple(x), tuple(t)) for x, t in view.examples()))


def worksheet(view: WorksheetView, only: Sequence[str] = ()) -> Iterator[Block]:
    """The whole worksheet, or the stages named in `only`."""
    yield Break()
    if only:
        yield Paragraph(conventions_line(view.worksheet, view.digits, view.rounding))
    else:
        yield from introduction(view)
    count, derived = len(view.worksheet.steps), view.brief
    positions = {step.name: f"Step {n} of {count}" for n, step in enumerate(view.worksheet.steps, 1)}
    for part, stage, steps in view.parts(only):
        if view.by_perceptron_rule and part != view.worksheet.steps[0].part:
            break  # the first example is worked out; the rest stands in the epoch table
        yield Heading(view.title(part, stage))
        beginning, others = view.beginning(steps)
        yield Calculations(tuple(calculation(view, step, positions[step.name]) for step in beginning), others)
        if stage == "partial" and not derived:
            yield from derivations(view)
            derived = True
    if view.by_perceptron_rule:
        yield from epochs(view)
    if not only:
        yield from checks(view)
        yield from outcome(view)
        yield from legend(view)


def calculation(view: WorksheetView, step: Step, position: str = "", in_full: str = "") -> Calculation:
    """One step: formula, numbers, value, and what the source prints."""
    return Calculation(
        step.name,
        step.reason,
        step.formula,
        view.labels,
        view.is_exact(step),
        view.labels[step.name],
        position,
        view.cancelled(step),
        in_full,
        None if view.rounded is None else view.drift(step),
        tuple(map(printed, view.printed_by_name.get(step.name, ()))),
    )


def printed(row: PrintedRow) -> Printed:
    return Printed(row.name, row.printed, row.verdict, row.note, row.place)


def derivation(name: str, lines: Sequence[Line]) -> Derivation:
    return Derivation(name, tuple((line.expression, line.rule) for line in lines))


def derivations(view: WorksheetView) -> Iterator[Block]:
    """One derivation of every kind; the partials that come out alike are named below it."""
    yield Heading("How these derivatives come out, rule by rule")
    for step, lines, others in view.derivations_by_kind():
        yield derivation(step.name, lines)
        if others:
            yield _alike(view, others)
        yield Break()
    if collapsed := collapses(view.worksheet):
        name, lines = collapsed[0]
        yield Paragraph("With softmax and cross-entropy the gradient by a weighted sum becomes output minus target:")
        yield Break()
        yield derivation(name, lines)
        yield _alike(view, [other for other, _ in collapsed[1:]])


def _alike(view: WorksheetView, others: Sequence[str]) -> Paragraph:
    """Which partials come out in the same way."""
    named, more = view.beginning(others)
    return Paragraph(f"In the same way: {', '.join(named)}{f', {more}' if more else '.'}", 2)


def checks(view: WorksheetView) -> Iterator[Block]:
    """Printed values of formulas that are no steps of the worksheet."""
    rows = [
        (printed(row), shown(row.exact, view.digits)) for row in view.printed if row.name not in view.worksheet.by_name
    ]
    if not rows:
        return
    yield Heading("Results in between that are printed too")
    yield Table(
        (Column("formula"), Column("value", Kind.NUMBER), Column("printed")),
        tuple(
            Row(
                (of.name, value, Verdict(of.verdict, f"{of.value} {of.verdict}")),
                f"{of.name} is {value}. Printed is {of.value}: {of.verdict}.",
                (Paragraph(f"{of.name} = {value}, printed {of.value}: {of.verdict}"),),
            )
            for of, value in rows
        ),
    )
    for of, _ in rows:
        if of.remark:
            yield Paragraph(of.remark, 2)


def outcome(view: WorksheetView) -> Iterator[Block]:
    """What changed, and by how much the error fell."""
    changes, others = view.beginning(view.changes())
    if not changes:
        return
    yield Heading("What changed")
    yield Table(
        (Column(""), *(Column(heading, Kind.NUMBER) for heading in ("before", "after", "change"))),
        tuple(
            Row(
                row,
                "{} goes from {} to {}, a change of {}.".format(*row),
                (Paragraph(row[0]), Paragraph(f"from {row[1]} to {row[2]}", 2), Paragraph(f"changed by {row[3]}", 2)),
            )
            for row in changes
        ),
    )
    if others:
        yield Paragraph(others)
    yield from map(Paragraph, (*changes_in_error(view), *first_order(view)))


def legend(view: WorksheetView) -> Iterator[Block]:
    """What the verdicts mean, those that occur."""
    if not view.verdicts:
        return
    yield Heading("What the verdicts on printed values mean")
    for verdict, meaning in view.verdicts.items():
        yield Paragraph(f"{verdict}: {meaning}", 2)
    if view.prints_a_formula:
        yield Paragraph(OF_A_FORMULA, 2)
    yield Paragraph("An empty place: the source prints no value there.", 2, seen=True)
