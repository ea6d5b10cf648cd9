"""Mistakes in the forward pass and in the loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.trace.algebra import Call, Entrywise, Node, Ref, Role, Scaled, rewritten
from tutor.trace.equations import activation, loss_slope, loss_terms, loss_total, slope_of, softmax, softmax_back
from tutor.trace.mistakes.mistake import Mistake, Rewriting, Situation, swapped
from tutor.trace.precision import Bounded
from tutor.trace.replay import Unknown

_MOST_COMPARED = 10_000_000


def _missing_bias(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind == "Z" and isinstance(node, Entrywise) and node.right.tag == "bias":
        yield Rewriting("", node.left, f"b{role.layer}")


def _no_activation(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind == "A":
        for made in swapped(node, "activation", lambda n: n.parts[0]):
            yield Rewriting("", made, s.network.conventions.activations[role.layer - 1])
    outputs = Role("A", role.layer)
    if role.kind == "dZ" and outputs in s.step.by_role and not s.step.fits(outputs):  # else it is the slope's alone
        for made in swapped(node, "with slope", lambda n: n.parts[0]):
            yield Rewriting("", made, s.network.conventions.activations[role.layer - 1])


def _wrong_activation(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    own = s.network.conventions.activations[role.layer - 1] if role.layer else ""
    for name, entry in ACTIVATIONS.items():
        if name in (own, "linear") or not entry.slope:
            continue
        if role.kind == "A":
            for made in swapped(node, "activation", lambda n, name=name: activation(name, n.parts[0])):  # type: ignore[misc]
                yield Rewriting(name, made, name)
        if role.kind == "dZ":
            for made in swapped(node, "slope", lambda n, name=name: slope_of(name, *n.parts)):  # type: ignore[misc]
                yield Rewriting(name, made, f"the slope of {name}")
            for made in swapped(node, "slope", lambda n, name=name: _slope_at(name, n.parts[0])):  # type: ignore[misc]
                yield Rewriting(f"{name} of z", made, f"the slope of {name}")
    if role.layer == s.last and own in ("softmax", "sigmoid"):
        yield from _squeezed_before(s, role, node, own)


def _slope_at(name: str, z: Node) -> Node:
    return slope_of(name, z, activation(name, z))


def _squeezed_before(s: Situation, role: Role, node: Node, own: str) -> Iterator[Rewriting]:
    """An activation between the last weighted sums and the softmax, or the sigmoid."""
    z = Ref(Role("Z", s.last))
    for name in dict.fromkeys(("relu", "sigmoid", "tanh", *s.network.conventions.activations[:-1])):
        if name not in ("linear", "softmax", own):
            before = activation(name, z)
            if role.kind == "A":
                yield Rewriting(f"before {name}", activation(own, before), f"{own} of {name}")
            elif role.kind == "dZ":
                slope = slope_of(name, z, before)
                yield Rewriting(f"before {name}", Entrywise("⊙", node, slope), f"{own} of {name}")


def _exp_sign(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind == "A":
        for made in swapped(node, "activation", lambda n: n.with_parts((Scaled(n.parts[0], -1, "-"),))):
            yield Rewriting("", made)


def _softmax_axis(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    def over_examples(n: Node) -> Node:
        return Call(lambda z, m: softmax(z, m, 0), n.parts[:1], "softmax over the examples({0})", "activation", True)

    if role.kind == "A" and s.network.conventions.activations[role.layer - 1] == "softmax":
        for made in swapped(node, "activation", over_examples):
            yield Rewriting("", made)
    if role != Role("dZ", s.last) or s.network.conventions.output != "softmax":
        return
    if isinstance(node, Call) and node.tag == "with slope":
        yield Rewriting("", softmax_back(node.arguments[0], node.arguments[1], axis=0))
    elif s.network.conventions.is_simple:
        slope = s.network.error(loss_slope(s.network.conventions.loss, s.network.conventions))
        yield Rewriting("", softmax_back(Ref(Role("A", s.last)), slope, axis=0))


def _softmax_twice(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    """The same with a sigmoid before the loss that has one in it."""
    c, last = s.network.conventions, s.last
    if c.output not in ("softmax", "sigmoid"):
        return
    p, t = Ref(Role("A", last)), Ref(Role("T"))
    if role == p.role:
        yield Rewriting("output", activation(c.output, node), c.output)
    if not c.is_simple:
        return
    twice = activation(c.output, p)
    error = s.network.error(Entrywise("-", twice, t))
    if role.kind == "loss":
        yield Rewriting("loss", rewritten(node, lambda n: twice if n == p else None), c.output)
    if role == Role("dA", last):
        yield Rewriting("loss", error, c.output)
    if role == Role("dZ", last) and role_free(s, Role("dA", last)):
        back = softmax_back(p, error) if c.output == "softmax" else Entrywise("⊙", error, s.network.slope(last))
        yield Rewriting("loss", back, c.output)
        yield Rewriting("loss, straight", error, c.output)


def _missing_log(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    """-Σ y·P where -Σ y·ln(P) belongs, or the same of the weighted sums: nn.NLLLoss on what are no logarithms."""
    c, last = s.network.conventions, s.last
    if c.loss != "cross_entropy":
        return
    p, z, t = Ref(Role("A", last)), Ref(Role("Z", last)), Ref(Role("T"))
    error = s.network.error(Scaled(t, -1, "-"))
    for manner, outputs in (("the outputs of the softmax", p), ("the weighted sums", z)):
        if role.kind == "loss":
            bare = Call(lambda a, t, m: -(a * t).total(), (outputs, t), "-Σ {1} ⊙ {0}", "loss", True)
            for made in swapped(node, "loss", lambda n, bare=bare: bare):  # type: ignore[misc]
                yield Rewriting(manner, made, manner)
        if role == Role("dZ", last) and role_free(s, Role("dA", last)):
            yield Rewriting(manner, softmax_back(p, error) if outputs is p else error, manner)


def _in_error(s: Situation) -> bool:
    return s.network.conventions.by_examples and s.network.conventions.place == "error"


def role_free(s: Situation, role: Role) -> bool:
    return role not in s.step.by_role


def _with_targets(role: Role, node: Node, changed: Node) -> Iterator[Node]:
    """The loss, and the errors that stand on the targets, with other targets."""
    made = rewritten(node, lambda n: changed if isinstance(n, Ref) and n.role == Role("T") else None)
    if made is not node:
        yield made


def _labels_shifted(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if s.network.outputs > 1:
        for by, manner in ((1, "one class up"), (-1, "one class down")):
            transposed = Call(lambda t, m, by=by: _rolled(t, by, 1), (Ref(Role("T")),), "{0} " + manner, "", True)
            for made in _with_targets(role, node, transposed):
                yield Rewriting(manner, made, manner)


def _rolled(t: Bounded, by: int, axis: int) -> Bounded:
    return Bounded(np.roll(t.value, by, axis), t.bound, t.precision)


def _shuffled_apart(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if s.network.examples < 2:
        return
    n = s.network.examples
    orders: dict[str, Any] = {"in reverse": np.arange(n)[::-1], "moved by one": np.roll(np.arange(n), 1)}
    orders["moved by one back"] = np.roll(np.arange(n), -1)
    if (found := _order_of(s)) is not None:
        orders["in another order"] = found
    for manner, order in orders.items():
        mixed = Call(lambda t, m, order=order: t[order], (Ref(Role("T")),), "{0} " + manner, "", True)
        for made in _with_targets(role, node, mixed):
            yield Rewriting(manner, made, manner)


def _order_of(s: Situation) -> Any:
    """The order of the targets with which the recorded error of the output is right, if there is one."""
    last, c = s.last, s.network.conventions
    role = Role("dZ", last)
    if role not in s.step.by_role or not c.is_simple or Role("T") not in s.step.by_role:
        return None
    targets = s.step.value(Role("T")).value
    factor = (s.network.examples if _in_error(s) else 1) * (s.network.outputs if c.by_outputs else 1)
    different, places = np.unique(targets, axis=0, return_index=True)
    if len(different) * targets.size > _MOST_COMPARED:
        return None
    try:
        factor *= -1 if c.descending else 1
        meant = s.step.value(Role("A", last)).value - factor * s.step.value(role).value
        off = [np.abs(row - different).max(axis=1) for row in meant]
        order = places[np.argmin(off, axis=1)]
    except (Unknown, ValueError):  # an output that is not known, or shapes that do not go together
        return None
    close = np.abs(meant - targets[order]).max() < 0.01
    if close and np.array_equal(np.sort(targets[order], axis=0), np.sort(targets, axis=0)):
        return order
    return None


def _broadcast(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    yield from _class_numbers(s, role, node)
    c, last, n = s.network.conventions, s.last, s.network.examples
    if s.network.outputs != 1 or n < 2:
        return
    p, t = Ref(Role("A", last)), Ref(Role("T"))
    if role.kind == "loss":
        pairs = Call(
            lambda y, t, m: loss_terms(c.loss, c, y, t.T).total(),
            (p, t),
            "Σ over n×n pairs of {0} and {1}",
            "loss",
            True,
        )
        yield Rewriting("pairs", s.network.averaged(s.network.averaged(pairs, c.by_examples), c.by_examples))
    slope = loss_slope(c.loss, c)
    if isinstance(slope, Call):
        every = Call(
            lambda y, t, m: slope.function(y, t.T, m).total(1, keepdims=True),
            (p, t),
            "Σ over all {1} of the slope",
            "",
            True,
        )
        mean = s.network.averaged(s.network.averaged(every, _in_error(s)), c.by_examples)
        if role == Role("dA", last):
            yield Rewriting("pairs", mean)
        if role == Role("dZ", last):
            yield Rewriting("pairs", rewritten(node, lambda k: every_mean(k, every, s)))
    if role in (Role("dZ", last), Role("dA", last)):
        square = Call(lambda y, t, m: y - t.T, (p, t), "{0} - {1} as n×n", "error", True)
        for made in swapped(node, "error", lambda n: square):
            yield Rewriting("n×n", made)


def every_mean(node: Node, every: Node, s: Situation) -> Node | None:
    if node.tag != "error":
        return None
    c = s.network.conventions
    return Scaled(every, 1 / s.network.examples, after=" / n") if c.by_examples else every


def _class_numbers(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    """Class numbers where one-hot rows belong: P - y goes through where shapes allow it."""
    if s.network.outputs > 1 and role in (Role("dZ", s.last), Role("dA", s.last)):
        number = Call(lambda t, m: _numbers(t), (Ref(Role("T")),), "class number of {0}", "", True)
        for made in _with_targets(role, node, number):
            yield Rewriting("class numbers", made)


def _numbers(t: Bounded) -> Bounded:
    return Bounded(t.value.argmax(axis=1)[:, None].astype(float), 0.0, t.precision)


def _wrong_loss(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    c, last = s.network.conventions, s.last
    for name, entry in LOSSES.items():
        if name == c.loss or entry.mean or (entry.output and c.output not in ("sigmoid", "softmax")):
            continue
        if role.kind == "loss":
            p, t = Ref(Role("A", last)), Ref(Role("T"))
            other = Call(loss_total(name, c), (p, t), f"Σ {name}({{0}}, {{1}})", "loss")
            for made in swapped(node, "loss", lambda n, other=other: other):  # type: ignore[misc]
                yield Rewriting(name, made, name)
        if role == Role("dA", last) or (role == Role("dZ", last) and not c.is_simple):
            for made in swapped(node, "error", lambda n, name=name: loss_slope(name, c)):  # type: ignore[misc]
                yield Rewriting(name, made, name)
        if role == Role("dZ", last) and c.is_simple and role_free(s, Role("dA", last)):
            error = s.network.error(loss_slope(name, c))
            a = Ref(Role("A", last))
            made = softmax_back(a, error) if c.output == "softmax" else Entrywise("⊙", error, s.network.slope(last))
            yield Rewriting(name, made, name)


def _log_base(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind == "loss" and LOSSES[s.network.conventions.loss].output:
        for base in (2, 10):
            for made in swapped(node, "loss", lambda n, base=base: Scaled(n, 1 / np.log(base), after=f" / ln {base}")):  # type: ignore[misc]
                yield Rewriting(str(base), made, f"log{base}")


def _aliased(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    """Under one name what was another array: changed in place after it was used, or before."""
    names = s.network.conventions.activations
    k = role.layer
    if role.kind in ("Z", "A") and k and names[k - 1] not in ("linear", "softmax"):
        over = activation(names[k - 1], node) if role.kind == "Z" else Ref(Role("Z", k))
        yield Rewriting(f"Z{k}", over, f"Z{k} holds A{k}")
    if role.kind in ("dA", "dZ") and k < s.last and Role("dA", k) in s.step.by_role and names[k - 1] != "linear":
        over = Entrywise("⊙", node, s.network.slope(k)) if role.kind == "dA" else Ref(Role("dA", k))
        yield Rewriting(f"dA{k}", over, f"dA{k} holds dZ{k}")
    rate = s.network.conventions.rate
    if rate is None or s.network.conventions.optimizer != "sgd":
        return

    def as_it_was(n: Node) -> Node | None:
        if isinstance(n, Ref) and n.role.kind in ("W", "b"):
            return Entrywise("+", n, Scaled(Ref(Role(f"d{n.role.kind}", n.role.layer)), rate, "eta·"), n.tag)
        return None

    if role.kind in ("W_new", "b_new"):
        yield Rewriting("parameters", Ref(Role(role.kind[0], k)), "the old parameters hold the new ones")
    elif (made := rewritten(node, as_it_was)) is not node:
        yield Rewriting("parameters", made, "the old parameters hold the new ones")


MISTAKES = (
    Mistake(
        "missing-bias",
        "The bias {} is not added to the weighted sums.",
        "X @ W + b, where only X @ W stands",
        "a layer made with bias=False whose bias is kept and updated elsewhere",
        _missing_bias,
    ),
    Mistake(
        "no-activation",
        "The activation {} is left out: the weighted sums are passed on as they are.",
        "Z handed on where A = f(Z) belongs",
        "no activation module between two nn.Linear, or none called in forward()",
        _no_activation,
    ),
    Mistake(
        "wrong-activation",
        "This is not the activation that was said: the numbers are those of {}.",
        "another function, or the derivative of another one, in one of the layers",
        "the module between the layers, or the function that forward() calls",
        _wrong_activation,
    ),
    Mistake(
        "softmax-twice",
        "The {} is taken twice: what goes into the loss has been through it already.",
        "softmax(P) where P = softmax(Z)",
        "nn.CrossEntropyLoss and nn.BCEWithLogitsLoss take logits; leave the nn.Softmax or nn.Sigmoid before them out",
        _softmax_twice,
    ),
    Mistake(
        "missing-log",
        "The logarithm is missing: the loss takes {} as they are.",
        "-np.sum(T * P) where -np.sum(T * np.log(P)) belongs",
        "nn.NLLLoss takes logarithms: put nn.LogSoftmax before it, or use nn.CrossEntropyLoss on the logits",
        _missing_log,
    ),
    Mistake(
        "softmax-axis",
        "The softmax runs over the examples instead of the classes.",
        "the axis of .max() and .sum() in the softmax, and keepdims=True",
        "softmax(dim=0) where the classes are dim=1",
        _softmax_axis,
    ),
    Mistake(
        "exp-sign",
        "The activation is taken of -z.",
        "np.exp(z) where np.exp(-z) belongs",
        "torch.exp(z) where torch.exp(-z) belongs",
        _exp_sign,
    ),
    Mistake(
        "labels-shifted",
        "The targets are off by one class: {}.",
        "labels that count from 1 used as indices from 0, or the other way round",
        "targets of nn.CrossEntropyLoss count from 0",
        _labels_shifted,
    ),
    Mistake(
        "shuffled-apart",
        "The targets belong to other examples: y stands {} beside X.",
        "two permutations, or only one of X[order] and y[order]",
        "a DataLoader that shuffles the inputs and not the targets",
        _shuffled_apart,
    ),
    Mistake(
        "broadcast",
        "Shapes that were not meant for each other were stretched to fit, as (n, 1) against (n,) becomes (n, n).",
        "P - y where P is (n, 1) and y is (n,), or class numbers where one-hot rows belong; compare the shapes",
        "nn.MSELoss of (n, 1) and (n,), which only warns; use y.unsqueeze(1)",
        _broadcast,
    ),
    Mistake(
        "wrong-loss",
        "The loss and the gradient do not belong together: this is that of {}.",
        "the derivative of another loss, or a factor 1/2 in one of the two alone",
        "the loss that is printed and the one on which .backward() is called",
        _wrong_loss,
    ),
    Mistake(
        "log-base",
        "The logarithm has another base: {}.",
        "np.log2 or np.log10 where np.log belongs",
        "torch.log2 or torch.log10 where torch.log belongs",
        _log_base,
    ),
    Mistake(
        "aliased",
        "Two names are one array, which was changed under the other: {}.",
        "A = Z without a copy, +=, *=, out=, and np.maximum(Z, 0, out=Z)",
        "inplace=True, relu_(), .data, and tensors that share memory with .numpy(); record a .clone()",
        _aliased,
        together=True,
    ),
)
