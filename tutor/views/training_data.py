"""A training as plain data for programs."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any


def _kept(trainer: Any) -> dict[str, Any]:
    """What the weights alone do not say: how examples are scaled, and the averages of batch normalization."""
    found: dict[str, Any] = {}
    if trainer.data.scaling is not None:
        found["scaling"] = asdict(trainer.data.scaling)
    state = trainer.form.state()
    running = {name: array.ravel().tolist() for name, array in state.items() if name.startswith(("mean_", "variance_"))}
    return {**found, "running": running} if running else found


def document(data: Any, trainer: Any, result: Any) -> dict[str, Any]:
    """What `--json` prints."""
    shape, wanted, prepared = trainer.shape, trainer.wanted, trainer.data
    last = result.history[-1] if result.history else None
    measured = trainer.measures()
    return {
        "format": 1,
        "network": {
            "sizes": list(shape.sizes),
            "activations": list(shape.activations),
            "loss": shape.loss,
            "parameters": len(trainer.form.vector),
            "form": trainer.form.name,
        },
        "data": {
            "name": data.name,
            "examples": len(data),
            "training": len(prepared.train),
            "validation": len(prepared.validation),
            "test": len(prepared.test),
            "classes": list(data.classes),
        },
        "settings": {**asdict(wanted), "learning_rate": wanted.rules.rate},
        "arithmetic": wanted.arithmetic,
        "seed": wanted.seed,
        "epochs": len(result.history),
        "updates": trainer.form.updates,
        "seconds": result.seconds,
        "ended": result.ended,
        "loss": last and last.loss,
        **({"accuracy": measured["training"].accuracy} if data.classes else {}),
        "parts": {part: {"loss": m.loss, "accuracy": m.accuracy} for part, m in measured.items()},
        "history": [
            {
                "epoch": e.number,
                "loss": e.loss,
                "accuracy": e.accuracy,
                "validation_loss": e.validation_loss,
                "validation_accuracy": e.validation_accuracy,
            }
            for e in result.history
        ],
        "weights": [float(w) for w in trainer.form.vector],
        **_kept(trainer),
    }
