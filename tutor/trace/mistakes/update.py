"""Mistakes in the update of the parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tutor.maths.optimizer import Variant
from tutor.maths.optimizers import OPTIMIZERS
from tutor.trace.algebra import Call, Node, Ref, Role, rewritten
from tutor.trace.mistakes.mistake import Mistake, Rewriting, Situation, recorded_value
from tutor.trace.precision import Bounded


def _parameter(role: Role) -> Role | None:
    """Whose new value this is."""
    return Role(role.kind.removesuffix("_new"), role.layer) if role.kind in ("W_new", "b_new") else None


def _update(
    s: Situation, role: Role, variant: Variant | None = None, rate: float | None = None, update: int | None = None
) -> Node | None:
    """The equation of a state or of a parameter with another rate, another optimizer or another count."""
    c = s.network.conventions
    if c.rate is None or c.variant.shared:
        return None
    name, _, plain = role.kind.rpartition(".")
    parameter = Role(plain.removesuffix("_new"), role.layer)
    variant = variant or c.variant
    lines = {e.name for e in variant.equations if e.start is not None}
    if name and name not in lines:
        return None
    known = [n for n in lines if Role(f"{n}.{parameter.kind}_new", role.layer) in s.step.equations and n != name]
    ordered = [e.name for e in variant.equations if e.name in known]
    if name:
        names = [e.name for e in variant.equations]
        ordered = [n for n in ordered if names.index(n) < names.index(name)]
    return s.network.step(name or "w", parameter, variant, c.rate if rate is None else rate, ordered, update=update)


def _reworded(node: Node | None, change: Callable[[str], str]) -> Node | None:
    return replace(node, written=change(node.written)) if isinstance(node, Call) else node


def _not_updated(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if (parameter := _parameter(role)) is not None:
        yield Rewriting("", Ref(parameter))


def _ascent(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    rate = s.network.conventions.rate
    if _parameter(role) is not None and rate is not None:
        made = _reworded(_update(s, role, rate=-rate), _other_sign)
        if made is not None:
            yield Rewriting("", made)


def _other_sign(text: str) -> str:
    signs = (" - eta", " + eta") if " - eta" in text else (" + eta", " - eta")
    return text.replace(*signs, 1)


def _missing_rate(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if _parameter(role) is not None and s.network.conventions.rate != 1:
        made = _reworded(_update(s, role, rate=1.0), lambda text: text.replace("eta·", "", 1))
        if made is not None:
            yield Rewriting("", made)


def _rate_twice(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    rate = s.network.conventions.rate
    if _parameter(role) is not None and rate is not None:
        made = _reworded(_update(s, role, rate=rate * rate), lambda text: text.replace("eta·", "eta·eta·", 1))
        if made is not None:
            yield Rewriting("", made)


def _other_conventions(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    c = s.network.conventions
    for flag, entry in OPTIMIZERS[c.optimizer].flags.items():
        value = not c.settings.get(flag, entry.default)
        variant = OPTIMIZERS[c.optimizer].variant({**c.settings, flag: value})
        made = _in_update(s, role, variant)
        if made is not None:
            yield Rewriting(flag, made, (entry.on if value else entry.off) or f"without {flag}")


def _in_update(s: Situation, role: Role, variant: Variant) -> Node | None:
    if variant.shared or (_parameter(role) is None and "." not in role.kind):
        return None
    return _update(s, role, variant)


def _wrong_optimizer(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    for name, entry in OPTIMIZERS.items():
        if name != s.network.conventions.optimizer:
            made = _in_update(s, role, entry.variant())
            if made is not None:
                yield Rewriting(name, made, name)


def _missing_bias_correction(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    variant = s.network.conventions.variant
    corrections = [e for e in variant.equations if e.correction]
    if _parameter(role) is None or not corrections:
        return

    def without(names: set[str]) -> Variant:
        lines = tuple(replace(e, body=_uncorrected(e.name)) if e.name in names else e for e in variant.equations)
        return replace(variant, equations=lines)

    sets = [{e.name for e in corrections}, *({e.name} for e in corrections)]
    for names in sets if len(corrections) > 1 else sets[:1]:
        made = _update(s, role, without(names))
        if made is not None:
            yield Rewriting(" ".join(sorted(names)), made, " and ".join(sorted(names)))
    if s.network.conventions.update > 1:
        made = _update(s, role, update=1)
        if made is not None:
            yield Rewriting("t", made, "t, which stays 1")


def _uncorrected(name: str) -> Callable[[Any, Any], Any]:
    moment = {"g_hat": "g"}.get(name, name.removesuffix("_hat") + "_new")
    return lambda s, m: getattr(s, moment)


def _swapped_betas(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    variant = s.network.conventions.variant
    known: Mapping[str, Any] = variant.settings
    if {"beta1", "beta2"} <= set(known):
        swapped = replace(variant, settings={**known, "beta1": known["beta2"], "beta2": known["beta1"]})
        made = _in_update(s, role, swapped)
        if made is not None:
            yield Rewriting("", made)


def _stale_moment(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    """A state as it was where the new one belongs; and one that begins anew in every update."""
    if _parameter(role) is not None:

        def stale(n: Node) -> Node | None:
            if isinstance(n, Ref) and "." in n.role.kind and n.role.kind.endswith("_new"):
                old = Role(n.role.kind.removesuffix("_new"), n.role.layer)
                return Ref(old) if recorded_value(s, old) is not None else None
            return None

        made = rewritten(node, stale)
        if made is not node:
            yield Rewriting("stale", made, "used as it was before this update")
    elif "." in role.kind:
        old = Role(role.kind.removesuffix("_new"), role.layer)
        if recorded_value(s, old) is not None:
            nothing = Call(lambda x, m: x * 0, (Ref(old),), "0", "", True)
            yield Rewriting("anew", rewritten(node, lambda n: nothing if n == Ref(old) else None), "begun anew")


def _integer_update(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if _parameter(role) is None or role not in s.step.by_role:
        return
    recorded = s.step.value(role).value
    if not np.all(np.isfinite(recorded)) or np.any(recorded != np.floor(recorded)):
        return
    ways: dict[str, Callable[[Any], Any]] = {"trunc": np.trunc, "round": np.round, "floor": np.floor}
    for way, function in ways.items():

        def whole(x: Any, m: Any, function: Callable[[Any], Any] = function) -> Bounded:
            return Bounded(function(x.value), 0.0, x.precision)

        yield Rewriting(way, Call(whole, (node,), f"{way}({{0}})", "", True))


def _not_finite(s: Situation, role: Role, node: Node) -> Iterator[Rewriting]:
    if role not in s.step.by_role or not s.step.is_known(role):
        return
    recorded, own = s.step.value(role).value, s.step.own(role).value
    if recorded.shape != np.shape(own) or np.all(np.isfinite(recorded)) or not np.all(np.isfinite(own)):
        return
    spoilt = ~np.isfinite(recorded)

    def overflowing(x: Any, m: Any) -> Bounded:
        return Bounded(np.where(spoilt, recorded, x.value), x.bound, x.precision)

    first = "NaN" if np.any(np.isnan(recorded)) else "infinity"
    yield Rewriting(
        "", Call(overflowing, (node,), "{0}, beyond what the type holds", "", True), f"{first}{_why(s, role)}"
    )


def _why(s: Situation, role: Role) -> str:
    """What made it so, as far as the numbers tell."""
    p = s.step.precision
    largest = {"half": 11.0, "single": 88.7, "tf32": 88.7, "bfloat16": 88.7}.get(p.name, 709.7)
    z = recorded_value(s, Role("Z", role.layer)) if role.kind == "A" else None
    if z is not None and np.nanmax(np.abs(z)) > largest:
        return f": exp of {np.nanmax(np.abs(z)):.4g} is beyond {p.name} precision"
    a = recorded_value(s, Role("A", s.last)) if role.kind in ("loss", "dA", "dZ") else None
    if a is not None and np.any((a == 0) | (a == 1)):
        return ": an output is exactly 0 or 1, and the logarithm of 0 or a division by 0 follows"
    return ""


MISTAKES = (
    Mistake(
        "not-finite",
        "Here is the first {}.",
        "subtract the largest weighted sum before np.exp; add a small number inside np.log",
        "torch.log_softmax and nn.BCEWithLogitsLoss instead of log of softmax or sigmoid",
        _not_finite,
    ),
    Mistake(
        "integer-update",
        "The update was cut to whole numbers: the array is one of integers.",
        "np.array([1, 2]) is an integer array; write np.array([1.0, 2.0]) or .astype(float)",
        "torch.tensor([1, 2]) is an integer tensor",
        _integer_update,
    ),
    Mistake(
        "layer-not-updated",
        "This layer is as it was, while others are updated.",
        "the loop over the layers, its first and its last index",
        ".detach() behind it, requires_grad=False, a list of layers in place of nn.ModuleList, or an optimizer that "
        "was not given its parameters",
        _not_updated,
        only="layer",
    ),
    Mistake(
        "not-updated",
        "The parameters are as they were.",
        "W -= … that changes a copy, or an update that is never reached",
        "optimizer.step() is missing, .detach() on the way to them, or an optimizer that was not given them",
        _not_updated,
    ),
    Mistake(
        "ascent",
        "The step goes up the gradient: the sign of the update is wrong.",
        "W += eta * dW where W -= eta * dW belongs",
        "maximize=True, or the negative of the loss",
        _ascent,
    ),
    Mistake(
        "missing-rate",
        "The learning rate is missing in the update.",
        "W -= dW where W -= eta * dW belongs",
        "an update by hand without lr",
        _missing_rate,
    ),
    Mistake(
        "rate-twice",
        "The learning rate is applied twice.",
        "eta in the gradient and again in the update",
        "a loss that is multiplied by the learning rate",
        _rate_twice,
    ),
    Mistake(
        "other-convention",
        "These steps are right in another convention: {}.",
        "the form of the optimizer's equations",
        "PyTorch's SGD has the classical momentum",
        _other_conventions,
    ),
    Mistake(
        "missing-bias-correction",
        "The bias correction is missing or stands still: {}.",
        "m / (1 - beta1 ** t), with t counted on in every update",
        "an optimizer by hand whose step is not counted",
        _missing_bias_correction,
    ),
    Mistake(
        "stale-moment",
        "A state of the optimizer is not the one of this update: it is {}.",
        "v updated before it is used, and kept from one call to the next",
        "an optimizer that is made anew in every step",
        _stale_moment,
    ),
    Mistake(
        "swapped-betas",
        "The two decay rates are exchanged.",
        "beta1 belongs to m, beta2 to v",
        "the order in betas=(0.9, 0.999)",
        _swapped_betas,
    ),
    Mistake(
        "wrong-optimizer",
        "This is the step of another optimizer: {}.",
        "the update rule",
        "the class of torch.optim",
        _wrong_optimizer,
    ),
)
