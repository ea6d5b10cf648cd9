"""The forms of the optimizers: of each the usual one, one for every setting that changes its lines, and all at once."""

from __future__ import annotations

from typing import Any

from tutor.maths.optimizers import OPTIMIZERS

SOME: list[tuple[str, dict[str, Any]]] = [
    ("momentum", {"classical": True, "beta": "0.8"}),
    ("momentum", {"classical": True, "dampening": "0.25"}),
    ("adagrad", {"epsilon_inside": True, "epsilon": "0.01", "initial_accumulator": "0.1"}),
    ("rmsprop", {"epsilon_inside": True, "epsilon": "0.01"}),
    ("rmsprop", {"centered": True, "epsilon": "0.001"}),
    ("rmsprop", {"momentum": "0.8"}),
    ("rmsprop", {"momentum": "0.8", "centered": True, "epsilon_inside": True, "epsilon": "0.01", "rho": "0.7"}),
    ("adam", {"epsilon_inside": True, "epsilon": "0.01"}),
    ("adam", {"epsilon_hat": True, "epsilon": "0.01"}),
    ("adam", {"amsgrad": True, "beta2": "0.5"}),
    ("adam", {"amsgrad": True, "epsilon_inside": True, "epsilon_hat": True, "epsilon": "0.01"}),
    ("adamw", {"amsgrad": True, "epsilon_hat": True, "epsilon": "0.001", "decay": "0.1"}),
    ("adamw", {"epsilon_inside": True, "epsilon": "0.01"}),
    ("nadam", {"momentum_schedule": True}),
    ("nadam", {"momentum_schedule": True, "psi": "1", "epsilon_inside": True, "epsilon": "0.001"}),
    ("lion", {"decay": "0.1", "beta1": "0.5"}),
]
VARIANTS: list[tuple[str, dict[str, Any]]] = [*((name, {}) for name in OPTIMIZERS), *SOME]


def named(value: Any) -> str | None:
    """What a test calls the settings of a variant."""
    return "-".join(f"{k}-{v}" for k, v in value.items()) or "usual" if isinstance(value, dict) else None


def in_toml(settings: dict[str, Any]) -> str:
    """The settings as a lesson has them."""
    return "{ " + ", ".join(f"{name} = {str(value).lower()}" for name, value in settings.items()) + " }"


def typed(settings: dict[str, Any]) -> dict[str, str]:
    """The settings as the command line has them."""
    return {name: str(value).lower() for name, value in settings.items()}
