"""One entry of a registry, as a person looks it up: formula, derivatives rule by rule, values at a few points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from msgspec import Struct, field

from tutor.errors import TutorError, nearest_in
from tutor.formulas.expressions import MINUS_ONE, formula, multiply, power, symbol
from tutor.formulas.quantity import derivative
from tutor.maths.activations import ACTIVATIONS, VECTOR_ACTIVATIONS, Activation, VectorActivation
from tutor.maths.initializers import INITIALIZERS
from tutor.maths.kind import Kind
from tutor.maths.losses import LOSSES, Loss
from tutor.maths.normalizers import NORMALIZERS
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES, Penalty
from tutor.maths.schedules import SCHEDULES, Schedule
from tutor.maths.setting import Setting, numbers
from tutor.maths.terms import TERMS
from tutor.numbers.exact import Number
from tutor.worksheet.derivation import Line, derive
from tutor.worksheet.forward import activate_together
from tutor.worksheet.named_network import NamedNeuron
from tutor.worksheet.step import Step
from tutor.worksheet.update import rate_formula
from tutor.worksheet.values import evaluate_formula

Expr = Any
REGISTRIES: Mapping[str, Mapping[str, Any]] = {
    "activation": {**ACTIVATIONS, **VECTOR_ACTIVATIONS},
    "loss": LOSSES,
    "penalty": PENALTIES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "initializer": INITIALIZERS,
    "normalizer": NORMALIZERS,
    "term": TERMS,
}
ALIASES = {
    "parameter": "weight",
    "hidden_neuron": "hidden_layer",
    "validation": "held_out",
    "cost": "loss",
    "minibatch": "batch",
    "mini_batch": "batch",
    "logits": "softmax",
    "mse": "mean_squared_error",
    "sse": "squared_error",
    "bce": "binary_cross_entropy",
    "log_loss": "binary_cross_entropy",
    "ce": "cross_entropy",
    "categorical_cross_entropy": "cross_entropy",
    "logistic": "sigmoid",
    "identity": "linear",
    "heaviside": "step",
    "lrelu": "leaky_relu",
    "swish": "silu",
    "glorot": "xavier",
    "kaiming": "he",
    "lasso": "l1",
    "ridge": "l2",
    "weight_decay": "l2",
    "gradient_descent": "sgd",
    "nag": "nesterov",
    "standardization": "zscore",
    "batch_normalization": "batch_norm",
    "backprop": "backpropagation",
    "gradient_clipping": "clipping",
    "skip_connection": "residual",
    "patience": "early_stopping",
    "eta": "learning_rate",
    "theta": "threshold",
    "saturated": "saturation",
    "dead_relu": "dead_unit",
    "dead_neuron": "dead_unit",
    "root_mean_squared_error": "rmse",
    "mean_absolute_error": "mae",
    "r_squared": "r2",
    "balanced_accuracy": "recall",
    "auc": "roc_auc",
    "calibration_error": "calibration",
}
"""Other names that people know an entry by."""

POINTS = tuple(map(Fraction, ("-2", "-1", "-0.5", "0", "0.5", "1", "2")))
PROBABILITIES = tuple(map(Fraction, ("0.01", "0.1", "0.5", "0.9", "0.99")))
EPOCHS = tuple(map(Fraction, (0, 1, 2, 5, 10, 20)))
LOGITS = tuple(map(Fraction, (1, 2, 3)))


class Curve(Struct, frozen=True):
    """A function of one quantity that can be derived, tabled and drawn; `derivative` is None where there is none.

    Every other symbol in it has its value in `constants`. At the `corner` there is no derivative either, whatever
    programs take for it. `value` is the function over floats.
    """

    name: str
    variable: str
    formula_at: Callable[[Fraction], Expr]
    value: Callable[[float, Any], float]
    points: tuple[Fraction, ...]
    span: tuple[float, float]
    constants: Mapping[str, Fraction] = field(default_factory=dict)
    step: Step | None = None
    derivative: Expr | None = None
    corner: Fraction | None = None

    def exactly(self, point: Fraction) -> Number:
        """The value of the function at the point."""
        return evaluate_formula(self.formula_at(point), {**self.constants, self.variable: point})

    def slope(self, point: Fraction) -> Number | None:
        """The derivative at the point, None at a corner."""
        if self.derivative is None or point == self.corner:
            return None
        return evaluate_formula(
            self.derivative, {**self.constants, self.variable: point, self.name: self.exactly(point)}
        )


class Details(Struct, frozen=True):
    """What there is to see of an entry: derivations by name, a table with a number or None in each place, the values
    that its other symbols have in it, and the curve to be drawn."""

    derivations: Mapping[str, tuple[Line, ...]]
    columns: tuple[str, ...]
    rows: tuple[tuple[Number | None, ...], ...]
    constants: Mapping[str, Fraction] = field(default_factory=dict)
    curve: Curve | None = None


def find_entry(name: str) -> tuple[str, Any]:
    """The kind and the entry called `name`; `loss:x` or `schedule:step` where several kinds share a name."""
    wanted_kind, _, word = name.strip().lower().replace("-", "_").replace(" ", "_").rpartition(":")
    word = ALIASES.get(word, word)
    found = [(kind, entries[word]) for kind, entries in REGISTRIES.items() if word in entries]
    if wanted_kind:
        found = [(kind, entry) for kind, entry in found if kind == wanted_kind]
    if len(found) > 1:
        choices = " or ".join(f"{kind}:{word}" for kind, _ in found)
        raise TutorError(f"{word!r} is more than one thing; write {choices}")
    if not found:
        raise TutorError(
            f"there is nothing called {name!r}{nearest_in(word, {**REGISTRIES, 'in other words': ALIASES})}"
        )
    return found[0]


def details_of(entry: Any) -> Details | None:
    """What there is to see of the entry beside its facts; None where there is nothing."""
    if isinstance(entry, VectorActivation):
        return _vector_activation(entry)
    curve = curve_of(entry)
    if curve is None:
        return None
    if curve.derivative is None or curve.step is None:
        rows = tuple((point, curve.exactly(point)) for point in curve.points)
        return Details({}, (curve.variable, curve.name), rows, curve.constants, curve)
    name = derivative(curve.name, curve.variable)
    return Details(
        {name: derive(curve.step, curve.variable, curve.derivative)},
        (curve.variable, curve.name, name),
        tuple((point, curve.exactly(point), curve.slope(point)) for point in curve.points),
        curve.constants,
        curve,
    )


def curve_of(entry: Any) -> Curve | None:
    """The entry as a function to look at: of z, of an output, of a weight, or of the epoch."""
    if isinstance(entry, Activation):
        return _activation_curve(entry)
    if isinstance(entry, Loss):
        return _loss_curve(entry)
    if isinstance(entry, Penalty):
        return _penalty_curve(entry)
    if isinstance(entry, Schedule):
        return _schedule_curve(entry)
    return None


def _activation_curve(entry: Activation) -> Curve:
    z, a = symbol("z"), symbol("a")
    constants = {entry.parameter: Fraction(entry.default)} if entry.parameter else {}
    extra = tuple(map(symbol, constants))
    slope = formula(entry.slope, z, a, *extra) if entry.slope else None
    bridge = tuple((why, formula(body, z)) for why, body in entry.bridge)
    step = Step("a", "forward", Kind.ACTIVATION, formula(entry.value, z, *extra), entry.name, entry.name,
                slopes={} if slope is None else {"z": slope}, bridge=bridge)  # fmt: skip
    plain = tuple(map(float, constants.values()))
    corner = None if entry.corner is None else Fraction(entry.corner)
    return Curve("a", "z", lambda point: step.formula, lambda x, m: entry.value(x, *plain, m), POINTS, (-5, 5),
                 constants, step, slope, corner)  # fmt: skip


def _loss_curve(entry: Loss) -> Curve:
    """The part of one output in the loss, for a target of 1."""
    y, t = symbol("y"), symbol("t")
    share = (power(symbol("n"), MINUS_ONE),) if entry.mean else ()
    settings = _usual(entry.settings)
    own, plain = tuple(map(symbol, settings)), tuple(map(float, settings.values()))
    step = Step("E", "loss", Kind.LOSS, multiply(*share, formula(entry.term, y, t, *own)), entry.name, entry.name)
    slope = multiply(*share, formula(entry.slope, y, t, *own))
    points, span = (PROBABILITIES, (0.01, 0.99)) if entry.output else (POINTS, (-1.0, 3.0))
    constants = {"t": Fraction(1), **({"n": Fraction(1)} if entry.mean else {}), **settings}
    return Curve("E", "y", lambda point: step.formula, lambda x, m: entry.term(x, 1, *plain, m), points, span,
                 constants, step, slope)  # fmt: skip


def _penalty_curve(entry: Penalty) -> Curve:
    w, strength, settings = symbol("w"), symbol(entry.name), _usual(entry.settings)
    own, plain = tuple(map(symbol, settings)), tuple(map(float, settings.values()))
    term, slope = (multiply(strength, formula(body, w, *own)) for body in (entry.term, entry.slope))
    step = Step("R", "loss", Kind.PENALTY, term, "penalty", entry.name, {"w": slope})
    corner = None if entry.corner is None else Fraction(entry.corner)
    return Curve("R", "w", lambda point: step.formula, lambda x, m: entry.term(x, *plain, m), POINTS, (-3, 3),
                 {entry.name: Fraction(1), **settings}, step, slope, corner)  # fmt: skip


def _usual(settings: Mapping[str, Setting]) -> dict[str, Fraction]:
    """The settings as they are if nothing is said."""
    return {name: Fraction(text) for name, text in numbers(settings, {}).items()}


def _schedule_curve(entry: Schedule) -> Curve:
    settings = _usual(entry.settings)
    start = Fraction(1, 10)

    def at(epoch: Fraction) -> Expr:
        return rate_formula(entry, "eta0", settings, int(epoch))

    def value(epoch: float, m: Any) -> float:
        return float(evaluate_formula(at(Fraction(int(epoch))), {"eta0": start}))

    return Curve("eta", "epoch", at, value, EPOCHS, (0, 20), {"eta0": start, **settings})


def _vector_activation(entry: VectorActivation) -> Details:
    """Three neurons: the derivative of the first output by its own weighted sum and by another, and the Jacobian."""
    neurons = [NamedNeuron(f"n{i}", f"z{i}", f"a{i}") for i in range(1, len(LOGITS) + 1)]
    steps = list(activate_together(neurons, entry))
    sums = dict(zip((n.sum for n in neurons), LOGITS, strict=True))
    outputs = {step.name: evaluate_formula(step.formula, sums) for step in steps}
    first = steps[0]
    derivations = {derivative(first.name, z): derive(first, z, first.slopes[z]) for z in list(sums)[:2]}
    rows: list[tuple[Number | None, ...]] = []
    for neuron, step in zip(neurons, steps, strict=True):
        slopes = (evaluate_formula(slope, outputs) for slope in step.slopes.values())
        rows.append((Fraction(len(rows) + 1), sums[neuron.sum], outputs[step.name], *slopes))
    return Details(derivations, ("i", "z_i", "a_i", *(derivative("a_i", z) for z in sums)), tuple(rows))
