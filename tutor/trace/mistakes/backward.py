"""Mistakes in what is passed back through a layer, and in the gradients."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from tutor.trace.algebra import Call, Entrywise, Node, Product, Ref, Role, Scaled, Transposed, everything_in, rewritten
from tutor.trace.mistakes.mistake import Mistake, Rewriting, Situation, swapped
from tutor.trace.precision import Bounded

_MOST_EXAMPLES = 1_000_000
_TWOFOLD = (0.5, 2.0)
"""Twice or half the number of examples: far more often it is the factor of a loss."""


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


def _wrong_batch_size(
    s: Situation, role: Role, node: Node, ratios: Callable[[float], bool] = lambda r: r not in _TWOFOLD
) -> Iterator[Rewriting]:
    if not s.network.conventions.by_examples or not _averages(s, role):
        return
    n = s.network.examples
    for ratio in filter(ratios, dict.fromkeys(float(f"{r:.4g}") for r in s.ratios.values())):
        size = n / ratio if ratio > 0 else 0
        whole = round(size)
        if 1 < whole < _MOST_EXAMPLES and whole != n and abs(size - whole) < 2e-3 * whole:
            scaled = Scaled(node, n / whole, after=f"·n/{whole}")
            yield Rewriting(f"{whole} {_manner(role, str(role.kind in ('dW', 'db')))}", scaled, str(whole))


def _transposed(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    def transposed(left: bool, right: bool) -> Callable[[Node], Node | None]:
        def change(n: Node) -> Node | None:
            if not isinstance(n, Product):
                return None
            return Product(_transpose(n.left) if left else n.left, _transpose(n.right) if right else n.right)

        return change

    if any(isinstance(n, Product) for n in everything_in(node)):
        yield Rewriting("right", rewritten(node, transposed(False, True)))
        yield Rewriting("left", rewritten(node, transposed(True, False)))
        yield Rewriting("both", rewritten(node, transposed(True, True)))
        yield Rewriting("result", rewritten(node, lambda n: Transposed(n) if isinstance(n, Product) else None))
        exchanged = rewritten(node, lambda n: Product(n.right, n.left) if isinstance(n, Product) else None)
        yield Rewriting("exchanged", exchanged)


def _transpose(node: Node) -> Node:
    return node.of if isinstance(node, Transposed) else Transposed(node)


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


WRONG_BATCH_SIZE = Mistake(
    "wrong-batch-size",
    "This is divided by {}, which is not the number of examples.",
    "len(X) of all examples for one batch, X.shape[1] for X.shape[0], or the size of a full batch for the last one",
    "loss.item() * batch_size with the nominal batch size",
    _wrong_batch_size,
)
MISTAKES = (
    Mistake(
        "sum-for-mean",
        "A sum over the {} is taken where the rest of the program takes the mean.",
        "the missing division by the number of examples",
        "reduction='sum' in one place and 'mean' in another",
        _sum_for_mean,
    ),
    Mistake(
        "mean-twice",
        "The mean is taken twice: this is divided by the number of examples once too often.",
        "/ n in the error of the output and again in dW, or np.mean after it",
        "loss / len(batch) although the loss is a mean already",
        _mean_twice,
    ),
    Mistake(
        "mean-for-sum",
        "A mean over the {} is taken where the rest of the program takes the sum.",
        "a division too many, or np.mean where np.sum belongs",
        "reduction='mean' in one place and 'sum' in another",
        _mean_for_sum,
    ),
    WRONG_BATCH_SIZE,
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
    replace(WRONG_BATCH_SIZE, rewritings=partial(_wrong_batch_size, ratios=lambda r: r in _TWOFOLD)),
    Mistake("sign-slip", "The sign is wrong.", "a minus too many or too few", "the sign of the loss", _sign),
)
