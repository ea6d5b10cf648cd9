"""What must hold of a lesson before a worksheet can be written. Raises ValueError with the place and what to do."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction

from tutor.errors import nearest
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES, PROXIMAL
from tutor.maths.schedules import SCHEDULES
from tutor.worksheet.named_network import layer_name, neuron_names
from tutor.worksheet.network_rules import check_examples, check_name, check_network, why_no_gradient
from tutor.worksheet.optimizer_rules import check_numbers, check_settings, settings_of_penalties
from tutor.worksheet.problem import Minimize, Network, Optimization, Problem, Training

MOST_UPDATES = 500
MOST_BEFORE = 10_000
PENALTY_KEYS = (*PENALTIES, "penalty_settings", "proximal")
WEIGHT_KEYS = (*PENALTY_KEYS, "rates", "batch", "reduction", "epochs")
GRADIENT_ONLY = (
    "optimizer",
    "settings",
    "state",
    "schedule",
    "schedule_settings",
    "clip_value",
    "clip_norm",
    *WEIGHT_KEYS,
)
BEYOND_DELTA = ("optimizer", "settings", "state", "clip_value", "clip_norm", *PENALTY_KEYS)
NETWORK_ONLY = ("update_biases", "rule", "fires", "stop", "max_epochs", *WEIGHT_KEYS)


def check_problem(problem: Problem) -> None:
    """Checks everything that does not need the worksheet itself."""
    kinds = {
        "[network]": problem.network is not None,
        "[[equations]]": bool(problem.equations),
        "[minimize]": problem.minimize is not None,
    }
    chosen = [kind for kind, there in kinds.items() if there]
    if len(chosen) != 1:
        raise ValueError(
            f"a lesson has exactly one of {', '.join(kinds)}; this one has {' and '.join(chosen) or 'none'}"
        )
    _check_chain(problem)
    for name in problem.givens:
        check_name(name, indexed=bool(problem.equations))
    if problem.network is not None:
        _check_network_problem(problem, problem.network)
    elif problem.minimize is not None:
        check_minimize(problem.minimize)
    elif problem.training is not None:
        check_optimization(problem.training, "training")
        _left_alone(problem.training, NETWORK_ONLY, "this belongs to a [network]; free equations take one plain step")
    if problem.network is None and problem.examples:
        raise ValueError("examples: they belong to a [network]; put the numbers under [givens]")


def _check_network_problem(problem: Problem, network: Network) -> None:
    if not problem.examples:
        raise ValueError("'examples' is missing: give at least one [[examples]] with inputs and targets")
    training = problem.training
    perceptron = training is not None and training.rule == "perceptron"
    check_network(network, problem.givens)
    check_examples(network, problem.examples, with_targets=training is not None or network.loss is not None)
    if training is not None and perceptron:
        check_perceptron(training, network)
        return
    if training is not None:
        if why := why_no_gradient(network):
            raise ValueError(why)
        check_training(training, network)
        _check_batch(training, len(problem.examples))


def _check_chain(problem: Problem) -> None:
    """Where gradients are not written by the chain rule, nobody chooses its form."""
    other_rule = problem.training is not None and problem.training.rule != "gradient"
    nothing_asked = bool(problem.equations) and problem.differentiate is None
    if problem.network is not None and problem.training is None:
        nothing_asked = bool(why_no_gradient(problem.network))
    if problem.chain != Problem().chain and (other_rule or nothing_asked or problem.minimize is not None):
        raise ValueError("chain: no gradient of this lesson is a product along a path; leave it out")


def check_training(training: Training, network: Network) -> None:
    """The words of [training], its numbers, and that nothing in it goes without effect."""
    check_optimization(training, "training")
    if training.rule == "delta":
        _left_alone(training, BEYOND_DELTA, "the delta rule is plain gradient descent; leave this or the rule out")
    if training.fires is not None:
        raise ValueError('training.fires: this belongs to rule = "perceptron"')
    if not 1 <= training.epochs <= MOST_UPDATES:
        raise ValueError(f"training.epochs: a worksheet takes 1 to {MOST_UPDATES}, not {training.epochs}")
    _check_penalties(training)
    layers = [layer_name(x, names) for x, names in zip(network.layers, neuron_names(network.layers), strict=True)]
    for name, rate in training.rates.items():
        if name not in layers:
            raise ValueError(f"training.rates: no layer is called {name!r}{nearest(name, layers)}")
        _check_rate(rate, f"training.rates.{name}")


def _check_penalties(training: Training) -> None:
    """Strengths, and settings and soft-thresholding only where there is a penalty that has them."""
    for name, strength in training.penalties.items():
        if strength < 0:
            raise ValueError(f"training.{name}: a penalty is not negative")
    if training.proximal and not training.proximal_penalties:
        able = " or ".join(PROXIMAL)
        raise ValueError(f"training.proximal: soft-thresholding belongs to the L1 penalty; give {able} too")
    check_numbers(*settings_of_penalties(training.penalties), training.penalty_settings, "training.penalty_settings")


def _check_batch(training: Training, count: int) -> None:
    """As many examples at a time as there are, and a reduction only where there is one to choose."""
    if not isinstance(training.batch, int):
        _left_alone(
            training, ["reduction"], f'this goes with a number of examples; write batch = "{training.reduction}"'
        )
    elif not 1 <= training.batch <= count:
        raise ValueError(f"training.batch: {training.batch} examples an update, but there are {count}")


def check_perceptron(training: Training, network: Network) -> None:
    """One layer of threshold neurons, and nothing that only gradient descent knows."""
    if len(network.layers) != 1 or network.layers[0].activation not in ("step", "sign"):
        raise ValueError("training.rule: the perceptron rule trains a single layer with the activation step or sign")
    if network.loss:
        raise ValueError("network.loss: the perceptron rule knows no loss; leave it out")
    _check_rate(training.learning_rate, "training.learning_rate")
    _left_alone(training, GRADIENT_ONLY, "this belongs to gradient descent, not to the perceptron rule")
    if not 1 <= training.max_epochs <= MOST_UPDATES:
        raise ValueError(f"training.max_epochs: a worksheet takes 1 to {MOST_UPDATES}, not {training.max_epochs}")


def _left_alone(training: Training, keys: Sequence[str], reason: str) -> None:
    """None of the keys is set: a setting without effect would be a promise not kept."""
    for key in keys:
        if getattr(training, key) != getattr(Training(), key):
            raise ValueError(f"training.{key}: {reason}")


def _check_rate(rate: Fraction | None, place: str) -> None:
    if rate is not None and rate < 0:
        raise ValueError(f"{place}: with a negative rate every step goes the wrong way; give a positive one")


def check_minimize(minimize: Minimize) -> None:
    check_optimization(minimize, "minimize")
    if not minimize.start:
        raise ValueError("minimize.start: say where each variable begins, as in start = { x = 1, y = 1 }")
    for name in minimize.start:
        check_name(name)
    count = _check_gradients(minimize) if minimize.gradients else 1 if minimize.steps is None else minimize.steps
    if not 1 <= count <= MOST_UPDATES:
        raise ValueError(f"minimize.steps: a worksheet takes 1 to {MOST_UPDATES}, not {count}")
    if (minimize.objective is None) != bool(minimize.gradients):
        raise ValueError(
            "minimize: give either an `objective`, or the gradient of each step, as in gradients = { w = [0.1, -0.2] }"
        )


def _check_gradients(minimize: Minimize) -> int:
    """How many steps the gradients are for: as many for each variable."""
    for name in (*minimize.gradients, *minimize.start):
        if name not in minimize.start:
            raise ValueError(f"minimize.gradients: {name!r} has no start{nearest(name, minimize.start)}")
        if name not in minimize.gradients:
            raise ValueError(f"minimize.gradients: there are none for {name!r}, which is in minimize.start")
    found = {name: len(slopes) for name, slopes in minimize.gradients.items()}
    first, count = next(iter(found.items()))
    for name, length in found.items():
        if length != count:
            raise ValueError(f"minimize.gradients: {first} has {count} and {name} has {length}; give one for each step")
    if minimize.steps not in (None, count):
        raise ValueError(f"minimize.steps: there are gradients for {count} steps, so leave it out")
    return count


def check_optimization(optimization: Optimization, place: str) -> None:
    """Optimizer, schedule and clipping, with settings that they know."""
    _known(optimization.optimizer, OPTIMIZERS, f"{place}.optimizer", "optimizer")
    _known(optimization.schedule, SCHEDULES, f"{place}.schedule", "schedule")
    chosen = OPTIMIZERS[optimization.optimizer]
    if optimization.learning_rate is None and chosen.rate is None:
        raise ValueError(f"in {place}: 'learning_rate' is missing")
    _check_rate(optimization.learning_rate, f"{place}.learning_rate")
    check_settings(optimization.optimizer, optimization.settings, f"{place}.settings")
    if chosen.adapts_rate and optimization.schedule != "constant":
        raise ValueError(f"{place}.schedule: {optimization.optimizer} changes the learning rate itself; leave it out")
    before = optimization.state.get("t", Fraction(0))
    if before.denominator != 1 or not 0 <= before <= MOST_BEFORE:
        raise ValueError(f"{place}.state.t: how many updates have been made, a whole number up to {MOST_BEFORE:,}")
    settings = SCHEDULES[optimization.schedule].settings
    check_numbers(
        f"{optimization.schedule} schedule", settings, optimization.schedule_settings, f"{place}.schedule_settings"
    )
    for limit in optimization.clips:
        if getattr(optimization, limit) <= Fraction(0):
            raise ValueError(f"{place}.{limit}: the limit is a positive number")


def _known(word: str, valid: Collection[str], place: str, kind: str) -> None:
    if word not in valid:
        raise ValueError(f"{place}: unknown {kind} {word!r}{nearest(word, valid)}")
