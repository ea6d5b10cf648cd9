"""Mistakes in the backward pass: from the slope of the loss to the gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from tutor.trace.algebra import Call, Entrywise, Node, Product, Ref, Role, Scaled, Turned, everything_in, rewritten
from tutor.trace.equations import activation, slope_of, softmax_back
from tutor.trace.mistakes.mistake import Mistake, Rewriting, Situation, swapped
from tutor.trace.precision import Bounded

_MOST_EXAMPLES = 1_000_000


def _missing_slope(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind != "dZ":
        return
    for made in swapped(node, "slope", lambda n: Ref(role)):  # to see that there is one
        del made
        yield Rewriting("", rewritten(node, _without_slope), s.network.conventions.activations[role.layer - 1])
    if isinstance(node, Call) and node.tag == "with slope":
        yield Rewriting("", node.parts[1], "softmax")


def _without_slope(node: Node) -> Node | None:
    if isinstance(node, Entrywise) and node.right.tag == "slope":
        return node.left
    return None


def _slope_form(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    """What is no derivative of anything, but looks like one."""
    if role.kind != "dZ":
        return
    forms: dict[str, Callable[[Any, Any], Any]] = {
        "1 - a": lambda z, a: 1 - a,
        "a": lambda z, a: a,
        "z": lambda z, a: z,
        "z·(1 - z)": lambda z, a: z * (1 - z),
        "a·(1 - a)": lambda z, a: a * (1 - a),
        "a·(1 + a)": lambda z, a: a * (1 + a),
        "1 - z²": lambda z, a: 1 - z**2,
        "1 - a²": lambda z, a: 1 - a**2,
        "1 + a²": lambda z, a: 1 + a**2,
        "a²": lambda z, a: a**2,
        "1 - z": lambda z, a: 1 - z,
    }
    for form, body in forms.items():
        text = form.replace("a", "{1}").replace("z", "{0}")

        def other(n: Node, body: Callable[[Any, Any], Any] = body, text: str = text) -> Node:
            return Call(lambda z, a, m: body(z, a), n.parts, f"({text})", "slope")

        for made in swapped(node, "slope", other):
            yield Rewriting(form, made, form)
    for made in swapped(node, "slope", lambda n: Entrywise("⊙", n, n)):
        yield Rewriting("twice", made, "the slope, twice")
    if isinstance(node, Call) and node.tag == "with slope":
        a, by_a = node.parts
        own = Call(lambda a, m: a * (1 - a), (a,), "({0} ⊙ (1 - {0}))", "slope")
        yield Rewriting("diagonal", Entrywise("⊙", by_a, own), "a·(1 - a), without the other outputs")


def _slope_of_output(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind == "dZ":
        name = s.network.conventions.activations[role.layer - 1]
        for made in swapped(node, "slope", lambda n: slope_of(name, n.parts[1], activation(name, n.parts[1]))):
            yield Rewriting("", made, f"{name}′ of a instead of z")


def _other_layers_slope(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind != "dZ":
        return
    k = role.layer
    for other in range(1, s.last + 1):
        name = s.network.conventions.activations[other - 1]
        if other != k and name not in ("softmax", "linear"):
            slope = slope_of(name, Ref(Role("Z", other)), Ref(Role("A", other)))
            for made in swapped(node, "slope", lambda n, slope=slope: slope):  # type: ignore[misc]
                yield Rewriting(f"{other - k:+d}", made, f"the slope of layer {other} in layer {k}")


def _wrong_mask(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    """The slope of an activation that only asks for a sign, at the sign of something else."""
    if role.kind != "dZ" or s.network.conventions.activations[role.layer - 1] not in ("relu", "leaky_relu", "prelu"):
        return
    k, name = role.layer, s.network.conventions.activations[role.layer - 1]
    others = {
        f"dA{k}": s.step.equations.get(Role("dA", k), Ref(Role("dA", k))),
        "the sign turned round": Scaled(Ref(Role("Z", k)), -1, "-"),
        **{f"Z{j}": Ref(Role("Z", j)) for j in range(1, s.last + 1) if j != k},
        f"A{k - 1}": Ref(Role("A", k - 1)),
    }
    if Role("dA", k) in s.step.by_role:
        others[f"dA{k}"] = Ref(Role("dA", k))
    for manner, argument in others.items():
        where = manner.replace(str(k), "k") if manner.startswith("dA") else manner
        for made in swapped(node, "slope", lambda n, x=argument: slope_of(name, x, x)):  # type: ignore[misc]
            yield Rewriting(where, made, f"of {manner}" if not manner.startswith("the") else manner)


def _error_sign(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    for made in swapped(node, "error", lambda n: Scaled(n, -1, "-")):
        yield Rewriting("", made)


def _extra_slope(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    last, c = s.last, s.network.conventions
    if role != Role("dZ", last):
        return
    a = Ref(Role("A", last))
    if c.is_simple and c.output == "softmax" and Role("dA", last) not in s.step.by_role:
        yield Rewriting("Jacobian", softmax_back(a, node), "softmax")
    if c.is_simple or c.output == "linear":
        z = Ref(Role("Z", last))
        own = Call(lambda a, m: a * (1 - a), (a,), "{0} ⊙ (1 - {0})", "slope")
        yield Rewriting("a(1 - a)", Entrywise("⊙", node, own), f"{c.output if c.output != 'linear' else 'sigmoid'}")
        for name in dict.fromkeys(("tanh", "relu", "sigmoid", *c.activations[:-1])):
            if name not in ("linear", "softmax"):
                slope = slope_of(name, z, a if c.output == name else activation(name, z))
                yield Rewriting(f"{name} of z", Entrywise("⊙", node, slope), name)
                yield Rewriting(f"{name} of a", Entrywise("⊙", node, slope_of(name, z, a)), name)


def _averages(s: Situation, role: Role) -> bool:
    """Whether this equation is one in which means are taken."""
    return role.kind in ("loss", "dW", "db") or role in (Role("dZ", s.last), Role("dA", s.last))


def _divided(node: Node, s: Situation) -> Node:
    return Scaled(node, 1 / s.network.examples, after=" / n", tag="mean")


def _sum_for_mean(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if s.network.examples > 1:
        for made in swapped(node, "mean", lambda n: n.parts[0]):
            yield Rewriting(_manner(role, "examples"), made, "examples")
    for made in swapped(node, "outputs", lambda n: n.parts[0]):
        yield Rewriting(_manner(role, "outputs"), made, "outputs")


def _manner(role: Role, over: str) -> str:
    return f"loss over {over}" if role.kind == "loss" else over


def _mean_for_sum(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    c, outputs = s.network.conventions, s.network.outputs
    if not _averages(s, role):
        return
    if not c.by_examples and s.network.examples > 1:
        yield Rewriting(f"{_manner(role, 'examples')} {role.kind in ('dW', 'db')}", _divided(node, s), "examples")
    if not c.by_outputs and outputs > 1 and role.kind not in ("dW", "db"):
        yield Rewriting(_manner(role, "outputs"), Scaled(node, 1 / outputs, after=" / d", tag="outputs"), "outputs")


def _mean_twice(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if s.network.conventions.by_examples and s.network.examples > 1 and _averages(s, role):
        yield Rewriting(_manner(role, str(role.kind in ("dW", "db"))), _divided(node, s))


def _wrong_batch_size(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if not s.network.conventions.by_examples or not _averages(s, role):
        return
    n = s.network.examples
    for ratio in dict.fromkeys(float(f"{r:.4g}") for r in s.ratios.values()):
        size = n / ratio if ratio > 0 else 0
        whole = round(size)
        if 1 < whole < _MOST_EXAMPLES and whole != n and abs(size - whole) < 2e-3 * whole:
            scaled = Scaled(node, n / whole, after=f"·n/{whole}")
            yield Rewriting(f"{whole} {_manner(role, str(role.kind in ('dW', 'db')))}", scaled, str(whole))


def _transposed(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    def turned(left: bool, right: bool) -> Callable[[Node], Node | None]:
        def change(n: Node) -> Node | None:
            if not isinstance(n, Product):
                return None
            return Product(_turned(n.left) if left else n.left, _turned(n.right) if right else n.right)

        return change

    if any(isinstance(n, Product) for n in everything_in(node)):
        yield Rewriting("right", rewritten(node, turned(False, True)))
        yield Rewriting("left", rewritten(node, turned(True, False)))
        yield Rewriting("both", rewritten(node, turned(True, True)))
        yield Rewriting("result", rewritten(node, lambda n: Turned(n) if isinstance(n, Product) else None))
        exchanged = rewritten(node, lambda n: Product(n.right, n.left) if isinstance(n, Product) else None)
        yield Rewriting("exchanged", exchanged)


def _turned(node: Node) -> Node:
    return node.of if isinstance(node, Turned) else Turned(node)


def _updated_weight(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind == "dA" and role.layer < s.last:
        new = Ref(Role("W_new", role.layer + 1))
        made = rewritten(node, lambda n: new if isinstance(n, Ref) and n.role.kind == "W" else None)
        yield Rewriting("", made, f"W{role.layer + 1}")


def _bias_not_summed(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind == "db" and s.network.examples > 1:
        for made in swapped(node, "bias sum", lambda n: n.parts[0]):
            yield Rewriting("", made)


def _bias_wrong_axis(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind != "db":
        return
    bodies: dict[str, Callable[[Any, Any], Any]] = {
        "over the units": lambda d, m: d.total(1),
        "over everything": lambda d, m: _vector(d.total()),
        "mean over the units": lambda d, m: d.total(1) * (1 / d.value.shape[1]),
        "mean over everything": lambda d, m: _vector(d.total()) * (1 / d.value.size),
    }
    for manner, body in bodies.items():

        def other(n: Node, body: Callable[[Any, Any], Any] = body, manner: str = manner) -> Node:
            return Call(body, n.parts, f"Σ {{0}} {manner}", "bias sum", True)

        for made in swapped(node, "bias sum", other):
            yield Rewriting(manner, made, manner)


def _vector(x: Bounded) -> Bounded:
    return Bounded(np.reshape(x.value, (1,)), np.reshape(x.bound, (1,)), x.precision)


def _overwritten(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    """Of several examples, or places where a weight is used, the last one alone."""
    if role.kind not in ("dW", "db") or s.network.examples < 2:
        return
    for manner, row in (("last", slice(-1, None)), ("first", slice(0, 1))):

        def one(n: Node, row: slice = row, manner: str = manner) -> Node | None:
            if isinstance(n, Ref) and n.role.kind in ("A", "dZ"):
                return Call(lambda x, m: x[row], (n,), f"{{0}} of the {manner} example", "", True)
            return None

        made = rewritten(node, one)
        yield Rewriting(manner, made, f"the {manner} example")
        yield Rewriting(f"{manner}, undivided", Scaled(made, s.network.examples, after="·n"), f"the {manner} example")


def _accumulated(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    earlier = s.before.get(role)
    if role.kind in ("dW", "db") and earlier is not None and earlier.shape:
        added = Call(lambda g, m: g + earlier, (node,), f"{{0}} + {role.kind}{role.layer} of the step before", "", True)
        yield Rewriting("", added)


def _penalty_missing(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    for made in swapped(node, "penalised", lambda n: n.parts[0]):
        yield Rewriting(str(role.kind == "loss"), made, "the loss" if role.kind == "loss" else "the gradient")


def _penalty_doubled(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    for made in swapped(node, "penalty", lambda n: Scaled(n, 2, "2·", tag="penalty twice")):
        yield Rewriting(str(role.kind == "loss"), made)


def _half_penalty(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    for made in swapped(node, "penalty", lambda n: Scaled(n, 0.5, after=" / 2", tag="half")):
        yield Rewriting("half", made, "a penalty of half the strength, as l2/2·Σ w²")


def _penalty_on_bias(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind == "db" and s.network.conventions.penalties:
        for name, strength in s.network.conventions.penalties.items():
            node = Entrywise("+", node, s.network.penalty_slope(name, strength, Ref(Role("b", role.layer))))
        yield Rewriting("", node)


def _dropout_mask(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    for made in swapped(node, "mask", lambda n: n.parts[0]):
        bare = rewritten(made, lambda n: n.parts[0] if n.tag == "dropout scale" else None)
        yield Rewriting(f"{role.kind} bare", bare, "the gradient" if role.kind == "dZ" else "the outputs")
        if bare is not made:
            yield Rewriting(f"{role.kind}", made, "the gradient" if role.kind == "dZ" else "the outputs")


def _dropout_scale(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    for made in swapped(node, "dropout scale", lambda n: n.parts[0]):
        yield Rewriting("", made)


def _factor_two(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind in ("loss", "dA", "dZ", "dW", "db", "W_new", "b_new", "Z", "A"):
        yield Rewriting("2", Scaled(node, 2, "2·"), "a factor 2 too many")
        yield Rewriting("1/2", Scaled(node, 0.5, after=" / 2"), "a factor 1/2 too many")


def _sign(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind in ("loss", "dA", "dZ", "dW", "db", "Z"):
        yield Rewriting("", Scaled(node, -1, "-"))


MISTAKES = (
    Mistake(
        "error-sign",
        "The slope of the loss has the wrong sign: it is output minus target.",
        "T - P where P - T belongs, with W -= …",
        "a loss that is minimised although it is to be maximised, or the other way round",
        _error_sign,
    ),
    Mistake(
        "missing-slope",
        "The slope of the activation is left out: dE/dz is dE/da times {}′.",
        "dA used where dA * f′(Z) belongs",
        ".detach(), .data or a custom backward() without the derivative",
        _missing_slope,
    ),
    Mistake(
        "slope-of-output",
        "The slope is taken at the output instead of the weighted sum: {}.",
        "f′(A) where f′(Z) belongs; a formula that is written with a wants A, one with z wants Z",
        "a custom backward() that was handed the output instead of the input",
        _slope_of_output,
    ),
    Mistake(
        "extra-slope",
        "A slope too much: the loss has taken that of the output away already (here {}).",
        "(P - T) * P * (1 - P) where P - T is all",
        "nn.BCELoss and nn.CrossEntropyLoss contain it; a custom backward() has it again",
        _extra_slope,
    ),
    Mistake(
        "wrong-mask",
        "The activation passes gradients on where the sign of another array is positive: {}.",
        "dZ = dA * (Z > 0), with the Z of this very layer",
        "a custom backward() with another tensor saved for it",
        _wrong_mask,
    ),
    Mistake(
        "other-neuron-slope",
        "The slope belongs to other neurons: {}.",
        "the index of Z or A in the derivative, counted from 0 or from 1",
        "a custom backward() that saved the tensor of another layer",
        _other_layers_slope,
    ),
    Mistake(
        "slope-form",
        "The derivative of the activation has another form: this is {}.",
        "the formula of the derivative; for sigmoid a(1 - a), for tanh 1 - a²",
        "the formula in a custom backward()",
        _slope_form,
    ),
    Mistake(
        "sum-for-mean",
        "A sum over the {} is taken where the rest of the program takes the mean.",
        "the missing division by the number of examples",
        "reduction='sum' in one place and 'mean' in another",
        _sum_for_mean,
    ),
    Mistake(
        "mean-for-sum",
        "A mean over the {} is taken where the rest of the program takes the sum.",
        "a division too many, or np.mean where np.sum belongs",
        "reduction='mean' in one place and 'sum' in another",
        _mean_for_sum,
    ),
    Mistake(
        "mean-twice",
        "The mean is taken twice: this is divided by the number of examples once too often.",
        "/ n in the error of the output and again in dW, or np.mean after it",
        "loss / len(batch) although the loss is a mean already",
        _mean_twice,
    ),
    Mistake(
        "wrong-batch-size",
        "This is divided by {}, which is not the number of examples.",
        "len(X) of all examples for one batch, X.shape[1] for X.shape[0], or the size of a full batch for the last one",
        "loss.item() * batch_size with the nominal batch size",
        _wrong_batch_size,
    ),
    Mistake(
        "updated-weight",
        "The error is passed back through {} as it is after its update.",
        "all gradients first, then all updates",
        "optimizer.step() or .data between two parts of one backward pass",
        _updated_weight,
    ),
    Mistake(
        "transposed",
        "A factor of this product, or all of it, is transposed.",
        "the .T in the product; where shapes agree by chance nothing complains",
        "nn.Linear keeps its weight as (out, in): x @ weight.T",
        _transposed,
    ),
    Mistake(
        "bias-not-summed",
        "The gradient of the bias is not added up over the examples.",
        "db = dZ.sum(axis=0)",
        "a custom backward() without .sum(0) for the bias",
        _bias_not_summed,
    ),
    Mistake(
        "bias-wrong-axis",
        "The gradient of the bias is added up {} instead of over the examples.",
        "the axis of dZ.sum: the one along which the examples lie",
        "the dim of .sum() in a custom backward()",
        _bias_wrong_axis,
    ),
    Mistake(
        "overwritten",
        "Only {} counts: the others were overwritten where they should be added.",
        "dW = … in a loop where dW += … belongs",
        "param.grad = … where it should be added to",
        _overwritten,
    ),
    Mistake(
        "accumulated",
        "The gradient of the step before is still in it.",
        "dW += … without setting it to 0 before each step",
        "optimizer.zero_grad() is missing",
        _accumulated,
    ),
    Mistake(
        "penalty-missing",
        "The penalty is missing in {}.",
        "+ 2 * l2 * W in dW, and l2 * (W ** 2).sum() in the loss",
        "weight_decay changes the gradient and not the loss; a penalty by hand has to be in the loss",
        _penalty_missing,
    ),
    Mistake(
        "penalty-doubled",
        "The penalty counts twice.",
        "the penalty once in the gradient, not in the update again",
        "weight_decay of the optimizer beside a penalty in the loss",
        _penalty_doubled,
    ),
    Mistake(
        "penalty-on-bias",
        "The penalty is on the biases, too; it belongs on the weights alone.",
        "the penalty added to db",
        "weight_decay for all parameters; give the biases a group of their own with weight_decay=0",
        _penalty_on_bias,
    ),
    Mistake(
        "other-convention",
        "This is right in another convention: {}.",
        "the factor of the penalty",
        "weight_decay is the factor of w itself: twice that of the penalty of the same name here",
        _half_penalty,
    ),
    Mistake(
        "dropout-mask",
        "The mask of the dropout is missing in {}.",
        "dA * mask / keep, with the mask of the forward pass",
        "F.dropout called without training=self.training, or two masks drawn",
        _dropout_mask,
    ),
    Mistake(
        "dropout-scale",
        "What the dropout keeps is not divided by the share that is kept.",
        "/ keep in the forward pass and in the gradient",
        "a dropout by hand without / (1 - p)",
        _dropout_scale,
    ),
)
LAST_RESORTS = (
    Mistake(
        "factor-two",
        "There is {}.",
        "a 2 or a 1/2 of the loss or its derivative",
        "the scale of the loss",
        _factor_two,
    ),
    Mistake("sign-slip", "The sign is wrong.", "a minus too many or too few", "the sign of the loss", _sign),
)
