"""The two truths of every array: what is right, and what follows from the arrays that the writer has above it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import numpy as np

from tutor.trace.algebra import Node, Role, roles_in
from tutor.trace.orientation import Recorded, kind_of
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


def _as_vector(truth: Bounded, shape: tuple[int, ...]) -> Bounded:
    """A row or a column of numbers as the vector, or as the other, that somebody has."""
    if np.size(truth.value) != np.prod(shape) or (np.ndim(truth.value) == 2 and 1 not in np.shape(truth.value)):
        return truth
    bound = np.broadcast_to(truth.bound, np.shape(truth.value))
    return Bounded(truth.value.reshape(shape), bound.reshape(shape), truth.precision)


class Step:
    """The recorded arrays of a step and the equations between them."""

    def __init__(
        self, equations: Equations, by_role: Mapping[Role, Recorded], p: Precision, decimals: int | None = None
    ) -> None:
        self.equations, self.by_role, self.precision, self.decimals = dict(equations), by_role, p, decimals
        self._recorded: dict[Role, Bounded] = {}
        self._worked: dict[Role, Bounded | None] = {}
        self._waiting: set[Role] = set()
        self._inputs: dict[Role, list[Role]] = {}

    @property
    def lines(self) -> list[Role]:
        """The recorded arrays that have an equation, in the order in which they are worked."""
        return [role for role in self.equations if role in self.by_role]

    def with_equations(self, changed: Equations) -> Step:
        """The same with other equations in the place of some; what they do not touch is not worked again."""
        other = Step({**self.equations, **changed}, self.by_role, self.precision, self.decimals)
        other._recorded = self._recorded
        touched = self.touched(changed)
        other._inputs = {role: inputs for role, inputs in self._inputs.items() if role not in changed}
        other._worked = {role: value for role, value in self._worked.items() if role not in touched}
        return other

    def touched(self, changed: Iterable[Role]) -> set[Role]:
        """These arrays, and those that follow from them through what is not recorded."""
        found, waiting = set(changed), [*changed]
        while waiting:
            role = waiting.pop()
            if role not in self.by_role:
                new = [user for user in self._users.get(role, ()) if user not in found]
                found.update(new)
                waiting += new
        return found

    def inputs(self, role: Role) -> list[Role]:
        """The arrays that stand in its equation."""
        if role not in self._inputs:
            self._inputs[role] = roles_in(self.equations[role])
        return self._inputs[role]

    @cached_property
    def _users(self) -> dict[Role, list[Role]]:
        users: dict[Role, list[Role]] = {}
        for role in self.equations:
            for used in self.inputs(role):
                users.setdefault(used, []).append(role)
        return users

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
                self._worked[role] = self._work(self.equations[role])
            finally:
                self._waiting.discard(role)
        found = self._worked[role]
        if found is None:
            raise Unknown
        return found

    def _work(self, node: Node) -> Bounded | None:
        try:
            with np.errstate(all="ignore"):
                return node.value(self.value)
        except (Unknown, ValueError, ZeroDivisionError, IndexError, OverflowError):  # shapes that do not go together
            return None

    def is_known(self, role: Role) -> bool:
        try:
            self.own(role)
        except Unknown:
            return False
        return True

    def fits(self, role: Role, node: Node | None = None) -> bool:
        """Whether the recorded array is what its equation gives, or another one in its place."""
        try:
            own = self.own(role) if node is None else self._work(node)
        except Unknown:
            return False
        return own is not None and self.agrees(role, own)

    def agrees(self, role: Role, truth: Bounded) -> bool:
        recorded = self.value(role)
        with np.errstate(all="ignore"):
            if kind_of(role) == "b" and np.shape(truth.value) != recorded.value.shape:
                truth = _as_vector(truth, recorded.value.shape)
            return fits(
                recorded.value, Bounded(truth.value, truth.bound + recorded.bound, self.precision), self.precision
            )

    def right(self) -> Step:
        """The same step worked from what is given alone."""
        given = {role: r for role, r in self.by_role.items() if role not in self.equations}
        return Step(self.equations, given, self.precision, self.decimals)
