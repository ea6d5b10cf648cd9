"""What the blocks of a lesson may say beside its worksheets: the types, which `tutor.course.read` checks."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import Struct, field


class Experiment(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Trainings on `data` or of a `worksheet`, each with so many `seeds`: one for each of the `rows`, which say what
    they change in the `settings`, or for every combination of what is to `vary`. A `measure` is what is taken of each.
    """

    data: str = ""
    label: str | None = None
    worksheet: str = ""
    seeds: int = 5
    show: list[str] = field(default_factory=lambda: ["table"])
    settings: dict[str, Any] = field(default_factory=dict)
    rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    vary: dict[str, list[Any]] = field(default_factory=dict)
    measure: dict[str, str] = field(default_factory=dict)


class Claim(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What somebody states, and what it is checked by: comparisons of values, two formulas for the same quantity, an
    identity, or inequalities that cannot all hold. `about` has the entries of the catalogue that it speaks of."""

    says: str
    verdict: Literal["holds", "wrong", "depends", "words"]
    where: str = ""
    about: list[str] = field(default_factory=list)
    why: str = ""
    source: str = ""
    test: str | list[str] = field(default_factory=list)
    counter: str | list[str] = field(default_factory=list)
    over: Literal["seeds", "mean"] = "seeds"
    of: str = ""
    printed: str = ""
    correct: str = ""
    then: str = ""
    identity: str = ""
    contradiction: list[str] = field(default_factory=list)


class Question(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something to be answered: one of some `choices`, the value of a `quantity`, the symbolic form of it (`formula`),
    or what is going to happen (`predict`). `tests` says by a comparison for each choice which one is right."""

    ask: str
    choices: list[str] = field(default_factory=list)
    right: str = ""
    because: str | list[str] = ""
    tests: list[str] = field(default_factory=list)
    quantity: str = ""
    formula: str = ""
    predict: str = ""
    hints: list[str] = field(default_factory=list)


class Drawing(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A picture: `curves` over a variable, over the numbers of a list or by epoch; the `path` of the updates over the
    values of a worksheet's error; the `regions` of a worksheet or of a row of an experiment."""

    title: str = ""
    log: bool = False
    curves: dict[str, str] = field(default_factory=dict)
    over: dict[str, Any] = field(default_factory=dict)
    path: str = ""
    regions: str = ""
    seed: int = 0
    epochs: list[int] = field(default_factory=list)
    updates: list[int] = field(default_factory=list)
    ranges: dict[str, list[Any]] = field(default_factory=dict)


BLOCKS: dict[str, type[Struct]] = {
    "experiment": Experiment,
    "claim": Claim,
    "question": Question,
    "plot": Drawing,
}
