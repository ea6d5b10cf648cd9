"""What is right where a lesson asks: a choice, a number, a formula, what is going to happen."""

from __future__ import annotations

from msgspec import Struct

from tutor.course.format import Question
from tutor.course.values import Value, Values, comparisons

RISES, FALLS, STAYS = "rises", "falls", "stays"
YES, NO = "yes", "no"


def choices_of(question: Question, values: Values) -> tuple[str, ...]:
    """The words between which the answer is to be chosen, before anything is trained; none for a number."""
    if question.choices:
        return tuple(question.choices)
    if not question.predict:
        return ()
    block, _, rest = question.predict.partition(".")
    experiment = values.lesson.of_kind("experiment").get(block)
    if _compares(question.predict) or (experiment and "." in rest):
        return YES, NO
    if experiment:
        from tutor.course.experiment import settings_in

        return tuple(setting.name for setting in settings_in(experiment.spec))
    return RISES, FALLS, STAYS


def _compares(text: str) -> bool:
    try:
        return bool(comparisons(text))
    except ValueError:
        return False


class Answer(Struct, frozen=True):
    """The right answer, the words between which it is to be chosen, if any, and the values that show it. A `kind` is
    choices, number, formula, slope, comparison, first, or converges."""

    kind: str
    right: str
    among: tuple[str, ...] = ()
    values: tuple[tuple[str, Value], ...] = ()


def answer_of(question: Question, values: Values) -> Answer:
    """The right answer. Raises ValueError where it cannot be worked out, or is not what the lesson says."""
    found = _computed(question, values)
    if question.right and question.right != found.right and found.kind not in ("number", "formula"):
        raise ValueError(f"right: the lesson says {question.right!r}, and it comes to {found.right!r}")
    return found


def _computed(question: Question, values: Values) -> Answer:
    if question.choices:
        return _choice(question, values)
    if question.quantity or question.formula:
        wanted = question.quantity or question.formula
        block, _, name = wanted.partition(".")
        if values.blocks().get(block) != "worksheet":
            raise ValueError(f"{wanted[:60]!r} names no quantity of a worksheet, as mlp.dE/dW5 does")
        return Answer("number" if question.quantity else "formula", name, (), ((wanted, values.value(wanted)),))
    return _prediction(question.predict, values)


def _choice(question: Question, values: Values) -> Answer:
    if question.tests:
        true = []
        for choice, test in zip(question.choices, question.tests, strict=True):
            if all(values.compare(one)[0] >= 0.8 for one in comparisons(test)):
                true.append(choice)
        if true != [question.right]:
            came = " and ".join(map(repr, true)) or "none of the choices"
            raise ValueError(f"right: the lesson says {question.right!r}, and by tests it is {came}")
    return Answer("choices", question.right, tuple(question.choices))


def _prediction(text: str, values: Values) -> Answer:
    if _compares(text):
        made = comparisons(text)
        true = all(values.compare(one)[0] >= 0.5 for one in made)
        sides = tuple((side, values.value(side)) for one in made for side in (one.left, one.right))
        return Answer("comparison", YES if true else NO, (YES, NO), tuple(dict(sides).items()))
    block, _, rest = text.partition(".")
    if values.blocks().get(block) == "experiment":
        return _of_experiment(text, block, rest, values)
    value = values.value(text)
    sign = float(value.mean)
    right = RISES if sign > 0 else FALLS if sign < 0 else STAYS
    return Answer("slope", right, (RISES, FALLS, STAYS), ((text, value),))


def _of_experiment(text: str, block: str, rest: str, values: Values) -> Answer:
    """`race.soon`: which row comes first; `race.diverged.plain`: whether that one converges."""
    from tutor.errors import nearest
    from tutor.experiments.measures import read_measure

    results = values.results(block)
    measure, _, row = rest.partition(".")
    if measure not in results.measures:
        raise ValueError(f"{block!r} measures no {measure[:60]!r}{nearest(measure, results.measures)}")
    kind = read_measure(results.measures[measure]).kind
    known = {one.name: values.value(f"{block}.{measure}.{one.name}") for one in results.rows}
    if row:
        if row not in known:
            raise ValueError(f"{block!r} has no row {row[:60]!r}{nearest(row, known)}")
        good = float(known[row].mean) < 0.5 if kind.better < 0 and kind.share else float(known[row].mean) >= 0.5
        return Answer("converges", YES if good else NO, (YES, NO), ((text, known[row]),))
    order = sorted(known, key=lambda name: float(known[name].mean) * (-1 if kind.better > 0 else 1))
    return Answer("first", order[0], tuple(known), tuple((f"{block}.{measure}.{n}", v) for n, v in known.items()))
