"""The steps of one update, the same for every update of a training, and the worksheet of any one of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from itertools import groupby, pairwise
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from tutor.errors import TutorError
from tutor.formulas.expressions import MINUS_ONE, ONE, ZERO, add, formula, multiply, power, symbol, where
from tutor.formulas.expressions import replace as replaced
from tutor.formulas.quantity import derivative, local_derivative, named, owned
from tutor.maths.activations import VECTOR_ACTIVATIONS
from tutor.maths.kind import Kind
from tutor.maths.losses import LOSSES
from tutor.maths.optimizer import RATE
from tutor.training.learning import EVERY_LAYER, Learning
from tutor.worksheet.build import build, computation_of, update_of
from tutor.worksheet.computation import TrainingState
from tutor.worksheet.forward import loss_step
from tutor.worksheet.gradients import differentiated
from tutor.worksheet.named_network import NamedLayer, NamedNetwork
from tutor.worksheet.numbering import new_names
from tutor.worksheet.perceptron import RULE
from tutor.worksheet.problem import Example, Minimize, Network, Problem, Training
from tutor.worksheet.softmax import SOFTMAX, is_softmax
from tutor.worksheet.step import GOAL, Step, Worksheet, check_names, merged
from tutor.worksheet.update import Update, symbols_in

Expr = Any
COUNT = "number of the update"
LOSS = "loss of the examples"
"""Names of what that no worksheet has are of several words, so that no lesson can have taken them."""
ONE_EPOCH: dict[str, Any] = {"epochs": 1, "stop": "max_epochs", "max_epochs": 1}


class LayerNames(Struct, frozen=True):
    """What the steps call the quantities of a layer, neuron by neuron. `signals` are dE/d of the weighted sums, empty
    where learning works without; a connection that is not there has no weight."""

    layer: NamedLayer
    sums: tuple[str, ...]
    outputs: tuple[str, ...]
    signals: tuple[str, ...]


class OneUpdate(Struct, frozen=True):
    """What happens to a group of examples, whichever they are.

    `rows` has, for each example of the group, the names of its inputs and targets. For the first of them `outputs` are
    those of the network, `sums` the weighted sums below these, and `layers` has the names of every layer. `becomes`
    leads from the name of a parameter or a state to that of its new value (its own where it stays), `start` has the
    value with which each begins, `constants` that of everything else which is given. `loss` is what the examples lose,
    all together and without penalties. `updates` have been made before the first.
    """

    steps: tuple[Step, ...]
    rows: tuple[tuple[str, ...], ...]
    outputs: tuple[str, ...]
    parameters: tuple[str, ...]
    becomes: Mapping[str, str]
    start: Mapping[str, Fraction]
    constants: Mapping[str, Fraction]
    loss: str = LOSS
    updates: int = 0
    sums: tuple[str, ...] = ()
    layers: tuple[LayerNames, ...] = ()

    def __post_init__(self) -> None:
        given = dict.fromkeys([RATE, *self.start])  # the rate is a state of the optimizer that adapts it
        check_names([*given, *self.constants, *(name for row in self.rows for name in row)], self.steps)


def one_update(
    problem: Problem, group: int, whole_targets: bool = False, learning: Learning = EVERY_LAYER
) -> OneUpdate:
    """The steps by which `group` examples change the parameters, over eta (the rate of the epoch) and `COUNT`.

    With `whole_targets` the targets of an example are known to add up to 1. Raises ValueError and TutorError where
    `tutor.worksheet.build` does.
    """
    assert problem.network is not None
    network, training = problem.network, problem.training or Training()
    alone = replace(training, batch=_batch(training, group), schedule="constant", **ONE_EPOCH)
    made = computation_of(replace(problem, examples=[_blank(network)] * group, training=alone))
    one, known = differentiated(made.forwards[0], made.wrt, "delta"), made.network
    assert known is not None
    update, kept = update_of(made, one), _in_layers(known, learning.frozen)
    reached = [p for p in in_rows(known) if p in update.parameters]
    update = replace(update, parameters=[p for p in reached if p not in kept])
    examples = list(range(1, group + 1)) if group > 1 else [0]
    loss = network.loss or ""
    judged = _wrong(one.steps) if training.rule == RULE else _loss(network, known, examples, bool(training.penalties))
    steps = [*shifted(one.steps), judged, *_of_any(update)]
    given = merged(known.values, training.penalties, *update.givens())
    becomes = {p: p for p in reached} | new_names(update.kept)
    by_sums = judged_by_sums(steps, known, loss, examples)
    whole = tuple(collapsed(by_sums, known, loss, examples, whole_targets))
    return OneUpdate(
        steps=through_new_weights(whole, known, examples, becomes) if learning.output_first else whole,
        rows=tuple(tuple(named(name, example=k) for name in (*known.inputs, *known.targets)) for k in examples),
        outputs=tuple(named(neuron.output, example=examples[0]) for neuron in known.layers[-1].neurons),
        parameters=tuple(reached),
        becomes=becomes,
        start={name: given[name] for name in becomes},
        constants={name: value for name, value in given.items() if name not in becomes and name != RATE},
        updates=training.made_before,
        sums=tuple(named(neuron.sum, example=examples[0]) for neuron in known.layers[-1].neurons),
        layers=_layers(known, {step.name for step in steps}, example=examples[0]),
    )


def update_of_function(minimize: Minimize, givens: Mapping[str, Fraction]) -> OneUpdate:
    """The steps by which a function is minimised once, over eta and `COUNT`; its value is the loss. Raises ValueError
    where `tutor.worksheet.build` does, and TutorError for one without an objective."""
    if minimize.objective is None:
        raise TutorError("this worksheet is given its gradients, so there is nothing to compute others from")
    made = computation_of(Problem(minimize=replace(minimize, steps=1), givens=dict(givens)))
    one = differentiated(made.forwards[0], made.wrt, "delta")
    update = update_of(made, one)
    given, kept = merged(givens, minimize.start, *update.givens()), update.kept
    return OneUpdate(
        steps=(*one.steps, *_of_any(update)),
        rows=((),),
        outputs=(),
        parameters=tuple(update.parameters),
        becomes=new_names(kept),
        start={name: given[name] for name in kept},
        constants={name: value for name, value in given.items() if name not in kept and name != RATE},
        loss=GOAL,
        updates=minimize.made_before,
    )


def _layers(known: NamedNetwork, steps: Collection[str], example: int = 0, update: int = 0) -> tuple[LayerNames, ...]:
    def at(name: str) -> str:
        return named(name, example=example, update=update)

    found = []
    for layer in known.layers:
        sums, outputs = ([at(getattr(n, what)) for n in layer.neurons] for what in ("sum", "output"))
        signals = [derivative(at(GOAL), one) for one in sums]
        found.append(LayerNames(layer, (*sums,), (*outputs,), (*signals,) if {*signals} <= {*steps} else ()))
    return tuple(found)


def worksheet_of_update(
    problem: Problem, examples: Sequence[Example], training_state: TrainingState, chain: str | None = None
) -> Worksheet:
    """The worksheet of the update by these examples at that moment of a training, from its own values; with the
    perceptron rule that of one presentation after the other."""
    assert problem.network is not None and problem.training is not None
    wanted = problem.training
    training = replace(wanted, batch=_batch(wanted, len(examples)), **ONE_EPOCH)
    return build(replace(problem, examples=list(examples), training=training), chain, training_state)


def through_new_weights(
    steps: Sequence[Step], known: NamedNetwork, examples: Sequence[int], becomes: Mapping[str, str]
) -> tuple[Step, ...]:
    """The steps with the error going back through weights as they have become, in an order in which that can be.

    A weight enters the backward pass as the derivative of a weighted sum by an output of the layer below.
    """
    by_output = {
        write(named(above.sum, example=k), named(below.output, example=k))
        for lower, upper in pairwise(known.layers) for below in lower.neurons for above in upper.neurons
        for k in examples for write in (derivative, local_derivative)
    }  # fmt: skip
    new = {symbol(old): symbol(name) for old, name in becomes.items()}
    by_name = {
        step.name: replace(step, formula=replaced(step.formula, new)) if step.name in by_output else step
        for step in steps
    }
    order = TopologicalSorter({name: [i for i in step.inputs if i in by_name] for name, step in by_name.items()})
    try:
        return tuple(by_name[name] for name in order.static_order())
    except CycleError:
        said = "a weight that several layers share is changed with the last of them"
        raise TutorError(f"--update-order output-first changes a layer before the next, and {said}") from None


def in_rows(known: NamedNetwork) -> tuple[str, ...]:
    """Every weight and bias once: layer by layer, neuron by neuron, its weights in the order of its inputs, its bias
    last."""
    rows = [[*r, b] for layer in known.layers for r, b in zip(layer.weights, layer.biases, strict=True)]
    return tuple(dict.fromkeys(name for row in rows for name in row if name is not None))


def _in_layers(known: NamedNetwork, depths: Collection[int]) -> set[str | None]:
    """Every weight and bias of these layers."""
    layers = [known.layers[depth] for depth in depths]
    return {name for layer in layers for row in (*layer.weights, layer.biases) for name in row}


def _blank(network: Network) -> Example:
    """An example for the names alone."""
    return Example([Fraction(0)] * len(network.inputs), [Fraction(0)] * len(network.layers[-1].weights))


def _batch(training: Training, group: int) -> str | int:
    return training.batch if group == 1 else training.over_examples


def _loss(network: Network, known: NamedNetwork, examples: Sequence[int], penalised: bool) -> Step:
    total = add(*(symbol(named(GOAL, example=k)) for k in examples))
    if len(examples) == 1 and penalised:  # then E is more than what the example loses
        outputs = [neuron.output for neuron in known.layers[-1].neurons]
        total = loss_step(network.loss or "", network.loss_numbers, outputs, known.targets).formula
    return Step(LOSS, "loss", Kind.REDUCTION, total, "sum over the examples", "sum")


def _of_any(update: Update) -> Iterator[Step]:
    """The steps of update t, where those of the first one may differ from all others."""
    t = symbol(COUNT)
    later = list(update.steps(t, 0, first=False))
    if "first" not in symbols_in(update.variant):
        yield from later
        return
    for step, at_first in zip(later, update.steps(t, 0, first=True), strict=True):
        differs = step.formula != at_first.formula
        either = where(add(t, MINUS_ONE), step.formula, at_first.formula) if differs else step.formula
        yield replace(step, formula=either)


def _wrong(steps: Sequence[Step]) -> Step:
    """The loss of the perceptron rule: 1 where any output is wrong, else 0."""
    squares = [multiply(symbol(s.name), symbol(s.name)) for s in steps if s.kind is Kind.ERROR]
    return Step(LOSS, "loss", Kind.LOSS, where(add(*squares), ONE, ZERO), "whether an output is wrong")


def shifted(steps: Sequence[Step]) -> Iterator[Step]:
    """Softmax by way of exp(z - the largest z), worked once for each neuron: then nothing overflows.

    a_i = exp(z_i - m)/(exp(z_1 - m) + … + exp(z_K - m)) for any m.
    """
    for sums, group in groupby(steps, lambda step: is_softmax(step) and tuple(step.slopes)):
        layer = list(group)
        yield from _shifted_layer(layer, sums) if sums else layer


def _shifted_layer(outputs: Sequence[Step], sums: Sequence[str]) -> Iterator[Step]:
    largest = sums[0]
    for name in sums[1:]:
        case = where(add(symbol(name), multiply(MINUS_ONE, symbol(largest))), symbol(name), symbol(largest))
        largest = f"largest up to {name}"
        yield Step(largest, "forward", Kind.INTERMEDIATE, case, "the larger of two")
    powers = [f"power of {name}" for name in sums]
    for name, below in zip(powers, sums, strict=True):
        power_of = formula(VECTOR_ACTIVATIONS[SOFTMAX].power, symbol(below), symbol(largest))
        yield Step(name, "forward", Kind.INTERMEDIATE, power_of, SOFTMAX)
    total = f"sum of the powers up to {sums[-1]}"
    yield Step(total, "forward", Kind.INTERMEDIATE, add(*map(symbol, powers)), "sum")
    for step, below in zip(outputs, sums, strict=True):
        distance = add(symbol(below), multiply(MINUS_ONE, symbol(largest)))
        logarithm = add(distance, multiply(MINUS_ONE, formula(_log, symbol(total))))
        yield Step(f"logarithm of {step.name}", "forward", Kind.INTERMEDIATE, logarithm, "logarithm")
    for step, above in zip(outputs, powers, strict=True):
        yield replace(step, formula=multiply(symbol(above), power(symbol(total), MINUS_ONE)))


def _log(a: Any, m: Any) -> Any:
    return m.log(a)


def _log_of_rest(a: Any, m: Any) -> Any:
    return m.log(1 - a)


def _log_of_sigmoid(z: Any, m: Any) -> Any:
    return -m.log_one_plus_exp(-z)


def _log_of_rest_of_sigmoid(z: Any, m: Any) -> Any:
    return -m.log_one_plus_exp(z)


def judged_by_sums(steps: Sequence[Step], known: NamedNetwork, loss: str, examples: Sequence[int]) -> Sequence[Step]:
    """Losses that take outputs for probabilities by the weighted sums below these: ln(σ(z)) as -ln(1 + exp(-z)),
    ln(1 - σ(z)) as -ln(1 + exp(z)), and of a softmax by z and ln of its sum. There an output that is rounded to 0 or 1
    has its logarithm."""
    by: dict[Expr, Expr] = {}
    last = known.layers[-1]
    for k in examples if loss and LOSSES[loss].output == last.activation else ():
        for neuron in last.neurons:
            y, z = symbol(named(neuron.output, example=k)), symbol(named(neuron.sum, example=k))
            of_output, of_rest = formula(_log, y), formula(_log_of_rest, y)
            if last.activation == SOFTMAX:
                by[of_output] = symbol(f"logarithm of {y.name}")
            else:
                by[of_output] = formula(_log_of_sigmoid, z)
                by[of_rest] = formula(_log_of_rest_of_sigmoid, z)
    if not by:
        return steps
    return [replace(step, formula=replaced(step.formula, by)) if step.stage == "loss" else step for step in steps]


def collapsed(
    steps: Sequence[Step], known: NamedNetwork, loss: str, examples: Sequence[int], whole_targets: bool
) -> Iterator[Step]:
    """The gradient by the weighted sum of an output as a_j·(t_1 + … + t_K) - t_j, which divides by no output.

    With `whole_targets`, where the targets of an example add up to 1, it is a_j - t_j; a sigmoid with binary
    cross-entropy has it so in any case. `tutor.worksheet.softmax` derives it.
    """
    last = known.layers[-1]
    several = last.activation == SOFTMAX and not whole_targets
    formulas: dict[str, Expr] = {}
    for k in examples if loss and LOSSES[loss].output == last.activation else ():
        targets = [symbol(named(target, example=k)) for target in known.targets]
        name = named("sum of the targets", example=k or 1)
        total = Step(name, "gradient", Kind.INTERMEDIATE, add(*targets), "sum")
        if several:
            yield total
        for neuron, target in zip(last.neurons, targets, strict=True):
            output = symbol(named(neuron.output, example=k))
            above = multiply(output, symbol(total.name)) if several else output
            gradient = derivative(named(GOAL, example=k), named(neuron.sum, example=k))
            formulas[gradient] = add(above, multiply(MINUS_ONE, target))
            formulas[named(owned("delta", neuron.stem), example=k)] = add(target, multiply(MINUS_ONE, above))
    for step in steps:
        yield replace(step, formula=formulas[step.name]) if step.name in formulas and step.stage == "gradient" else step
