"""The conventions of a network's worksheet: loss, batches, biases, and what else decides over its numbers."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from tutor.errors import listed
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.penalties import PENALTIES
from tutor.numbers.digits import exactly
from tutor.worksheet.batch import Passes
from tutor.worksheet.chain_rule import MOST_PATHS
from tutor.worksheet.connections import Connections
from tutor.worksheet.delta_rule import RULE as DELTA_RULE
from tutor.worksheet.draft import Pass
from tutor.worksheet.problem import Problem
from tutor.worksheet.step import Conventions


def conventions_of(problem: Problem, passes: Passes, first: Pass) -> Conventions:
    """What a reader must know to get the same numbers, but for the optimizer."""
    loss, training = LOSSES.get(passes.network.loss or ""), passes.training
    return Conventions(
        loss=loss.name if loss else "",
        loss_factor=loss.factor if loss else "",
        reduction=("mean" if loss.mean else "sum") if loss else "",
        batch="" if passes.count == 1 or not loss else _manner(passes) if passes.in_parts else str(training.batch),
        bias_policy=_bias_policy(problem, passes),
        optimizer="",
        chain=first.chain,
        rates=training.rates,
        remarks=tuple(_remarks(problem, passes, first)),
    )


def _manner(passes: Passes) -> str:
    """How the examples come to updates."""
    if passes.size == 1 or not passes.network.loss:
        return "one after the other"
    many = f"in batches of {passes.size}" if passes.in_parts else "as a batch"
    return f"{many}, {passes.training.over_examples}"


def _forward_only(known: Connections) -> str:
    """Why the worksheet ends with the forward pass."""
    entries = [ACTIVATIONS.get(layer.activation) for layer in known.layers]
    flat = [entry for entry in entries if entry and entry.slope is None]
    remarks = dict.fromkeys(entry.remark for entry in flat)
    named = [f"{listed(list(dict.fromkeys(e.name for e in flat if e.remark == r)))}: {r}" for r in remarks]
    return "; ".join(["forward pass only", *named])


def _bias_policy(problem: Problem, passes: Passes) -> str:
    """Whether biases are updated: all, none, or only those outside frozen layers. Empty where nothing is."""
    if not passes.known.biases:
        return "none"
    if problem.training is None:
        return ""
    moved = sum(name in passes.trained for name in passes.known.biases)
    return "not updated" if not moved else "updated" if moved == len(passes.known.biases) else "partly updated"


def _remarks(problem: Problem, passes: Passes, first: Pass) -> list[str]:
    """What else a reader must know to get the same numbers."""
    training, network, found = passes.training, passes.network, []
    if first.chain not in ("", passes.chain):
        found.append(
            f"some gradient has more than {MOST_PATHS} paths, so results in between are used again (--chain delta)"
        )
    if passes.count > 1:
        found.append(f"{passes.count} examples, {_manner(passes)}")
    if problem.training is None:
        found.append("gradients only, no update" if first.chain else _forward_only(passes.known))
    if network.loss and (settings := LOSSES[network.loss].settings):
        found.append(_with_settings(network.loss, settings, network.loss_numbers))
    if training.penalties:
        whole = [_with_settings(p, PENALTIES[p].settings, training.numbers_of(p)) for p in training.penalties]
        found.append("penalty on the weights: " + " and ".join(whole))
    if training.rule == DELTA_RULE:
        found.append("delta rule: delta is -dE/d(weighted sum); a weight moves by eta·delta·its input")
    if after := training.proximal_penalties:
        act, it = ("acts", "it") if len(after) == 1 else ("act", "them")
        found.append(f"{listed(after)} {act} by soft-thresholding after each step; E is shown without {it}")
    return found


def _with_settings(name: str, settings: Iterable[str], numbers: Iterable[Fraction]) -> str:
    """As in "huber with delta = 0.5"."""
    return " with ".join(
        filter(None, [name, listed([f"{n} = {exactly(v)}" for n, v in zip(settings, numbers, strict=True)])])
    )
