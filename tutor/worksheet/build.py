"""From what a lesson asks for to its worksheet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from tutor.maths.losses import LOSSES
from tutor.worksheet.backward import MOST_PATHS, Graph, choose_chain, gradient_steps, partial_steps
from tutor.worksheet.forward import forward_steps
from tutor.worksheet.naming import connect
from tutor.worksheet.problem import Example, Network, Training
from tutor.worksheet.step import Conventions, Worksheet
from tutor.worksheet.update import RATE, after_steps, update_steps

GOAL = "E"


def network_worksheet(
    network: Network, example: Example, training: Training, givens: Mapping[str, Fraction], chain: str = "full"
) -> Worksheet:
    """One training step of a feed-forward network on one example: forward, loss, gradients, update, forward again.

    `chain` is `full` (every path written out) or `delta` (each result's gradient is used again).
    """
    known = connect(network, dict(givens))
    values = dict(zip(network.inputs, example.inputs, strict=True)) | known.values
    values |= dict(zip(known.targets, example.targets, strict=True)) | {RATE: training.learning_rate}
    forward = tuple(forward_steps(network, known))
    trained = known.parameters(training.update_biases)
    graph = Graph({step.name: step for step in forward}, GOAL, trained)
    used = choose_chain(graph, chain)
    reached = [p for p in trained if p in graph.users]
    steps = (
        *forward,
        *partial_steps(graph),
        *gradient_steps(graph, used),
        *update_steps(training.optimizer, GOAL, reached),
        *after_steps(forward, reached),
    )
    return Worksheet(values, steps, _conventions(network, training, known.biases, used, chain), GOAL, known)


def _conventions(network: Network, training: Training, biases: Sequence[str], used: str, asked: str) -> Conventions:
    loss = LOSSES[network.loss]
    remarks = []
    if used != asked:
        remarks.append(
            f"some gradient has more than {MOST_PATHS} paths, so results in between are used again (--chain delta)"
        )
    return Conventions(
        loss=loss.name,
        loss_factor=loss.factor,
        reduction="mean" if loss.mean else "sum",
        bias_policy="none" if not biases else "updated" if training.update_biases else "not updated",
        optimizer=training.optimizer,
        chain=used,
        remarks=tuple(remarks),
    )
