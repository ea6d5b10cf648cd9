"""What a program means by its arrays, found by its numbers where shapes and options leave it open.

Nothing that is found here is a mistake: of several readings the one is taken that explains most of what is recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product, zip_longest
from typing import Any

import numpy as np

from tutor.errors import NothingThere, TutorError
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.trace.algebra import Ref, Role
from tutor.trace.equations import Conventions, Network
from tutor.trace.options import Options
from tutor.trace.orientation import Arrays, Recorded, kind_of, laid_out, layouts
from tutor.trace.precision import PRECISIONS, Precision, precision_of
from tutor.trace.replay import Step, Unknown, decimals_of

Array = Any
_EPSILONS = (1e-12, 1e-15, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-16, 1e-5)
_SQUARES = ("half_squared_error", "squared_error", "mean_squared_error")
USUAL_ACTIVATION = "tanh"
_MOST_READINGS = 12


@dataclass
class Reading:
    """A step as it was understood."""

    arrays: Arrays
    conventions: Conventions
    network: Network
    step: Step
    precision: Precision

    def score(self) -> tuple[int, int]:
        """How many arrays go wrong, and of how many."""
        lines = self.step.lines
        return sum(self.step.is_known(r) and not self.step.fits(r) for r in lines), -len(lines)


def readings_of(named: Mapping[Role, Array], names: Mapping[Role, str], options: Options) -> list[Reading]:
    """The readings that explain most of the arrays, the more usual ones first. There are several where what is wrong
    leaves open what was meant. Raises TutorError where nothing can be made of them."""
    options.check()
    wanted = {key: value for key in ("examples", "weights") if (value := getattr(options, key))}
    by_layout: list[list[Reading]] = []
    problem: TutorError | None = None
    for layout in layouts(named, wanted):
        try:
            by_layout.append(_Search(laid_out(named, names, layout), options).readings())
        except TutorError as error:
            problem = problem or error
    readings = [r for some in zip_longest(*by_layout) for r in some if r is not None]
    if not readings:
        raise problem or TutorError("these arrays are no step of a network")
    scores = [reading.score() for reading in readings]
    return [reading for reading, score in zip(readings, scores, strict=True) if score == min(scores)][:_MOST_READINGS]


class _Search:
    """The conventions of arrays in one layout, one after the other."""

    def __init__(self, arrays: Arrays, options: Options) -> None:
        self.arrays, self.options = arrays, options
        computed = _computed(arrays)
        given = [r.raw for r in arrays.by_role.values() if r.raw.dtype.kind == "f"]
        said = options.precision
        self.precision = PRECISIONS[said] if said else precision_of(computed or given)
        doubles = [a for a in computed if a.dtype.itemsize == 8]
        self.decimals = decimals_of(doubles) if self.precision.name == "double" else None

    def readings(self) -> list[Reading]:
        self._find_logits()
        return [self._reading(c) for c in self._outputs_found(self._start())]

    def _reading(self, c: Conventions) -> Reading:
        found = self._optimizer(self._epsilon(self._hidden(c)))
        for other in self._of_both_ends(found):
            if self._goes_together(found, other):
                found = other
                break
        network, step = self._made(found)
        return Reading(self.arrays, found, network, step, self.precision)

    def _of_both_ends(self, c: Conventions) -> Iterator[Conventions]:
        """Conventions in which the error of the output and the update have to go together: its sign, and where the
        examples divide."""
        divided = replace(c, by_examples=True, place="update")
        for one in (replace(c, descending=True), divided, replace(divided, descending=True)):
            yield self._optimizer(one)

    def _goes_together(self, c: Conventions, other: Conventions) -> bool:
        """Whether the last layer, its gradients and its update, is explained by the other and not by the one."""
        last, recorded = self.arrays.depth, self.arrays.by_role
        errors = [r for r in self._error_roles(last) if r in recorded]
        updates = [r for r in (Role("W_new", last), Role("b_new", last)) if r in recorded]
        ends = [*errors, *updates]
        return bool(errors and updates) and any(self._wrong(c, ends)) and not any(self._wrong(other, ends))

    def _made(self, c: Conventions) -> tuple[Network, Step]:
        recorded = self.arrays.by_role
        depth = len(c.activations)
        has_biases = {k: any(r.layer == k and kind_of(r) == "b" for r in recorded) for k in range(1, depth + 1)}
        outputs = self.arrays.widths.get(depth, 1)
        network = Network(c, self.arrays.examples, outputs, has_biases, set(recorded))
        return network, Step(network.equations, recorded, self.precision, self.decimals)

    def _wrong(self, c: Conventions, roles: Iterable[Role]) -> list[bool]:
        """Which of these go wrong, of those that are recorded."""
        _, step = self._made(c)
        return [step.is_known(r) and not step.fits(r) for r in roles if r in step.by_role]

    def _start(self) -> Conventions:
        depth = self.arrays.depth
        if not depth:
            raise NothingThere("no layer is recorded: record the weights, as W1, b1, W2 and so on")
        words = [w for w in self.options.activation.split(",") if w]
        if len(words) > 1 and len(words) != depth - 1:
            raise TutorError(f"{len(words)} activations are named, and there are {depth - 1} hidden layers")
        hidden = words if len(words) > 1 else [words[0] if words else USUAL_ACTIVATION] * (depth - 1)
        o = self.options
        t = self.arrays.by_role.get(Role("t"))
        update = o.update or (int(t.array) if t is not None and np.isfinite(t.array) and t.array >= 1 else 1)
        return Conventions(
            (*hidden, "linear"),
            "half_squared_error",
            loss_settings=o.loss_setting,
            penalties={name: s for name, s in o.penalties.items() if s},
            penalty_settings=o.penalty_setting,
            dropout=o.dropout,
            update=update,
            gaps=o.gaps,
            decay=o.decay,
        )

    # The output and the loss

    def _find_logits(self) -> None:
        """`P` may be what comes before the softmax, or the sigmoid."""
        last = self.arrays.depth
        output, by_role = by_last(self.arrays), self.arrays.by_role
        classes = bool(self.arrays.labels) or LOSSES.get(self.options.loss, LOSSES["huber"]).output
        if output is None or not classes or self.options.output_activation not in ("", "softmax", "sigmoid"):
            return
        values = output.array.astype(np.float64, copy=False)
        if np.all(np.isfinite(values)) and (np.any(values < 0) or np.any(values > 1 + 1e-2)):
            del by_role[Role("A", last)]
            if Role("Z", last) not in by_role:
                by_role[Role("Z", last)] = output
            self.arrays.remarks.append(f"{output.name} is taken for what comes before the {self._squashing()}")

    def _squashing(self) -> str:
        return "softmax" if self.arrays.widths.get(self.arrays.depth, 1) > 1 else "sigmoid"

    def _outputs(self) -> Iterator[tuple[str, str]]:
        """Pairs of output activation and loss that are possible, the more usual ones first."""
        o, wide = self.options, self.arrays.widths.get(self.arrays.depth, 1) > 1
        target = self.arrays.by_role.get(Role("T"))
        binary = target is not None and bool(np.all((target.array == 0) | (target.array == 1)))
        pairs: list[tuple[str, str]] = []
        if wide and (self.arrays.labels or target is None):
            pairs += [("softmax", "cross_entropy")]
        if binary:
            pairs += [("sigmoid", "binary_cross_entropy")]
        usual: tuple[str, ...] = ("linear",)
        others: tuple[str, ...] = ("sigmoid", "tanh", "relu", *(("softmax",) if wide else ()))
        if binary:
            usual, others = ("linear", "sigmoid"), others[1:]
        pairs += [(a, loss) for some in (usual, others) for a in some for loss in _SQUARES]
        pairs += [("softmax", "cross_entropy")] if wide else []
        pairs += [("sigmoid", "binary_cross_entropy"), ("linear", "huber")]
        if o.loss and not any(loss == o.loss for _, loss in pairs):
            pairs = [(LOSSES[o.loss].output or "linear", o.loss)]
        for a, loss in dict.fromkeys(pairs):
            if o.loss and loss != o.loss and not (o.loss in _SQUARES and loss in _SQUARES and self._has_loss()):
                continue
            if o.output_activation and a != o.output_activation:
                continue
            yield a, loss
        if o.output_activation and not any(a == o.output_activation for a, _ in pairs):
            for loss in _SQUARES if o.loss in ("", *_SQUARES) else (o.loss,):
                yield o.output_activation, loss

    def _has_loss(self) -> bool:
        return Role("loss") in self.arrays.by_role

    def _outputs_found(self, c: Conventions) -> list[Conventions]:
        """Output activation and loss, and what they are averaged over: those that explain equally much, the more usual
        first. The output decides first, then the loss, and then the gradients, which have to go with it."""
        last = self.arrays.depth
        scored: list[tuple[Any, Any, Conventions]] = []
        pairs = [*self._outputs()]
        if not pairs:
            raise TutorError(f"{self.options.loss} does not go with {self.options.output_activation} outputs")
        activations = {a: self._wrong(_with_output(c, a, pairs[0][1]), [Role("A", last)]) for a, _ in pairs}
        fewest = min(map(sum, activations.values()))
        tried = [pair for pair in pairs if sum(activations[pair[0]]) == fewest]
        for rank, (a, loss) in enumerate(tried):
            for (number, (by_examples, by_outputs)), place in product(enumerate(_MEANS), ("error", "gradient")):
                if (by_outputs and self.arrays.widths.get(last, 1) == 1) or (place == "gradient" and not by_examples):
                    continue
                if place == "gradient" and not self._tells_place(last):
                    continue
                if by_outputs and loss == "cross_entropy":
                    continue
                if LOSSES[loss].mean and not by_outputs and self.arrays.widths.get(last, 1) > 1:
                    continue
                one = replace(_with_output(c, a, loss), by_examples=by_examples, by_outputs=by_outputs, place=place)
                said = loss != self.options.loss if self.options.loss else False
                wrong_loss = sum(self._wrong(one, [Role("loss")]))
                rest = sum(self._wrong(one, self._error_roles(last)))
                key = (wrong_loss, said and not self._has_loss(), rest)
                scored.append((key, (said, rank, number, place), one))
        best = min(key for key, _, _ in scored)
        alike = sorted((entry for entry in scored if entry[0] == best), key=lambda entry: entry[1])
        return [one for _, _, one in alike if best != (0, False, 0)] or [alike[0][2]]

    def _tells_place(self, last: int) -> bool:
        """Whether anything is recorded that shows where the examples divide."""
        return any(Role(kind, k) in self.arrays.by_role for kind in ("dZ", "dA") for k in range(1, last + 1))

    def _error_roles(self, last: int) -> list[Role]:
        return [Role(kind, last) for kind in ("dA", "dZ", "dW", "db")]

    def _hidden(self, c: Conventions) -> Conventions:
        """The activations of the hidden layers."""
        depth = self.arrays.depth
        if self.options.activation or depth == 1:
            return self._opened(c, {k for k in range(1, depth) if any(self._wrong(c, [Role("A", k)]))})
        names = [USUAL_ACTIVATION, "relu", "sigmoid", *(n for n, e in ACTIVATIONS.items() if e.slope)]
        by_layer = [*c.activations]
        seen = [k for k in range(1, depth) if Role("A", k) in self.arrays.by_role]
        for k in seen:
            fit = [n for n in dict.fromkeys(names) if not any(self._wrong(_with_activation(c, k, n), [Role("A", k)]))]
            by_layer[k - 1] = next(iter(fit), "")
        c = self._opened(c, {k for k in seen if not by_layer[k - 1]})
        common = next((a for a in by_layer[:-1] if a and a != "linear"), "")
        if not seen or not common:
            lines = [r for r in self.arrays.by_role if r.kind not in ("W_new", "b_new")]
            tried = [replace(c, activations=(*[n] * (depth - 1), c.output)) for n in dict.fromkeys(names)]
            return min(tried, key=lambda one: sum(self._wrong(one, lines)))
        unseen = set(range(1, depth)) - set(seen)
        for k in range(1, depth):
            if not by_layer[k - 1] or k in unseen:
                by_layer[k - 1] = common
        return replace(c, activations=tuple(by_layer))

    def _opened(self, c: Conventions, unexplained: set[int]) -> Conventions:
        return replace(c, gaps=c.gaps | unexplained) if self.options.open else c

    def _epsilon(self, c: Conventions) -> Conventions:
        """What keeps a logarithm from 0, where the loss does not fit without it."""
        loss = [Role("loss")]
        if not LOSSES[c.loss].output or not any(self._wrong(c, loss)):
            return c
        for epsilon, clipped, by_examples in product(_EPSILONS, (False, True), (c.by_examples, not c.by_examples)):
            one = replace(c, epsilon=epsilon, clipped=clipped, by_examples=by_examples)
            if not any(self._wrong(one, loss)):
                return one
        return c

    # The update

    def _optimizer(self, c: Conventions) -> Conventions:
        updated = [role for role in self.arrays.by_role if role.kind in ("W_new", "b_new")]
        o = self.options
        if not updated:
            return replace(c, rate=o.learning_rate, optimizer=o.optimizer or "sgd", settings=o.optimizer_setting)
        states = {r.kind.partition(".")[0] for r in self.arrays.by_role if "." in r.kind}
        names = [o.optimizer] if o.optimizer else [*_by_states(states)]
        tried: list[tuple[int, int, Conventions]] = []
        for name in names:
            one = replace(c, optimizer=name, settings=o.optimizer_setting)
            for rate in self._rates(one, updated):
                with_rate = replace(one, rate=rate)
                tried.append((sum(self._wrong(with_rate, updated)), len(tried), with_rate))
        return min(tried, key=lambda entry: entry[:2])[2]

    def _rates(self, c: Conventions, updated: Sequence[Role]) -> Iterator[float]:
        """The learning rate that is said, or those that the changes of parameters come to."""
        if self.options.learning_rate is not None:
            yield self.options.learning_rate
            return
        _, step = self._made(replace(c, rate=1.0))
        ratios = []
        for role in updated:
            if (ratio := _change_by_direction(step, role)) is not None:
                ratios.append(ratio)
        seen = [r for r in ratios if np.isfinite(r) and r > 0]
        for ratio in dict.fromkeys(seen):
            yield from dict.fromkeys([*(float(f"{ratio:.{digits}g}") for digits in (1, 2, 3, 4)), ratio])
        if not seen:
            yield float(OPTIMIZERS[c.optimizer].rate or 0.1)


def _change_by_direction(step: Step, role: Role) -> float | None:
    """By how much a parameter was changed where a step of rate 1 changes it most, as a share of that."""
    old = Role(role.kind.removesuffix("_new"), role.layer)
    largest, ratio = 0.0, None
    try:
        for (_, new, own), (_, _, before) in zip(step.compared(role), step.compared(role, node=Ref(old)), strict=True):
            direction, change = before.value - own.value, before.value - new.value
            place = np.unravel_index(np.argmax(np.abs(direction)), direction.shape)
            if direction.shape == change.shape and abs(direction[place]) > largest:
                largest, ratio = abs(direction[place]), abs(float(change[place] / direction[place]))
    except (Unknown, ValueError):
        return None
    return ratio


_MEANS = ((True, False), (False, False), (True, True), (False, True))


def _computed(arrays: Arrays) -> list[Array]:
    """The arrays that the program has worked out, and that say something about its precision."""
    kept = []
    for role, recorded in arrays.by_role.items():
        if role.kind in ("W", "b", "T", "t", "mask") or role == Role("A", 0) or recorded.raw.dtype.kind != "f":
            continue
        kept.append(recorded.raw)
    return kept


def by_last(arrays: Arrays) -> Recorded | None:
    return arrays.by_role.get(Role("A", arrays.depth))


def _with_output(c: Conventions, output: str, loss: str) -> Conventions:
    return replace(c, activations=(*c.activations[:-1], output), loss=loss)


def _with_activation(c: Conventions, layer: int, name: str) -> Conventions:
    activations = [*c.activations]
    activations[layer - 1] = name
    return replace(c, activations=tuple(activations))


def _by_states(states: set[str]) -> Iterator[str]:
    """The optimizers that keep such states; without any, plain descent."""
    if not states:
        yield "sgd"
        return
    for name, entry in OPTIMIZERS.items():
        own = {e.name for e in entry.variant().equations if e.start is not None}
        if states <= own and not entry.shared:
            yield name
    yield "sgd"
