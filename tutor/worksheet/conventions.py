"""The conventions of a worksheet: loss, batches, biases, optimizer, and what else decides over its numbers."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fractions import Fraction

from msgspec.structs import replace

from tutor.errors import counted, listed
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.penalties import PENALTIES
from tutor.numbers.digits import exactly
from tutor.worksheet.chain_rule import MOST_PATHS
from tutor.worksheet.delta_rule import RULE as DELTA_RULE
from tutor.worksheet.named_network import NamedNetwork
from tutor.worksheet.network_rules import why_no_gradient
from tutor.worksheet.problem import Network, Optimization, Problem, Training
from tutor.worksheet.step import Conventions

NONE = Conventions(loss="", loss_factor="", reduction="", batch="", bias_policy="", optimizer="", chain="")
"""Those of equations and functions, which have neither network nor loss."""


def of_network(problem: Problem, network: Network, known: NamedNetwork, trained: Collection[str]) -> Conventions:
    """What a reader must know to get the same numbers, but for the optimizer and the form of the gradients."""
    loss, training = LOSSES.get(network.loss or ""), problem.training or Training()
    count, size = len(problem.examples), training.batch_size(len(problem.examples))
    manner = _manner(training, size, count) if network.loss else "one after the other"
    return Conventions(
        loss=loss.name if loss else "",
        loss_factor=loss.factor if loss else "",
        reduction=("mean" if loss.mean else "sum") if loss else "",
        batch="" if count == 1 or not loss else manner if 1 < size < count else str(training.batch),
        bias_policy=_bias_policy(problem, known, trained),
        optimizer="",
        chain="",
        rates=training.rates,
        remarks=tuple(_remarks(problem, network, known, manner)),
    )


def of_optimization(conventions: Conventions, optimization: Optimization) -> Conventions:
    """The conventions with what a reader must know of the optimizer, the schedule and the clipping."""
    before, choices = optimization.made_before, optimization.variant.choices
    flags = OPTIMIZERS[optimization.optimizer].flags.items()
    return replace(
        conventions,
        optimizer=optimization.optimizer,
        forms=tuple(flag.on if choices[name] else flag.off for name, flag in flags),
        remarks=(*conventions.remarks, *([f"{counted(before, 'update')} made before"] if before else [])),
        clips=optimization.clips,
        schedule=optimization.schedule,
        schedule_settings=optimization.rate_settings,
    )


def of_chain(conventions: Conventions, used: str, asked: str) -> Conventions:
    """The conventions with how gradients are written, and why where it is not as asked."""
    many = f"some gradient has more than {MOST_PATHS} paths, so results in between are used again (--chain delta)"
    return replace(
        conventions, chain=used, remarks=(*([many] if used not in ("", asked) else []), *conventions.remarks)
    )


def _manner(training: Training, size: int, count: int) -> str:
    """How the examples come to updates."""
    if size == 1:
        return "one after the other"
    many = f"in batches of {size}" if size < count else "as a batch"
    return f"{many}, {training.over_examples}"


def _forward_only(known: NamedNetwork) -> str:
    """Why the worksheet ends with the forward pass."""
    entries = [ACTIVATIONS.get(layer.activation) for layer in known.layers]
    flat = [entry for entry in entries if entry and entry.slope is None]
    remarks = dict.fromkeys(entry.remark for entry in flat)
    named = [f"{listed(list(dict.fromkeys(e.name for e in flat if e.remark == r)))}: {r}" for r in remarks]
    return "; ".join(["forward pass only", *named])


def _bias_policy(problem: Problem, known: NamedNetwork, trained: Collection[str]) -> str:
    """Whether biases are updated: all, none, or only those outside frozen layers. Empty where nothing is."""
    if not known.biases:
        return "none"
    if problem.training is None:
        return ""
    moved = sum(name in trained for name in known.biases)
    return "not updated" if not moved else "updated" if moved == len(known.biases) else "partly updated"


def _remarks(problem: Problem, network: Network, known: NamedNetwork, manner: str) -> list[str]:
    """What else a reader must know to get the same numbers."""
    training, remarks = problem.training or Training(), []
    if len(problem.examples) > 1:
        remarks.append(f"{len(problem.examples)} examples, {manner}")
    if problem.training is None:
        remarks.append(_forward_only(known) if why_no_gradient(network) else "gradients only, no update")
    if network.loss and (settings := LOSSES[network.loss].settings):
        remarks.append(_with_settings(network.loss, settings, network.loss_numbers))
    if training.penalties:
        whole = [_with_settings(p, PENALTIES[p].settings, training.numbers_of(p)) for p in training.penalties]
        remarks.append("penalty on the weights: " + " and ".join(whole))
    if training.rule == DELTA_RULE:
        remarks.append("delta rule: delta is -dE/d(weighted sum); a weight moves by eta·delta·its input")
    if after := training.proximal_penalties:
        act, it = ("acts", "it") if len(after) == 1 else ("act", "them")
        remarks.append(f"{listed(after)} {act} by soft-thresholding after each step; E is shown without {it}")
    return remarks


def _with_settings(name: str, settings: Iterable[str], numbers: Iterable[Fraction]) -> str:
    """As in "huber with delta = 0.5"."""
    return " with ".join(
        filter(None, [name, listed([f"{n} = {exactly(v)}" for n, v in zip(settings, numbers, strict=True)])])
    )
