"""Gradients proved four ways: each value, and how far the other ways are from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from tutor.views.blocks import Block, Break, Column, Formula, Kind, Paragraph, Row, Table
from tutor.views.numbers import scientific, shown
from tutor.worksheet.proof import AGREES, AT_A_CORNER, Proof
from tutor.worksheet.step import Step

WAYS = {
    "chain rule": "the product of the local derivatives along every path, added up",
    "composed": "SymPy's derivative of the loss with everything written into one formula",
    "central": "(E(w + h) - E(w - h))/2h with h = 1e-40, in 150 digits",
    "complex step": "Im E(w + ih)/h with the same h: no difference that could cancel",
}


def proved(proofs: Sequence[Proof], objective: Step | None = None) -> Iterator[Block]:
    """Every gradient with its value and how far each other way is from it; with the objective where it is no step."""
    if objective is not None:
        arrive = f"The gradients arrive from above: they are those of {objective.name}"
        yield Paragraph((arrive, " = ", Formula(objective.formula), "."))
        yield Break()
    yield Paragraph("Each gradient four ways:")
    for way, meaning in WAYS.items():
        yield Paragraph(f"{way}: {meaning}", 2)
    yield Break()
    chain, *ways = WAYS
    yield Table(
        (Column("gradient"), *(Column(way, Kind.NUMBER) for way in (chain, *ways)), Column("verdict")),
        tuple(_row(proof, ways) for proof in proofs),
        about="The three columns after the chain rule are differences from it.",
    )
    if any(proof.composed is None for proof in proofs):
        yield Paragraph("not done: the composed loss is too large for SymPy to be differentiated in reasonable time.")
    yield from (_corner(proof) for proof in proofs if proof.verdict == AT_A_CORNER)
    held, cornered = (sum(proof.verdict == verdict for proof in proofs) for verdict in (AGREES, AT_A_CORNER))
    corners = f", {cornered} at a corner" if cornered else ""
    yield Paragraph(f"{held} of {len(proofs)} gradients agree to 25 digits{corners}.")


def _row(proof: Proof, ways: Sequence[str]) -> Row:
    value, distances = shown(proof.chain, 12), [_distance(proof, way) for way in ways]
    told = ", ".join(f"{way} differs by {distance}" for way, distance in zip(ways, distances, strict=True))
    return Row(
        (proof.name, value, *distances, proof.verdict),
        f"{proof.name} = {value} by the chain rule; {told}. {proof.verdict}.",
    )


def _corner(proof: Proof) -> Paragraph:
    """Why the differences at a corner cannot agree."""
    step, watched = proof.corner or ("", None)
    goes_on = "The chain rule goes on with the slope that is chosen there; other ways may find another."
    none = f"{proof.name} is at a corner: {step} has no derivative where "
    return Paragraph((none, Formula(watched), f" = 0. {goes_on}"))


def _distance(proof: Proof, way: str) -> str:
    if way not in proof.others:
        return "not done"
    difference = abs(proof.others[way] - proof.chain)
    return "0" if difference == 0 else scientific(Fraction(difference), 2)
