"""What the name of an array says: its role and its layer. A name that says neither is told, never guessed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

from tutor.maths.optimizers import OPTIMIZERS
from tutor.trace.algebra import Role

LAST = -1
"""The layer of what is named after the output; which one that is, the other names say."""

_BASES = {
    "W": ("w", "weight", "weights", "theta", "kernel"),
    "b": ("b", "bias", "biases"),
    "Z": ("z", "s", "pre", "preact", "net", "zs"),
    "A": ("a", "h", "act", "hidden", "activation"),
}
_OF_UNITS = ("Z", "A", "dZ", "dA", "mask")
_OUTPUTS = (
    "p", "yhat", "y_hat", "probs", "prob", "out", "output", "outputs", "y_pred", "ypred", "pred", "preds", "prediction",
    "predictions", "o", "al",
)  # fmt: skip
_OTHERS = {
    **dict.fromkeys(("x", "input", "inputs", "data", "a0", "h0"), Role("A", 0)),
    **dict.fromkeys(("y", "t", "target", "targets", "label", "labels", "desired", "y_true", "ytrue"), Role("T")),
    **dict.fromkeys(("loss", "e", "l", "j", "cost", "error"), Role("loss")),
    **dict.fromkeys(("logits", "logit", "scores", "zl"), Role("Z", LAST)),
    **dict.fromkeys(_OUTPUTS, Role("A", LAST)),
}
_LAYERED = re.compile(
    "(?P<base>{})_?(?P<layer>[0-9]{{1,3}})?".format(
        "|".join(sorted((w for words in _BASES.values() for w in words), key=len, reverse=True))
    )
)
_NEW = re.compile(
    r"(?:new|next|updated)[_.]?(?P<a>.+)|(?P<b>.+?)[_.](?:new|next|updated|after)"
    r"|(?P<c>[a-z]+)_(?:new|next|updated)_?(?P<layer>[0-9]{1,3})"
)
_BY = ("dloss_d", "dl_d", "de_d", "dj_d", "gradient_", "grad_of_", "grad_", "nabla_", "g_", "d_", "d")
"""What may stand before a name for the derivative by it."""
_GRADIENT = re.compile(r"(?P<a>.+?)[_.](?:grad|gradient)")
_DELTA = re.compile(r"(?:delta|d_?out|error_signal)_?(?P<layer>[0-9]{1,3})?")
_MASK = re.compile(r"(?:mask|dropout_mask|drop|d)_?(?P<layer>[0-9]{1,3})")
_STATE_DICT = re.compile(r"(?P<prefix>[\w.]+)\.(?P<what>weight|bias)(?P<after>[._](?:grad|gradient|new|after))?")
_BEFORE = re.compile(r"(?P<a>.+?)_(?:old|before)")


@cache
def _states() -> re.Pattern[str]:
    """What a state of any optimizer is called: m_W1, vdW1, m_W1_new."""
    names = {e.name for o in OPTIMIZERS.values() for e in o.equations if e.start is not None}
    return re.compile(f"(?P<state>{'|'.join(sorted(names, key=len, reverse=True))})_?d?(?P<of>[wb]_?[0-9]{{0,3}})")


def roles_of(names: Iterable[str]) -> dict[str, Role | None]:
    """The role of each name; None for what is not known. Layers of names that count from 0 are counted from 1."""
    known = [*names]
    prefixes = _prefixes(known)
    found = {name: _role(name, prefixes) for name in known}
    layered = [r for r in found.values() if r and r.kind.rpartition(".")[2] in ("W", "b", "dW", "db", "W_new", "b_new")]
    if any(role.layer == 0 for role in layered):
        found = {n: r and (r._replace(layer=r.layer + 1) if r in layered else r) for n, r in found.items()}
    found = _from_units(found)
    depth = max((r.layer for r in found.values() if r and r.kind not in ("T", "loss", "t")), default=0)
    return {n: r and (r._replace(layer=max(depth, 1)) if r.layer == LAST else r) for n, r in found.items()}


def _from_units(roles: dict[str, Role | None]) -> dict[str, Role | None]:
    """Who counts layers of units, the inputs as the first, has one more of them than of weights: a2 and delta3 stand
    there beside W2."""
    layers: dict[bool, set[int]] = {True: set(), False: set()}
    for role in filter(None, roles.values()):
        if role.layer > 0:
            layers[role.kind in _OF_UNITS].add(role.layer)
    weights = max(layers[False], default=0)
    if not weights or max(layers[True], default=0) != weights + 1:
        return roles
    return {
        n: r._replace(layer=r.layer - 1) if r and r.kind in _OF_UNITS and r.layer > 0 else r for n, r in roles.items()
    }


def _prefixes(names: Iterable[str]) -> Mapping[str, int]:
    """The layers of a state dict, in their order."""
    found: dict[str, int] = {}
    for name in names:
        if match := _STATE_DICT.fullmatch(name.removeprefix("grad_").removeprefix("d_")):
            found.setdefault(match["prefix"], len(found) + 1)
    return found


def _role(name: str, prefixes: Mapping[str, int]) -> Role | None:
    if match := _STATE_DICT.fullmatch(name):
        kind = "W" if match["what"] == "weight" else "b"
        after = (match["after"] or "")[1:]
        kind = f"d{kind}" if after.startswith("grad") else f"{kind}_new" if after else kind
        return Role(kind, prefixes[match["prefix"]])
    return _plain(name.casefold(), name)


def _plain(folded: str, name: str) -> Role | None:
    """The role of a name that is no entry of a state dict. What is new or a gradient is so of something else."""
    if name == "t":
        return Role("t")
    if folded in _OTHERS:
        return _OTHERS[folded]
    if match := _LAYERED.fullmatch(folded):
        base = next(kind for kind, words in _BASES.items() if match["base"] in words)
        return Role(base, int(match["layer"] or 1))
    if match := _NEW.fullmatch(folded):
        inner = match["a"] or match["b"] or f"{match['c']}{match['layer']}"
        return _changed(inner, "{}_new", ("W", "b"))
    if match := _DELTA.fullmatch(folded):
        return Role("dZ", int(match["layer"] or LAST))
    if match := _MASK.fullmatch(folded):
        return Role("mask", int(match["layer"]))
    if gradient := _derivative(folded):
        return gradient
    if match := _states().fullmatch(folded):
        of = _plain(match["of"], match["of"])
        return of and Role(f"{match['state']}.{of.kind}", of.layer)
    if match := _BEFORE.fullmatch(folded):
        return _plain(match["a"], match["a"])
    return None


def _derivative(folded: str) -> Role | None:
    inner = [folded.removeprefix(by) for by in _BY if folded.startswith(by) and folded != by]
    if match := _GRADIENT.fullmatch(folded):
        inner.append(match["a"])
    found = (_changed(name, "d{}", ("W", "b", "Z", "A")) for name in inner)
    return next(filter(None, found), None)


def _changed(inner: str, kind: str, allowed: tuple[str, ...]) -> Role | None:
    of = _plain(inner, inner)
    if of is None:
        return None
    state, dot, plain = of.kind.rpartition(".")
    if plain not in allowed or (dot and kind != "{}_new"):
        return None
    if of.kind == "A" and of.layer == 0:
        return None
    return Role(f"{state}{dot}{kind.format(plain)}", of.layer)
