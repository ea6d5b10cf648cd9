"""Mistakes on the way from the slope of the loss to that of the weighted sums."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from tutor.trace.algebra import Call, Entrywise, Node, Ref, Role, Scaled, rewritten
from tutor.trace.equations import activation, slope_of, softmax_back
from tutor.trace.mistakes.mistake import Mistake, Rewriting, Situation, swapped, swapped_ref


def _missing_slope(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind == "dA" and role.layer < s.last:  # in what is handed back alone
        behind = Role("dZ", role.layer + 1)
        error = rewritten(s.step.equations.get(behind, Ref(behind)), _without_slope)
        for made in swapped_ref(node, behind, error):
            yield Rewriting("handed back", made, s.network.conventions.activations[role.layer])
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
            name = s.network.conventions.activations[role.layer - 1]
            yield Rewriting(form, made, f"{form}, which is not that of {name}")
    for made in swapped(node, "slope", lambda n: Entrywise("⊙", n, n)):
        yield Rewriting("twice", made, "the slope, twice")
    if isinstance(node, Call) and node.tag == "with slope":
        a, by_a = node.parts
        own = Call(lambda a, m: a * (1 - a), (a,), "({0} ⊙ (1 - {0}))")
        yield Rewriting("diagonal", Entrywise("⊙", by_a, own), "a·(1 - a), without the other outputs")


def _slope_of_output(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role.kind == "dZ":
        name = s.network.conventions.activations[role.layer - 1]
        if name == "softmax":
            return
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
        own = Call(lambda a, m: a * (1 - a), (a,), "{0} ⊙ (1 - {0})")
        yield Rewriting("a(1 - a)", Entrywise("⊙", node, own), f"{c.output if c.output != 'linear' else 'sigmoid'}")
        for name in dict.fromkeys(("tanh", "relu", "sigmoid", *c.activations[:-1])):
            if name not in ("linear", "softmax"):
                slope = slope_of(name, z, a if c.output == name else activation(name, z))
                yield Rewriting(f"{name} of z", Entrywise("⊙", node, slope), name)
                yield Rewriting(f"{name} of a", Entrywise("⊙", node, slope_of(name, z, a)), name)


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
)
