"""An entry of a registry for programs: what `tutor explain --json` prints."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from tutor.maths.optimizer import Optimizer
from tutor.results import Result
from tutor.views import catalogue, optimizer
from tutor.views.blocks import Formula, Piece
from tutor.views.course.errata import Quoted
from tutor.views.notation import expression_text
from tutor.views.numbers import full
from tutor.views.style import PLAIN
from tutor.worksheet.catalogue import details_of


class RuleDocument(Struct):
    """A line of the derivation of one quantity, and the rule that leads to it."""

    of: str
    expression: str
    rule: str


class EntryDocument(Result):
    """What the registry says of an entry that is no optimizer; the worked part only where the entry can be worked out.

    `constants` are those for which the `values` hold, row by row, each exact; null where there is no derivative.
    """

    name: str
    kind: str
    title: str = ""
    equation: str = ""
    derivative: str = ""
    range: str = ""
    along: str = ""
    distribution: str = ""
    remark: str = ""
    source: str = ""
    settings: str = ""
    see_also: str = field(default="", name="see also")
    formula: str | None = None
    derivation: list[RuleDocument] | None = None
    constants: dict[str, str] | None = None
    values: list[dict[str, str | None]] | None = None
    errata: list[Quoted] = field(default_factory=list)


class LineDocument(Struct):
    """One equation of an optimizer."""

    name: str
    formula: str
    reason: str


class FormDocument(Struct):
    """What a setting does, and the equations that are other ones with it."""

    settings: str = field(name="with")
    means: list[str]
    equations: list[LineDocument]


class OptimizerDocument(Result, kw_only=True):
    """An optimizer: its equations, its symbols, its other forms, and three updates with exact values by name."""

    name: str
    kind: str
    title: str = ""
    remark: str = ""
    source: str = ""
    frameworks: str = field(default="", name="in PyTorch and Keras")
    settings: str = ""
    rate: str = field(default="", name="learning rate if none is given")
    equation: str
    equations: list[LineDocument]
    symbols: dict[str, str]
    forms: list[FormDocument]
    start: str
    updates: list[dict[str, str]]
    errata: list[Quoted] = field(default_factory=list)


def entry_document(
    name: str, kind: str, entry: Any, errata: Sequence[Quoted] = ()
) -> EntryDocument | OptimizerDocument:
    """Everything that is shown of an entry, but the picture."""
    if isinstance(entry, Optimizer):
        return _optimizer_document(name, entry, errata)
    facts: dict[str, Any] = {fact.replace(" ", "_"): text for fact, text in catalogue.facts(kind, entry)}
    document, work = EntryDocument(name=name, errata=list(errata), **facts), details_of(entry)
    if work is None:
        return document
    if work.curve is not None and work.curve.step is not None:
        document.formula = expression_text(work.curve.step.formula, PLAIN)
    document.derivation = [
        RuleDocument(of, expression_text(line.expression, PLAIN), line.rule)
        for of, lines in work.derivations.items()
        for line in lines
    ]
    document.constants = {name: full(value) for name, value in work.constants.items()}
    document.values = [
        {c: None if value is None else full(value) for c, value in zip(work.columns, row, strict=True)}
        for row in work.rows
    ]
    return document


def _optimizer_document(name: str, entry: Optimizer, errata: Sequence[Quoted]) -> OptimizerDocument:
    variant, (start, rows), facts = entry.variant(), optimizer.three_updates(entry), optimizer.facts(entry)
    equations = _equations(optimizer.written_lines(variant))
    renamed = {"in PyTorch and Keras": "frameworks", "learning rate if none is given": "rate"}
    return OptimizerDocument(
        name=name,
        **{renamed.get(fact, fact): text for fact, text in facts.items()},
        equation="; ".join(f"{line.name} = {line.formula}" for line in equations),
        equations=equations,
        symbols=dict(optimizer.symbols(entry, variant)),
        forms=[FormDocument(spelled, told, _equations(changed)) for spelled, told, changed in optimizer.forms(entry)],
        start=start,
        errata=list(errata),
        updates=[{name: full(value) for name, value in row.items()} for row in rows],
    )


def _equations(lines: optimizer.Lines) -> list[LineDocument]:
    return [LineDocument(name, "".join(map(_plain, pieces)), reason) for name, pieces, reason in lines]


def _plain(piece: Piece) -> str:
    return expression_text(piece.expression, PLAIN) if isinstance(piece, Formula) else str(piece)
