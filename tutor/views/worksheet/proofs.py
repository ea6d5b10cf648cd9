"""Gradients proved four ways, as a table, as sentences, and as data."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from tutor.views.notation import expression_text
from tutor.views.numbers import scientific, shown
from tutor.views.screen import Screen
from tutor.worksheet.proof import AGREES, AT_A_CORNER, Proof
from tutor.worksheet.step import Step

WAYS = {
    "chain rule": "the product of the local derivatives along every path, added up",
    "composed": "SymPy's derivative of the loss with everything written into one formula",
    "central": "(E(w + h) - E(w - h))/2h with h = 1e-40, in 150 digits",
    "complex step": "Im E(w + ih)/h with the same h: no difference that could cancel",
}


def show_proofs(proofs: Sequence[Proof], screen: Screen, objective: Step | None = None) -> None:
    """Every gradient with its value and how far each other way is from it; with the objective where it is no step."""
    if objective is not None:
        formula = expression_text(objective.formula, screen.style)
        screen.show(f"The gradients arrive from above: they are those of {objective.name} = {formula}.", "")
    screen.show("Each gradient four ways:")
    for way, meaning in WAYS.items():
        screen.indented(f"{way}: {meaning}")
    screen.show("")
    if screen.narrate or screen.stacked:
        for proof in proofs:
            told = ", ".join(f"{way} differs by {_distance(proof, way)}" for way in list(WAYS)[1:])
            screen.show(f"{proof.name} = {shown(proof.chain, 12)} by the chain rule; {told}. {proof.verdict}.")
    else:
        ways = list(WAYS)[1:]
        table = screen.table("gradient", "chain rule", *ways, "verdict", right=["chain rule", *ways])
        for proof in proofs:
            distances = [_distance(proof, way) for way in ways]
            table.add_row(*map(screen.text, (proof.name, shown(proof.chain, 12), *distances, proof.verdict)))
        screen.show(table, "The three columns after the chain rule are differences from it.")
    if any(proof.composed is None for proof in proofs):
        screen.show("not done: the composed loss is too large for SymPy to be differentiated in reasonable time.")
    for proof in proofs:
        if proof.verdict == AT_A_CORNER:
            screen.show(_corner(proof, screen))
    held, cornered = (sum(proof.verdict == verdict for proof in proofs) for verdict in (AGREES, AT_A_CORNER))
    screen.show(
        f"{held} of {len(proofs)} gradients agree to 25 digits{f', {cornered} at a corner' if cornered else ''}."
    )


def _corner(proof: Proof, screen: Screen) -> str:
    """Why the differences at a corner cannot agree."""
    step, watched = proof.corner or ("", None)
    return (
        f"{proof.name} is at a corner: {step} has no derivative where {expression_text(watched, screen.style)} = 0. "
        "The chain rule goes on with the slope that is chosen there; other ways may find another."
    )


def _distance(proof: Proof, way: str) -> str:
    if way not in proof.others:
        return "not done"
    difference = abs(proof.others[way] - proof.chain)
    return "0" if difference == 0 else scientific(Fraction(difference), 2)
