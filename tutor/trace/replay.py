"""The two truths of every array: what is right, and what follows from the arrays that the writer has above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from tutor.trace.algebra import Node, Product, Role, Rows, everything_in, roles_in
from tutor.trace.orientation import Recorded, kind_of
from tutor.trace.precision import Bounded, Precision, fits

Array = Any
Equations = Mapping[Role, Node]
_MOST_DECIMALS, _FEWEST_DECIMALS = 8, 3
_BLOCK, _BLOCK_OF_PRODUCTS = 8_192, 32_768
"""Of matrices with more numbers than this, some rows at a time are worked: fewer where functions are made of many
operations, each with results of its own."""
_KEPT = 4_096
"""Of arrays with more numbers than this, nothing is kept but whether they fit, where nobody needs them twice."""


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
    if np.size(truth.held) != np.prod(shape) or (len(truth.shape) == 2 and 1 not in truth.shape):
        return truth
    bound = np.broadcast_to(truth.bound, truth.shape)
    return Bounded(truth.held.reshape(shape), bound.reshape(shape), truth.precision)


def _blocks(shape: tuple[int, ...], worked: Iterable[Node]) -> Iterator[Rows | None]:
    """The rows of a matrix in blocks of at least two, for what is worked in them; None for all of what is small."""
    size = shape[0] * shape[1] if len(shape) == 2 else 1
    if size > _BLOCK:
        has_product = any(isinstance(n, Product) for node in worked for n in everything_in(node))
        parts = min(-(-size // (_BLOCK_OF_PRODUCTS if has_product else _BLOCK)), shape[0] // 2)
    else:
        parts = 1
    if parts <= 1:
        yield None
        return
    edges = [shape[0] * i // parts for i in range(parts + 1)]
    for start, stop in pairwise(edges):
        yield Rows(slice(start, stop), shape[0])


class Step:
    """The recorded arrays of a step and the equations between them."""

    def __init__(
        self, equations: Equations, by_role: Mapping[Role, Recorded], p: Precision, decimals: int | None = None
    ) -> None:
        self.equations, self.by_role, self.precision, self.decimals = dict(equations), by_role, p, decimals
        self._recorded: dict[Role, Bounded] = {}
        self._worked: dict[Role, Bounded | None] = {}
        self._fitting: dict[Role, bool | None] = {}
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
        other._fitting = {role: fit for role, fit in self._fitting.items() if role not in touched}
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
        bound = 0.0
        if self.decimals is not None and array.dtype.kind == "f":
            wide = array.astype(np.float64, copy=False)
            shorter = np.array_equal(np.round(wide, self.decimals - 1), wide, equal_nan=True)
            bound = 0.0 if shorter else 0.5 * 10.0**-self.decimals
        return Bounded(array, bound, self.precision)

    def own(self, role: Role) -> Bounded:
        """What the equation gives for it. Raises Unknown where something that it needs is not there."""
        if role not in self._worked:
            found = self._guarded(role, None)
            if found is not None and self._is_passing(role) and np.size(found.held) > _KEPT:
                return found
            self._worked[role] = found
        known = self._worked[role]
        if known is None:
            raise Unknown
        return known

    def _guarded(self, role: Role, rows: Rows | None) -> Bounded | None:
        """What the equation gives, where it does not lead back to itself."""
        if role not in self.equations or role in self._waiting:
            raise Unknown
        self._waiting.add(role)
        try:
            return self._work(self.equations[role], rows)
        finally:
            self._waiting.discard(role)

    def _is_passing(self, role: Role) -> bool:
        """Whether nobody needs the whole of it twice: it is recorded itself, or stands in one equation alone."""
        return role in self.by_role or len(self._users.get(role, ())) <= 1

    def _rows(self, role: Role, rows: Rows) -> Bounded:
        """Some rows of an array as the writer has it."""
        return rows.of(self.value(role)) if role in self.by_role else self._own_rows(role, rows)

    def _own_rows(self, role: Role, rows: Rows) -> Bounded:
        if role in self._worked or not self._is_passing(role):
            return rows.of(self.own(role))
        found = self._guarded(role, rows)
        if found is None:
            raise Unknown
        return found

    def _work(self, node: Node, rows: Rows | None = None) -> Bounded | None:
        try:
            with np.errstate(all="ignore"):
                return node.value(self.value) if rows is None else node.rows(rows, self.value, self._rows)
        except (Unknown, ValueError, ZeroDivisionError, IndexError, OverflowError):  # shapes that do not go together
            return None

    def is_known(self, role: Role) -> bool:
        if role in self._fitting:
            return self._fitting[role] is not None
        try:
            next(self.compared(role)) if role in self.by_role else self.own(role)
        except Unknown:
            return False
        return True

    def fits(self, role: Role, node: Node | None = None) -> bool:
        """Whether the recorded array is what its equation gives, or another one in its place."""
        if node is None and role in self._fitting:
            return bool(self._fitting[role])
        found: bool | None = None
        with suppress(Unknown):
            found = all(self._agree(role, recorded, own) for _, recorded, own in self.compared(role, node=node))
        if node is None:
            self._fitting[role] = found
        return bool(found)

    def agrees(self, role: Role, truth: Step) -> bool:
        """Whether the recorded array is what another step gives for it."""
        try:
            return all(self._agree(role, recorded, own) for _, recorded, own in self.compared(role, truth))
        except Unknown:
            return False

    def differs(self, role: Role, other: Step) -> bool:
        """Whether what another step gives for it can be told from what is given here; numbers that may be almost
        anything, as a slope at a kink, cannot."""
        recorded = self.value(role)
        for rows in _blocks(recorded.shape, [self.equations[role], other.equations[role]]):
            own, given = (step.own(role) if rows is None else step._own_rows(role, rows) for step in (self, other))
            if own.shape != given.shape or not fits(own.value, given, self.precision):
                return True
        return False

    def compared(
        self, role: Role, truth: Step | None = None, node: Node | None = None
    ) -> Iterator[tuple[int, Bounded, Bounded]]:
        """A recorded array beside what its equation gives, here or in another step, or another equation in its place: a
        large one in blocks of rows, with the first row of each. Raises Unknown where there is nothing to compare."""
        recorded = self.value(role)
        used = node or (truth or self).equations.get(role)
        for rows in _blocks(recorded.shape, [used] if used else []):
            if node is not None:
                own = self._work(node, rows)
            else:
                step = truth or self
                own = step.own(role) if rows is None else step._own_rows(role, rows)
            if own is None:
                raise Unknown
            yield (rows.at.start, rows.of(recorded), own) if rows else (0, recorded, own)

    def _agree(self, role: Role, recorded: Bounded, truth: Bounded) -> bool:
        with np.errstate(all="ignore"):
            if kind_of(role) == "b" and truth.shape != recorded.shape:
                truth = _as_vector(truth, recorded.shape)
            allowed = Bounded(truth.held, truth.bound + recorded.bound, self.precision)
            return fits(recorded.value, allowed, self.precision)

    def right(self) -> Step:
        """The same step worked from what is given alone."""
        given = {role: r for role, r in self.by_role.items() if role not in self.equations}
        return Step(self.equations, given, self.precision, self.decimals)
