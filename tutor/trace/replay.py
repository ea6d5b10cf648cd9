"""The two truths of every array: what is right, and what follows from the arrays that the writer has above it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tutor.trace.algebra import Node, Role, roles_in
from tutor.trace.orientation import Recorded
from tutor.trace.precision import Bounded, Precision, fits

Array = Any
Equations = Mapping[Role, Node]
_MOST_DECIMALS, _FEWEST_DECIMALS = 8, 3


class Unknown(Exception):
    """An array that is neither recorded nor to be worked out."""


def decimals_of(arrays: Iterable[Array]) -> int | None:
    """To how many decimals all of these numbers were rounded when they were written down; None where they were not."""
    found = [a for a in arrays if a.dtype.kind == "f" and a.size]
    if sum(a.size for a in found) < _MOST_DECIMALS:
        return None
    for decimals in range(_MOST_DECIMALS + 1):
        if all(np.array_equal(np.round(a, decimals), a, equal_nan=True) for a in found):
            return decimals if decimals >= _FEWEST_DECIMALS else None
    return None


class Step:
    """The recorded arrays of a step and the equations between them."""

    def __init__(
        self, equations: Equations, by_role: Mapping[Role, Recorded], p: Precision, decimals: int | None = None
    ) -> None:
        self.equations, self.by_role, self.precision, self.decimals = dict(equations), by_role, p, decimals
        self._recorded: dict[Role, Bounded] = {}
        self._worked: dict[Role, Bounded | None] = {}
        self._waiting: set[Role] = set()

    @property
    def lines(self) -> list[Role]:
        """The recorded arrays that have an equation, in the order in which they are worked."""
        return [role for role in self.equations if role in self.by_role]

    def with_equations(self, changed: Equations) -> Step:
        """The same with other equations in the place of some; what they do not touch is not worked again."""
        other = Step({**self.equations, **changed}, self.by_role, self.precision, self.decimals)
        other._recorded = self._recorded
        touched = self.touched(changed)
        other._worked = {role: value for role, value in self._worked.items() if role not in touched}
        return other

    def touched(self, changed: Iterable[Role]) -> set[Role]:
        """These arrays, and those that are not recorded and follow from them."""
        found = set(changed)
        grew = True
        while grew:
            grew = False
            for role, node in self.equations.items():
                if role not in found and any(r in found and r not in self.by_role for r in self._inputs(node)):
                    found.add(role)
                    grew = True
        return found

    def _inputs(self, node: Node) -> list[Role]:
        return roles_in(node)

    def value(self, role: Role) -> Bounded:
        """As the writer has it; what is not recorded is worked from the rest."""
        if role in self.by_role:
            if role not in self._recorded:
                self._recorded[role] = self._as_recorded(role)
            return self._recorded[role]
        return self.own(role)

    def _as_recorded(self, role: Role) -> Bounded:
        array = self.by_role[role].array
        wide = array.astype(np.float64, copy=False)
        bound = 0.0
        if self.decimals is not None and array.dtype.kind == "f":
            shorter = np.array_equal(np.round(wide, self.decimals - 1), wide, equal_nan=True)
            bound = 0.0 if shorter else 0.5 * 10.0**-self.decimals
        return Bounded(wide, bound, self.precision)

    def own(self, role: Role) -> Bounded:
        """What the equation gives for it. Raises Unknown where something that it needs is not there."""
        if role not in self._worked:
            if role not in self.equations or role in self._waiting:
                raise Unknown
            self._waiting.add(role)
            try:
                self._worked[role] = self._work(role)
            finally:
                self._waiting.discard(role)
        found = self._worked[role]
        if found is None:
            raise Unknown
        return found

    def _work(self, role: Role) -> Bounded | None:
        try:
            with np.errstate(all="ignore"):
                return self.equations[role].value(self.value)
        except (Unknown, ValueError, ZeroDivisionError, IndexError, OverflowError):  # shapes that do not go together
            return None

    def is_known(self, role: Role) -> bool:
        try:
            self.own(role)
        except Unknown:
            return False
        return True

    def fits(self, role: Role) -> bool:
        """Whether the recorded array is what its equation gives."""
        try:
            own = self.own(role)
        except Unknown:
            return False
        return self.agrees(role, own)

    def agrees(self, role: Role, truth: Bounded) -> bool:
        recorded = self.value(role)
        with np.errstate(all="ignore"):
            if recorded.value.ndim == 1 and np.shape(truth.value) == (1, *recorded.value.shape):
                truth = truth[0]
            return fits(
                recorded.value, Bounded(truth.value, truth.bound + recorded.bound, self.precision), self.precision
            )

    def right(self) -> Step:
        """The same step worked from what is given alone."""
        given = {role: r for role, r in self.by_role.items() if role not in self.equations}
        return Step(self.equations, given, self.precision, self.decimals)
