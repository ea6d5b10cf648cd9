"""The mistakes of a step, found by putting each into the equations and working the writer's arrays again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tutor.explanation import Explanation, Trial, simplest_explanation
from tutor.trace.algebra import Node, Role, roles_in
from tutor.trace.equations import Network
from tutor.trace.mistakes.mistake import Mistake, Situation
from tutor.trace.mistakes.registry import MISTAKES
from tutor.trace.orientation import Recorded, kind_of
from tutor.trace.replay import Step
from tutor.trace.verdicts import RIGHT, WRONG, Judged

Array = Any
EVERYWHERE, LAYER, LINE = "everywhere", "layer", "line"
MOST_MISTAKES = 8
_MOST_NUMBERS = 20_000
"""Of arrays up to so many numbers pairs of mistakes are tried, where no single one explains an array."""
_MOST_PAIRS = 2_000
_MANY_FEATURES, _FEATURES = 200, 32


@dataclass(frozen=True)
class Change:
    """The equations that a mistake puts in the place of others. `second` is made on top of it, where only two mistakes
    together explain an array."""

    mistake: Mistake
    scope: str
    nodes: Mapping[Role, Node]
    detail: str
    rank: tuple[int, ...]
    second: Change | None = None

    @property
    def message(self) -> str:
        return self.mistake.message.format(self.detail)

    @property
    def all_nodes(self) -> dict[Role, Node]:
        return {**self.nodes, **(self.second.nodes if self.second else {})}


class Search:
    """Looks for the story of a step; with `in_pairs` also for two mistakes where no single one explains an array."""

    def __init__(
        self,
        network: Network,
        step: Step,
        before: Mapping[Role, Array],
        verdicts: Mapping[Role, Judged],
        in_pairs: bool = False,
    ) -> None:
        self.network, self.before, self.in_pairs = network, before, in_pairs
        self.wrong = {role for role, found in verdicts.items() if found.verdict == WRONG}
        self._settled = {role for role, found in verdicts.items() if found.verdict == RIGHT and not step.fits(role)}
        self.whole, self.step = step, sketch(step, self.wrong)
        self._fits: dict[tuple[int, Role], bool] = {}
        self._tried = 0
        self._told: set[str] = set()

    def run(self, most: int = MOST_MISTAKES) -> list[Explanation[Change, Role]]:
        return simplest_explanation(self, most)

    def put_in(self, mistake: Change) -> None:
        self._told |= {change.mistake.id for change in (mistake, mistake.second) if change is not None}
        self.whole = self.whole.with_equations(mistake.all_nodes)
        lines = (self.wrong | self._below(mistake.all_nodes)) - self._settled
        self.wrong = {r for r in lines if self.whole.is_known(r) and not self.whole.fits(r)}
        self.step = sketch(self.whole, self.wrong)

    def trials(self) -> Iterator[Trial[Change, Role]]:
        found = [t for change in self._changes() if (t := self._trial(change)) is not None and t.gain >= 1]
        yield from found or (self._pairs() if self.in_pairs else ())

    def _trial(self, change: Change) -> Trial[Change, Role] | None:
        nodes = change.all_nodes
        if all(self._is_closed(role, node) for role, node in nodes.items()):
            fits = {role: self._closed_fit(role, node) for role, node in nodes.items() if role not in self._settled}
        else:
            fits = self._open_fits(nodes)
        explained = frozenset(role for role, fit in fits.items() if fit and role in self.wrong)
        if explained:
            other = self.step.with_equations(nodes)
            explained = frozenset(role for role in explained if self.step.differs(role, other))
        broken = sum(not fit for role, fit in fits.items() if role not in self.wrong)
        return Trial(change, change.rank, explained, broken) if explained else None

    def _is_closed(self, role: Role, node: Node) -> bool:
        """Whether what comes out depends on recorded arrays alone, and nothing unrecorded on it."""
        return role in self.step.by_role and all(r in self.step.by_role for r in roles_in(node))

    def _closed_fit(self, role: Role, node: Node) -> bool:
        key = id(node), role
        if key not in self._fits:
            self._fits[key] = self.step.fits(role, node)
        return self._fits[key]

    def _open_fits(self, nodes: Mapping[Role, Node]) -> dict[Role, bool]:
        step = self.step.with_equations(nodes)
        return {role: step.fits(role) for role in self._below(nodes) if step.is_known(role) or role in nodes}

    def _below(self, nodes: Mapping[Role, Node]) -> set[Role]:
        """The recorded arrays whose equation gives something else with these."""
        return {r for r in self.step.touched(nodes) if r in self.step.by_role} - self._settled

    # What could be

    def _changes(self) -> Iterator[Change]:
        """Every mistake, everywhere and in parts, that touches an array that is wrong."""
        suspicious = self._suspicious()
        situation = Situation(self.network, self.step, self.before)
        self._fits, self._kept = {}, list[Node]()
        for rank, mistake in enumerate(MISTAKES):
            groups: dict[str, dict[Role, tuple[Node, str]]] = {}
            for role, node in self.step.equations.items():
                for made in mistake.rewritings(situation, role, node):
                    groups.setdefault(made.manner, {})[role] = (made.node, made.detail)
                    self._kept.append(made.node)
            for number, group in enumerate(groups.values()):
                for roles, scope in _scopes(group, mistake, self.network.depth):
                    if suspicious & roles:
                        nodes = {role: group[role][0] for role in group if role in roles}
                        detail = next(group[role][1] for role in group if role in roles)
                        yield Change(mistake, scope, nodes, detail, (rank, number, len(nodes)))

    def _suspicious(self) -> set[Role]:
        """The arrays that are wrong, and those that are not recorded above them."""
        found, waiting = set(self.wrong), list(self.wrong)
        while waiting:
            for role in self.step.inputs(waiting.pop()):
                if role not in found and role not in self.step.by_role and role in self.step.equations:
                    found.add(role)
                    waiting.append(role)
        return found

    # Two at once

    def _pairs(self) -> Iterator[Trial[Change, Role]]:
        """Two mistakes on the way to the first array that is wrong, where no single one explains it."""
        if sum(r.array.size for r in self.step.by_role.values()) > _MOST_NUMBERS or not self.wrong:
            return
        first = next(role for role in self.step.lines if role in self.wrong)
        # Who made a mistake in one equation is likely to have made it in another.
        for one in sorted(self._changes(), key=lambda change: change.mistake.id not in self._told):
            if first not in self._below(one.nodes):
                continue
            above = copy(self)
            above.step, above.wrong = self.step.with_equations(one.nodes), {first}
            for other in above._changes():
                self._tried += 1
                if self._tried > _MOST_PAIRS:
                    return
                if other.mistake.id == one.mistake.id:
                    continue
                both = replace(one, second=other, rank=(*one.rank, *other.rank))
                trial = self._trial(both)
                if trial is not None and first in trial.explained and trial.gain >= 1:
                    yield trial


def sketch(step: Step, wrong: Collection[Role]) -> Step:
    """The step with some of its input features, where there are many: enough to tell mistakes apart, at a fraction of
    the work. The weighted sums of all features are taken for recorded."""
    x, w, z = Role("A", 0), Role("W", 1), Role("Z", 1)
    known = step.by_role
    if x not in known or w not in known or z in wrong or not step.is_known(z):
        return step
    features, units = known[w].array.shape
    uses_all = any(w in step.inputs(role) for role in step.equations if role.layer != 1)
    if features < _MANY_FEATURES or features in (units, known[x].array.shape[0]) or uses_all:
        return step
    heavy = np.argsort(np.abs(known[x].array).sum(axis=0, dtype=float), kind="stable")[-_FEATURES:]
    few = dict(known)
    for role, recorded in known.items():
        if role == x:
            few[role] = replace(recorded, array=recorded.array[:, heavy])
        elif kind_of(role) == "W" and role.layer == 1:  # a wrong one may be transposed
            few[role] = replace(recorded, array=_of_features(recorded.array, features, heavy))
    if z not in few:
        few[z] = Recorded("", step.value(z).value, step.value(z).value, False)
    return Step(step.equations, few, step.precision, step.decimals)


def _of_features(array: Array, features: int, some: Array) -> Array:
    for axis, size in enumerate(array.shape):
        if size == features:
            array = array.take(some, axis)
    return array


def _scopes(group: Mapping[Role, Any], mistake: Mistake, depth: int) -> Iterator[tuple[set[Role], str]]:
    """All equations of a group, and parts of it in which a mistake is made: a layer, the hidden layers, the weights or
    the biases, one kind of array, a single one."""
    scopes = {frozenset(group): EVERYWHERE}
    layers = {role.layer for role in group}
    if not mistake.together:
        by: list[tuple[Callable[[Role], Any], str]] = [
            (lambda r: r.layer, LAYER),
            (lambda r: r.layer == depth, EVERYWHERE),
            (lambda r: _parameter_kind(r), EVERYWHERE),
            (lambda r: r.kind, EVERYWHERE),
            (lambda r: r, LAYER if len(layers) > 1 else EVERYWHERE),
        ]
        for key, scope in by:
            for value in dict.fromkeys(map(key, group)):
                part = frozenset(role for role in group if key(role) == value)
                scopes.setdefault(part, LINE if len(part) == 1 else scope)
    for roles, scope in scopes.items():
        of_layer = len({r.layer for r in roles}) == 1 and len(layers) > 1
        if mistake.only == LAYER and not (
            of_layer and len(roles) == sum(r.layer in {x.layer for x in roles} for r in group)
        ):
            continue
        yield set(roles), scope


def _parameter_kind(role: Role) -> str:
    plain = role.kind.rpartition(".")[2]
    return "biases" if plain in ("b_new", "db") else "weights" if plain in ("W_new", "dW") else plain
