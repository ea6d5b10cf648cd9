"""Whether what a lesson says of a claim comes out: by values, by seeds, by two formulas, by proof."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from msgspec import Struct, field

from tutor.course.format import Claim
from tutor.course.inequalities import free_names, multipliers
from tutor.course.values import Comparison, Value, Values, comparisons, is_true, statements
from tutor.errors import TutorError

OFTEN, SELDOM, FEWEST_SEEDS = 0.8, 0.2, 5
"""A statement over seeds is true in at least so many of them, false in at most so many; of how many at least."""
_POINTS = tuple(Fraction(*pair) for pair in ((3, 7), (-5, 3), (11, 13), (2, 1), (-1, 4), (17, 5), (7, 9), (1, 3)))


class Tested(Struct, frozen=True):
    """One comparison with both its sides, and in what share of how many seeds it is true."""

    comparison: Comparison
    share: float
    seeds: int
    left: Value
    right: Value
    random: bool

    @property
    def by_seed(self) -> bool:
        """Whether there are several of them to be counted."""
        return self.seeds > 1

    @property
    def hangs_on_one_seed(self) -> bool:
        """Whether something else would come out if one seed were another."""
        true = round(self.share * self.seeds)
        if self.seeds < FEWEST_SEEDS or true in (0, self.seeds):
            return False
        return {_outcome((true + change) / self.seeds) for change in (-1, 1)} != {self.outcome}

    @property
    def outcome(self) -> str:
        return _outcome(self.share)


def _outcome(share: float) -> str:
    if share >= OFTEN:
        return "true"
    return "false" if share <= SELDOM else "undecided"


class Finding(Struct, frozen=True):
    """What came out of a claim, `came_out`, in the words of its verdicts or "undecided"; with the comparisons that were
    made, values by name, multipliers of inequalities, and what else there is to say."""

    came_out: str
    tests: tuple[Tested, ...] = ()
    counters: tuple[Tested, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    multipliers: tuple[int, ...] = ()
    said: str = ""


def examine(claim: Claim, values: Values) -> Finding:
    """Everything that the claim's evidence comes to. Raises ValueError where it cannot be worked out."""
    if claim.verdict == "words":
        return Finding("words")
    if claim.contradiction:
        found = multipliers(claim.contradiction)
        return Finding("holds" if found else "wrong", multipliers=found or ())
    if claim.identity:
        return _identity(claim.identity)
    if claim.printed:
        return _two_formulas(claim, values)
    tests = _tested(claim.test, values, claim.over)
    counters = _tested(claim.counter, values, claim.over)
    first, second = _together(tests), _together(counters)
    if not counters:
        return Finding({"true": "holds", "false": "wrong"}.get(first, "undecided"), tests)
    came_out = {("true", "false"): "depends", ("true", "true"): "holds", ("false", "false"): "wrong"}
    return Finding(came_out.get((first, second), "undecided"), tests, counters)


def _tested(test: str | list[str], values: Values, over: str) -> tuple[Tested, ...]:
    return tuple(Tested(one, *values.compare(one, over), values.is_random(str(one))) for one in statements(test))


def _together(tests: tuple[Tested, ...]) -> str:
    outcomes = {one.outcome for one in tests}
    return "false" if "false" in outcomes else "undecided" if "undecided" in outcomes else "true"


def _identity(text: str) -> Finding:
    """Whether two formulas are the same for all values: by SymPy, after a search for values where they differ."""
    from tutor.formulas.parse import parse

    one = comparisons(text)
    if len(one) != 1 or one[0].sign != "==":
        raise ValueError(f"{text[:60]!r}: an identity is written a == b")
    names = sorted(free_names(text))
    left, right = (parse(side, set(names)) for side in (one[0].left, one[0].right))
    if point := _where_they_differ(left, right, names):
        return Finding("wrong", values=point, said="they differ where {}")
    if _cancel_as_rational_functions(left, right, names) or _cancel(left, right):
        return Finding("holds", said="SymPy takes one from the other and is left with 0, whatever the values")
    return Finding("undecided", said=f"they agree at {len(_POINTS)} points, and SymPy finds no proof")


