"""Every pair of options: both have an effect together or the pair is refused, and every form of a training agrees."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tutor.data.builtin import Data
from tutor.data.source import Source
from tutor.errors import TutorError
from tutor.export.plan import plan_of
from tutor.export.scripts import EXPORTS
from tutor.maths.penalties import PENALTIES
from tutor.numbers.arrays import ARITHMETICS
from tutor.runs.run import load_run, save_run
from tutor.training.matrix.engine import MatrixEngine
from tutor.training.settings import Settings
from tutor.training.setup import set_up
from tutor.training.trainer import Trainer

OPTIONS: dict[str, dict[str, Any]] = {
    "wider": {"hidden": (3,)},
    "deeper": {"hidden": (2, 2)},
    "no hidden layer": {"hidden": ()},
    "activation": {"activation": "relu"},
    "softmax": {"output_activation": "softmax"},
    "squares": {"output_activation": "linear"},
    "mean squares": {"output_activation": "tanh", "loss": "mean_squared_error"},
    "huber": {"output_activation": "linear", "loss": "huber", "loss_setting": {"delta": "0.1"}},
    "init": {"init": "uniform"},
    "freeze": {"freeze": ("1",)},
    "sgd": {"optimizer": "sgd"},
    "adaptive sign": {"optimizer": "adaptive_sign"},
    "momentum": {"optimizer": "momentum", "optimizer_setting": {"classical": "true"}},
    "rmsprop": {"optimizer": "rmsprop", "optimizer_setting": {"centered": "true"}},
    "amsgrad": {"optimizer": "adam", "optimizer_setting": {"amsgrad": "true", "beta2": "0.3"}},
    "learning rate": {"learning_rate": 0.3},
    "exponential": {"schedule": "exponential"},
    "step": {"schedule": "step", "schedule_setting": {"every": "1"}},
    "perceptron": {"hidden": (), "rule": "perceptron", "batch_size": 1},
    "output first": {"update_order": "output-first"},
    "batch size": {"batch_size": 2},
    "order": {"shuffle": False},
    "seed": {"seed": 8},
    "clip value": {"clip_value": 0.01},
    "clip norm": {"clip_norm": 0.015},
    **{name: {name: 0.1} for name in PENALTIES},
    "elastic net of its own": {"elastic_net": 0.1, "penalty_setting": {"l1_ratio": "0.2"}},
    **{f"proximal {name}": {name: 0.1, "proximal": True} for name, entry in PENALTIES.items() if entry.proximal},
    "batch norm": {"batch_norm": True},
    "residual": {"hidden": (2, 2), "residual": True},
    "dropout": {"dropout": 0.4},
    "dropconnect": {"dropconnect": 0.4},
    "stochastic depth": {"hidden": (2, 2), "residual": True, "stochastic_depth": 0.5},
    "augment": {"augment": "noise=0.2"},
    "zscore": {"normalize": "zscore"},
    "minmax": {"normalize": "minmax"},
    "unit": {"normalize": "unit"},
    "mean image": {"normalize": "mean_image"},
    "channel mean": {"normalize": "channel_mean"},
    "channel zscore": {"normalize": "channel_zscore"},
    "class weights": {"class_weights": True},
    "validation": {"validation": 0.2},
    "test": {"test": 0.3},
}
BASE = {"hidden": (2,), "learning_rate": 0.1, "batch_size": 3, "epochs": 6, "seed": 3}
NO_SCRIPT = ("dropout", "dropconnect", "stochastic_depth", "augment", "class_weights")
"""What the scripts say that their update leaves out."""
X = np.array([[0.1, 0.9], [0.4, -0.3], [-0.8, 0.5], [1.2, 0.7], [-0.5, -1.1], [0.6, 0.2], [-0.2, 0.8], [0.9, -0.6]])
Y = np.array([0, 1, 1, 0, 1, 1, 0, 1])


def data() -> Data:
    """Images of two pixels, so that all of a normalizer's kinds have something to do."""
    return Data("points", X.copy(), Y, ("a", "b"), ("no", "yes"), (1, 2))


