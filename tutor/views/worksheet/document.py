"""A worksheet, and what is said of one, for programs: what `--json` prints, every value with its full precision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from tutor.results import Result
from tutor.views.notation import expression_text
from tutor.views.numbers import full
from tutor.views.style import PLAIN
from tutor.views.update import compared
from tutor.views.worksheet.blank import stated
from tutor.views.worksheet.conventions import update_remarks
from tutor.views.worksheet.model import WorksheetView
from tutor.worksheet.proof import Proof
from tutor.worksheet.step import Step


class ConventionsDocument(Struct):
    """What a reader must know to get the same numbers."""

    loss: str
    loss_factor: str
    reduction: str
    batch: str
    bias_policy: str
    optimizer: str
    chain: str
    arithmetic: str
    rounding: str
    remarks: list[str]


class Given(Struct):
    """A number that is given, exactly."""

    name: str
    value: str


class Cancelled(Struct, omit_defaults=True):
    """Whether it is proved that the terms of a sum cancel, or in how many digits they were found to."""

    proved: bool
    digits: int | None = None


class StepDocument(Struct, omit_defaults=True, kw_only=True):
    """One line: its formula with names, then with numbers, its value, the why, and the names in its formula.

    With every line rounded `rounded` is what the line gives, and `drift` how far that is from the value.
    """

    name: str
    stage: str
    formula: str
    substituted: str
    value: str
    cancels: Cancelled | None = None
    rounded: str | None = None
    drift: str | None = None
    reason: str
    inputs: Sequence[str]


class PrintedDocument(Struct):
    """A value as the source prints it, beside the exact one."""

    name: str
    printed: str
    exact: str
    verdict: str
    note: str
    place: str


class WorksheetDocument(Result):
    """A whole worksheet."""

    lesson: str
    conventions: ConventionsDocument
    givens: list[Given]
    steps: list[StepDocument]
    printed: list[PrintedDocument]


def worksheet_document(lesson: str, view: WorksheetView, only: Sequence[str] = ()) -> WorksheetDocument:
    """What `tutor run --json` prints."""
    worksheet = view.worksheet
    return WorksheetDocument(
        lesson=lesson,
        conventions=_conventions(view),
        givens=[Given(name, full(value)) for name, value in worksheet.givens.items()],
        steps=[_step(view, step) for step in worksheet.steps if not only or step.stage in only],
        printed=[
            PrintedDocument(row.name, row.printed, full(row.exact), row.verdict, row.note, row.place)
            for row in view.printed
        ],
    )


def _conventions(view: WorksheetView) -> ConventionsDocument:
    """On a blank worksheet without what comes of them."""
    worksheet, conventions = view.worksheet, view.worksheet.conventions
    return ConventionsDocument(
        loss=conventions.loss,
        loss_factor=conventions.loss_factor,
        reduction=conventions.reduction,
        batch=conventions.batch,
        bias_policy=conventions.bias_policy,
        optimizer=conventions.optimizer,
        chain=conventions.chain,
        arithmetic="exact",
        rounding=view.rounding or f"once, half to even, to {view.digits} decimals for display",
        remarks=[
            *(update_remarks(worksheet, view.digits) if conventions.optimizer else ()),
            *conventions.remarks,
            *([conventions.ended] if conventions.ended and not view.blank else ()),
        ],
    )


def _step(view: WorksheetView, step: Step) -> StepDocument:
    zeros, rounded = view.worksheet.zeros, view.rounded
    return StepDocument(
        name=step.name,
        stage=step.stage,
        formula=expression_text(step.formula, PLAIN),
        substituted=expression_text(step.formula, PLAIN, view.labels),
        value=full(view.worksheet.values[step.name]),
        cancels=Cancelled(zeros[step.name] is None, zeros[step.name]) if step.name in zeros else None,
        rounded=None if rounded is None else full(rounded[step.name]),
        drift=None if rounded is None else view.drift(step)[1],
        reason=step.reason,
        inputs=step.inputs,
    )


class BlankStep(Struct, omit_defaults=True):
    """A quantity that is to be found; its formula only where the problem gives it."""

    name: str
    stage: str
    formula: str | None = None


class BlankDocument(Result):
    """A problem to be worked by hand."""

    lesson: str
    conventions: ConventionsDocument
    givens: list[Given]
    steps: list[BlankStep]


def blank_document(lesson: str, view: WorksheetView, only: Sequence[str] = ()) -> BlankDocument:
    """What `tutor run --blank --json` prints."""
    formulas = {step.name: expression_text(step.formula, PLAIN) for step in stated(view)}
    return BlankDocument(
        lesson=lesson,
        conventions=_conventions(view),
        givens=[Given(name, value) for name, value in view.labels.items()],
        steps=[
            BlankStep(step.name, step.stage, formulas.get(step.name))
            for step in view.worksheet.steps
            if not only or step.stage in only
        ],
    )


class TrainedParameter(Struct):
    """A parameter after the update: exactly, as the trainer has it, and the difference."""

    name: str
    exact: str
    trained: str
    difference: str


class UpdateDocument(WorksheetDocument):
    """The worksheet of one update of a training, and what the trainer made of it."""

    update: int
    trainer: list[TrainedParameter]


def update_document(name: str, number: int, view: WorksheetView, trained: Mapping[str, float]) -> UpdateDocument:
    """What `tutor train --explain N --json` prints."""
    rows = [TrainedParameter(p, *numbers) for p, numbers in compared(view.worksheet, trained).items()]
    return UpdateDocument(**structs.asdict(worksheet_document(name, view)), update=number, trainer=rows)


class DerivationLine(Struct):
    """An expression, and the rule that leads to it."""

    expression: str
    rule: str


class ExplanationDocument(Result):
    """One quantity: its formula, its derivation, what it is made of and what is made of it."""

    lesson: str
    name: str
    value: str
    stage: str
    formula: str | None
    substituted: str | None
    reason: str
    derivation: list[DerivationLine]
    inputs: Sequence[str]
    used_by: Sequence[str]


def explanation_document(lesson: str, view: WorksheetView, name: str) -> ExplanationDocument:
    """What `tutor why --json` prints."""
    worksheet = view.worksheet
    step = worksheet.by_name.get(name)
    lines = view.derivation(step) if step else ()
    return ExplanationDocument(
        lesson=lesson,
        name=name,
        value=full(worksheet.values[name]),
        stage=step.stage if step else "given",
        formula=expression_text(step.formula, PLAIN) if step else None,
        substituted=expression_text(step.formula, PLAIN, view.labels) if step else None,
        reason=step.reason if step else "given",
        derivation=[DerivationLine(expression_text(line.expression, PLAIN), line.rule) for line in lines],
        inputs=step.inputs if step else (),
        used_by=worksheet.users[name],
    )


class ProofDocument(Struct, omit_defaults=True, kw_only=True):
    """One gradient by the chain rule and in three other ways, of which a corner may leave some out."""

    name: str
    chain: str
    composed: str | None = None
    central: str | None = None
    complex_step: str | None = None
    largest_difference: str
    agrees: bool
    verdict: str


class ProofsDocument(Result, kw_only=True):
    """Every gradient of a worksheet; `objective` is what they are the gradients of, where that is no loss."""

    lesson: str
    objective: str | None = None
    gradients: list[ProofDocument]


def proofs_document(lesson: str, proofs: Sequence[Proof], objective: Step | None = None) -> ProofsDocument:
    """What `tutor prove --json` prints."""
    return ProofsDocument(
        lesson=lesson,
        objective=None if objective is None else expression_text(objective.formula, PLAIN),
        gradients=[
            ProofDocument(
                name=proof.name,
                chain=full(proof.chain),
                **{way.replace(" ", "_"): full(value) for way, value in proof.others.items()},
                largest_difference=full(proof.largest_difference, 3),
                agrees=proof.holds,
                verdict=proof.verdict,
            )
            for proof in proofs
        ],
    )