def _cancel_as_rational_functions(left: Any, right: Any, names: list[str]) -> bool:
    """Whether both are the same quotient of polynomials: soon seen, and without the parts of SymPy that `_cancel` loads
    first."""
    import sympy

    from tutor.formulas.expressions import symbol

    try:
        field, *_ = sympy.field([symbol(name) for name in names], sympy.QQ)
        return bool(field.from_expr(left) - field.from_expr(right) == 0)
    except (ValueError, ZeroDivisionError, sympy.PolynomialError):  # they hold an exp, or no name at all
        return False


def _cancel(left: Any, right: Any) -> bool:
    """Whether SymPy finds that their difference is 0: over one denominator it is soon seen, its own search takes far
    longer."""
    import sympy

    difference = left - right
    return bool(sympy.expand(sympy.numer(sympy.together(difference))) == 0 or sympy.simplify(difference) == 0)


def _where_they_differ(left: Any, right: Any, names: list[str]) -> dict[str, Any]:
    """Values of the names, and of both sides, where these differ; empty where none was found."""
    from tutor.worksheet.values import evaluate_formula

    for turn in range(len(_POINTS)):
        point = {name: _POINTS[(turn + 3 * place) % len(_POINTS)] for place, name in enumerate(names)}
        try:
            sides = [evaluate_formula(side, point) for side in (left, right)]
        except TutorError:  # no value there
            continue
        if not is_true(sides[0], "==", sides[1]):
            return {**point, "left": sides[0], "right": sides[1]}
    return {}


def _two_formulas(claim: Claim, values: Values) -> Finding:
    """What is printed against what is right, for the same quantity, with the values of its worksheet."""
    block, _, quantity = claim.of.partition(".")
    if values.blocks().get(block) != "worksheet":
        raise ValueError(f"of: {claim.of[:60]!r} names no quantity of a worksheet, as mlp.E does")
    printed, correct = (_in_block(text, block, values) for text in (claim.printed, claim.correct))
    numbers = {"printed": _number(printed, block, values), "correct": _number(correct, block, values)}
    worksheet = values.worksheet(block)
    if quantity:
        known = values.value(claim.of).mean
        if not is_true(known, "==", numbers["correct"]):
            both = f"{float(known):.6g}, not {float(numbers['correct']):.6g}"
            raise ValueError(f"correct: it does not come to {claim.of}, which is {both}")
    if claim.then:
        for name in ("printed", "correct"):
            numbers[f"{name}_then"] = _worked_on(worksheet, quantity, numbers[name], claim.then)
    differ = "depends" if claim.verdict == "depends" else "wrong"
    if not is_true(numbers["printed"], "==", numbers["correct"]):
        return Finding(differ, values=numbers)
    if _where_they_differ(printed, correct, sorted(_names(printed) | _names(correct))):
        return Finding(differ, values=numbers, said="they agree here and not elsewhere")
    return Finding("holds", values=numbers, said="they are the same wherever they were compared")


def _in_block(text: str, block: str, values: Values) -> Any:
    """The formula over the names of one worksheet, which may be written without its name."""
    from tutor.formulas.parse import parse

    return parse(text.replace(f"{block}.", ""), values.worksheet(block).names)


def _names(expression: Any) -> set[str]:
    from tutor.formulas.expressions import names

    return set(names(expression))


def _number(expression: Any, block: str, values: Values) -> Any:
    from tutor.worksheet.values import evaluate_formula

    try:
        return evaluate_formula(expression, values.worksheet(block).values)
    except TutorError as error:
        raise ValueError(str(error)) from None


def _worked_on(worksheet: Any, quantity: str, number: Any, then: str) -> Any:
    """What `then` comes to where the quantity has this number."""
    from tutor.errors import nearest
    from tutor.numbers.exact import ExactSystem
    from tutor.worksheet.values import values_with

    if then not in worksheet.by_name:
        raise ValueError(f"then: there is no {then[:60]!r}{nearest(then, worksheet.by_name)}")
    if not quantity:
        raise ValueError("then: say in of which quantity has another value, as in mlp.dE/dW5")
    return values_with(worksheet.givens, worksheet.steps, ExactSystem(50), {quantity: number})[then]
