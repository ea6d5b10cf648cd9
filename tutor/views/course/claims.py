"""A claim with what it comes to: who states it, the verdict, the numbers that show it, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from tutor.course.claims import FEWEST_SEEDS, Finding, Tested
from tutor.course.format import Claim
from tutor.course.values import Values
from tutor.lessons.markdown import Prose
from tutor.views.blocks import Block, Break, Paragraph, Verdict
from tutor.views.course.numbers import apart, number, pair, spelled
from tutor.views.course.prose import plain_texts, prose_blocks

VERDICTS = {"holds": "holds", "wrong": "is wrong", "depends": "depends", "words": "is a matter of words"}
COLOURS = {"holds": "correct", "wrong": "wrong", "depends": "carried", "words": "carried"}


FOUND = ("wrong", "depends")


def is_erratum(claim: Claim) -> bool:
    """A matter of words is one where it names the place that it is about."""
    return claim.verdict in FOUND or (claim.verdict == "words" and bool(claim.where))


def claim_blocks(claim: Claim, finding: Finding, values: Values, line: int = 0) -> Iterator[Block]:
    """The statement, its verdict, the evidence, the reason."""
    where = f" ({claim.where})" if claim.where else ""
    said = " ".join(claim.says.split())
    yield Paragraph((f"Claim{where}: {said} ", Verdict(COLOURS[claim.verdict], f"This {VERDICTS[claim.verdict]}.")))
    for text in evidence(claim, finding):
        yield Paragraph(text, 2)
    yield Break()
    if claim.why.strip():
        yield from prose_blocks(Prose(claim.why.strip(), line), values, finding.values)
    if claim.source:
        yield Paragraph(f"Source: {claim.source}.", 2)
        yield Break()


def evidence(claim: Claim, finding: Finding) -> Iterator[str]:
    """Every comparison, value or sum that shows it, in a sentence."""
    for label, tests in (("", finding.tests), ("But: ", finding.counters)):
        for test in tests:
            yield f"{label}{told(test, claim.over)}"
    if "printed" in finding.values:
        yield from _two_formulas(claim, finding)
    elif finding.values:
        point = {n: number(v) for n, v in finding.values.items() if n not in ("left", "right")}
        at = ", ".join(f"{name} = {value}" for name, value in point.items())
        sides = f"{number(finding.values['left'])} and {number(finding.values['right'])}"
        yield f"{claim.identity}: where {at}, the sides are {sides}."
    elif claim.identity:
        yield f"{claim.identity}: {finding.said}."
    if finding.multipliers:
        yield from _sum(claim.contradiction, finding.multipliers)


def told(test: Tested, over: str) -> str:
    """A comparison with its numbers: in how many seeds it is true, or whether it is."""
    left, right = apart(test.left, test.right)
    if not test.by_seed and over != "mean":
        return f"{test.comparison}: {left} {test.comparison.sign} {right} is {test.outcome}."
    means = f"{spelled(test.left, with_deviation=True)} against {spelled(test.right, with_deviation=True)}"
    if over == "mean":
        return f"{test.comparison}, of the means: {means}, so it is {test.outcome}."
    times = f"true in {round(test.share * test.seeds)} of {test.seeds} seeds"
    return f"{test.comparison}: {times} (mean {means})."


def _two_formulas(claim: Claim, finding: Finding) -> Iterator[str]:
    known = dict(zip(("printed", "correct"), pair(finding.values["printed"], finding.values["correct"]), strict=True))
    right = "correct" if claim.verdict == "wrong" else "the other"
    yield f"{claim.of}: printed, {claim.printed} = {known['printed']}; {right}, {claim.correct} = {known['correct']}."
    if claim.then:
        first, other = pair(finding.values["printed_then"], finding.values["correct_then"])
        yield f"With the printed one {claim.then} becomes {first}, with the other {other}."
    if finding.said:
        yield f"{finding.said.capitalize()}."


def _sum(inequalities: list[str], times: tuple[int, ...]) -> Iterator[str]:
    """The inequalities that add up to what cannot be, each so many times."""
    used = [(count, text) for count, text in zip(times, inequalities, strict=True) if count]
    parts = [f"{count if abs(count) != 1 else ''}{' × ' if abs(count) != 1 else ''}({text})" for count, text in used]
    yield f"Added up, {' + '.join(parts)} say 0 < 0, or that a number is below itself: they cannot all hold."


def complaint(claim: Claim, finding: Finding) -> str:
    """What is wrong with the claim; empty where what comes out is what the lesson says."""
    if claim.verdict == "words" or finding.came_out == claim.verdict:
        return ""
    shown = " ".join(evidence(claim, finding))
    came = f"what comes out is {finding.came_out!r}" if finding.came_out != "undecided" else "nothing clear comes out"
    told_as = f"verdict is {claim.verdict!r}, and {came}: {shown}"
    for name, tests, wanted in (("test", finding.tests, _wanted(claim)), ("counter", finding.counters, "false")):
        for test in tests:
            if test.outcome != wanted:
                return f"{name} is {test.outcome}: {_numbers(test)}; the verdict is {claim.verdict!r}"
    return told_as.rstrip()


def _wanted(claim: Claim) -> str:
    return "false" if claim.verdict == "wrong" else "true"


def _numbers(test: Tested) -> str:
    if not test.by_seed:
        return f" {test.comparison.sign} ".join(apart(test.left, test.right))
    return f"{test.comparison} in {round(test.share * test.seeds)} of {test.seeds} seeds"


def doubts(claim: Claim, finding: Finding) -> Iterator[str]:
    """What makes a claim shaky though it comes out: few seeds, or one that decides."""
    for test in (*finding.tests, *finding.counters):
        if test.random and claim.over == "seeds":
            if test.seeds < FEWEST_SEEDS:
                yield f"{test.comparison} rests on {test.seeds} seeds; give the experiment {FEWEST_SEEDS} at least"
            elif test.hangs_on_one_seed:
                yield f"{test.comparison} hangs on one seed: true in {round(test.share * test.seeds)} of {test.seeds}"


class ClaimDocument(Struct, tag_field="kind", tag="claim"):
    """A claim with its evidence."""

    says: str
    where: str
    verdict: str
    came_out: str
    proof: list[str]
    printed: str
    correct: str
    why: str


def claim_document(claim: Claim, finding: Finding, values: Values, line: int = 0) -> ClaimDocument:
    known: Mapping[str, Any] = finding.values
    why = " ".join(plain_texts(prose_blocks(Prose(claim.why.strip(), line), values, finding.values)))
    return ClaimDocument(
        " ".join(claim.says.split()),
        claim.where,
        claim.verdict,
        finding.came_out,
        list(evidence(claim, finding)),
        number(known["printed"]) if "printed" in known else claim.printed,
        number(known["correct"]) if "correct" in known else claim.correct,
        why,
    )