def together(*names: str) -> dict[str, Any] | None:
    """What the options set, or None where they set the same thing to different values."""
    found: dict[str, Any] = {}
    for name in names:
        for setting, value in OPTIONS[name].items():
            if found.setdefault(setting, value) != value:
                return None
    return found


def trained(options: dict[str, Any], **more: Any) -> Trainer:
    trainer = set_up(data(), Settings(**{**BASE, **options, **more}))
    trainer.run()
    assert not trainer.result.diverged, options
    return trainer


def in_matrices(like: Trainer, arithmetic: str) -> np.ndarray[Any, Any]:
    """The parameters after the same training in matrix form."""
    wanted, system = replace(like.settings, arithmetic=arithmetic), ARITHMETICS[arithmetic]
    engine = MatrixEngine(like.architecture, system, like.data, wanted, like.initial.copy())
    engine.run(1, like.permutations(1, wanted.epochs))
    return engine.vector


def goes_on_as_its_script(trainer: Trainer, folder: Path) -> None:
    """One more epoch, by the trainer and, batch by batch, by the script that was exported before it."""
    save_run(folder / "r.npz", Source("points"), data(), trainer)
    space: dict[str, Any] = {"__name__": "script"}
    exec(compile(EXPORTS["numpy"](plan_of(load_run(folder / "r.npz"), "trained")), "script", "exec"), space)
    assert space["predict"](X) == pytest.approx(trainer.engine.outputs(trainer.data.rows, np.arange(8)).T, abs=1e-10)
    number, size = trainer.done + 1, trainer.settings.batch_size
    order = trainer.permutations(number, number)
    trainer.engine.run(number, order)
    places = trainer.data.train[order[0]]
    for start in range(0, len(places), size):
        group = places[start : start + size]
        space["update"](X[group], trainer.data.targets[:, group].T)
    assert space["w"] == pytest.approx(trainer.engine.vector, rel=1e-9, abs=1e-9)


@pytest.fixture(scope="module")
def alone() -> dict[str, bytes]:
    """The parameters that each option comes to by itself."""
    return {name: trained(options).engine.vector.tobytes() for name, options in OPTIONS.items()}


@pytest.mark.parametrize("first", OPTIONS)
def test_pairs_of_options(first: str, alone: dict[str, bytes], tmp_path: Path) -> None:
    """A pair is refused, or the training differs from that with either option alone; it is the same in both forms and
    both arithmetics, and the exported script goes on with it as the trainer does."""
    names = list(OPTIONS)
    idle = []
    for second in names[names.index(first) :]:
        if (options := together(first, second)) is None:
            continue
        try:
            trainer = trained(options)
        except TutorError:
            continue
        here = trainer.engine.vector.copy()
        contained = [name for name in (first, second) if options != OPTIONS[name]]
        if any(here.tobytes() == alone[name] for name in contained):
            idle.append((first, second))
        fast = trained(options, arithmetic="fast").engine.vector
        assert fast == pytest.approx(here, rel=1e-7, abs=1e-7), (first, second)
        if trainer.engine.name == "straight-line" and trainer.settings.rule == "gradient":
            for arithmetic in ARITHMETICS:
                same = pytest.approx(in_matrices(trainer, arithmetic), rel=1e-7, abs=1e-7)
                assert here == same, (first, second, arithmetic)
        if trainer.settings.rule == "gradient" and not any(options.get(name) for name in NO_SCRIPT):
            goes_on_as_its_script(trainer, tmp_path)
    assert not idle


def test_every_option_can_be_tried_by_itself(alone: dict[str, bytes]) -> None:
    assert len(set(alone.values())) == len(OPTIONS)
    assert len(list(combinations(OPTIONS, 2))) > 600
