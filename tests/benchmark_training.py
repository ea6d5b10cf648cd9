"""How long an update takes, beside scikit-learn and PyTorch where they are installed: `python tests/benchmark_training.py`.

Every contender trains the same network on the same examples with as many updates; they take turns, and the median of
the turns counts. `learning` prints held-out accuracies over ten seeds, `held-out` those on six tables beside
scikit-learn's, `sizes` the time of an update by network and batch size in both forms, `memory` what a large training takes.
"""

from __future__ import annotations

import os

for _library in ("OPENBLAS", "MKL", "OMP"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

import resource  # noqa: E402
import statistics  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
import warnings  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from dataclasses import dataclass, replace  # noqa: E402
from typing import Any  # noqa: E402

import numpy as np  # noqa: E402

from tutor.data.builtin import Data, load  # noqa: E402
from tutor.training.preparation import split  # noqa: E402
from tutor.training.settings import Settings  # noqa: E402
from tutor.training.setup import LARGEST, set_up  # noqa: E402

TURNS = 7
Array = Any


@dataclass
class Work:
    """What is trained; `goals` are how many times faster than each rival the two arithmetics shall be."""

    title: str
    data: Data
    wanted: Settings
    goals: dict[str, dict[str, float]]

    @property
    def updates(self) -> int:
        return -(-len(self.data) // self.wanted.batch_size) * self.wanted.epochs


def big(count: int, rows: int = 0) -> Data:
    """Pictures of 28 by 28 pixels from a seed: each class a pattern of its own under much noise."""
    draw = np.random.Generator(np.random.Philox(5))
    y = np.arange(count) % 10
    patterns = draw.random((10, 784), dtype=np.float32)
    wide = np.empty((count, 785), np.float32)
    for start in range(0, count, 1000):
        noise = draw.random((len(y[start : start + 1000]), 784), dtype=np.float32)
        wide[start : start + 1000, :784] = np.floor((patterns[y[start : start + 1000]] * 0.3 + noise * 0.7) * 255) / 256
    return Data("pictures", wide[:, :784], y, tuple(map(str, range(784))), tuple("0123456789"), (28, 28))


def works() -> list[Work]:
    xor = Settings(
        hidden=(2,), activation="sigmoid", loss="half_squared_error", output_activation="sigmoid",
        optimizer="sgd", learning_rate=0.5, batch_size=1, epochs=2500,
    )  # fmt: skip
    classical = {"classical": "true"}
    digits = Settings(
        hidden=(32,),
        activation="relu",
        optimizer="momentum",
        optimizer_setting=classical,
        learning_rate=0.05,
        epochs=20,
    )
    pictures = replace(digits, hidden=(128,), batch_size=128, epochs=1)
    speed = {"fast": {"scikit-learn": 100, "PyTorch": 150}, "reproducible": {"scikit-learn": 60, "PyTorch": 75}}
    still = {"fast": {"scikit-learn": 60}, "reproducible": {"scikit-learn": 30}}
    medium = {"fast": {"scikit-learn": 4, "PyTorch": 5}, "reproducible": {"scikit-learn": 1.3, "PyTorch": 1.5}}
    return [
        Work("XOR, 2-2-1, one example", load("xor", 0), xor, speed),
        Work("XOR, examples in order", load("xor", 0), replace(xor, shuffle=False), still),
        Work("digits, 64-32-10, batch 32", load("digits", 0), digits, medium),
        Work("784-128-10, batch 128", big(20_000), pictures, {"fast": {"scikit-learn": 1.15, "PyTorch": 1.15}}),
    ]


def ours(work: Work, **changes: Any) -> Callable[[], float]:
    """Seconds of one training: the loop alone."""

    def run() -> float:
        trainer = set_up(work.data, replace(work.wanted, **changes))
        return trainer.run().seconds

    return run


def scikit_learn(work: Work) -> Callable[[], float]:
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    wanted, x, y = work.wanted, np.ascontiguousarray(work.data.x), work.data.y
    kind = (
        MLPRegressor if wanted.loss == "half_squared_error" and wanted.output_activation == "linear" else MLPClassifier
    )
    model = {
        "hidden_layer_sizes": wanted.hidden, "activation": "logistic" if wanted.activation == "sigmoid" else "relu",
        "solver": "sgd", "alpha": 0.0, "batch_size": wanted.batch_size, "learning_rate_init": wanted.learning_rate,
        "momentum": 0.9 if wanted.optimizer == "momentum" else 0.0, "nesterovs_momentum": False, "max_iter": wanted.epochs,
        "shuffle": wanted.shuffle, "tol": 0.0, "n_iter_no_change": 10**9, "random_state": 0,
    }  # fmt: skip

    def run() -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = kind(**model)
            start = time.perf_counter()
            found.fit(x, y)
            return time.perf_counter() - start

    return run


def pytorch(work: Work, threads: int) -> Callable[[], float]:
    import torch
    from torch import nn

    wanted = work.wanted
    x = torch.tensor(np.ascontiguousarray(work.data.x, dtype=np.float32))
    sizes = (x.shape[1], *wanted.hidden, 1 if len(work.data.classes) == 2 else len(work.data.classes))
    act: Any = nn.Sigmoid if wanted.activation == "sigmoid" else nn.ReLU
    y = torch.tensor(work.data.y) if sizes[-1] > 1 else torch.tensor(work.data.y[:, None], dtype=torch.float32)

    def run() -> float:
        torch.set_num_threads(threads)
        layers: list[Any] = [nn.Linear(sizes[0], sizes[1]), act(), nn.Linear(sizes[1], sizes[2])]
        model = nn.Sequential(*layers, *([] if sizes[-1] > 1 else [nn.Sigmoid()]))
        loss: Any = nn.CrossEntropyLoss() if sizes[-1] > 1 else nn.MSELoss()
        momentum = 0.9 if wanted.optimizer == "momentum" else 0.0
        descent = torch.optim.SGD(model.parameters(), lr=float(wanted.learning_rate or 0.1), momentum=momentum)
        start = time.perf_counter()
        for _ in range(wanted.epochs):
            order = torch.randperm(len(x)) if wanted.shuffle else torch.arange(len(x))
            for first in range(0, len(x), wanted.batch_size):
                few = order[first : first + wanted.batch_size]
                descent.zero_grad()
                loss(model(x[few]), y[few]).backward()
                descent.step()
        return time.perf_counter() - start

    return run


def in_double_precision(work: Work) -> Callable[[], float]:
    """The fast arithmetic without its single precision for large networks."""
    from tutor.training.matrix import engine

    def run() -> float:
        single, engine.SINGLE_FROM = engine.SINGLE_FROM, 10**9
        try:
            return ours(work, arithmetic="fast")()
        finally:
            engine.SINGLE_FROM = single

    return run


def contenders(work: Work) -> dict[str, Callable[[], float]]:
    found = {"reproducible": ours(work), "fast": ours(work, arithmetic="fast")}
    if work.wanted.hidden == (128,):
        found["fast, float64"] = in_double_precision(work)
    for name, make in (
        ("scikit-learn", lambda: scikit_learn(work)),
        ("PyTorch", lambda: pytorch(work, 1)),
        ("PyTorch, 2 threads", lambda: pytorch(work, 2)),
    ):
        try:
            found[name] = make()
        except ImportError:
            print(f"{name} is not installed: skipped")
    return found


def race(work: Work) -> None:
    """All contenders in turn; then the medians, and how many times faster ours are."""
    found = contenders(work)
    times: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(TURNS):
        for name, run in found.items():
            time.sleep(0.3)  # a library's threads look for work a little longer
            times[name].append(run() / work.updates)
    median = {name: statistics.median(taken) for name, taken in times.items()}
    print(f"\n{work.title}")
    for name, taken in median.items():
        print(f"  {name:20} {1e6 * taken:9.2f} µs an update")
    for name, rivals in work.goals.items():
        for rival, goal in rivals.items():
            best = min((t for n, t in median.items() if n.startswith(rival)), default=None)
            if best is not None:
                print(f"  {name} is {best / median[name]:.3g} times as fast as {rival} (goal {goal:g})")
    if work.wanted.hidden == (128,):
        ratio = median["reproducible"] / median["fast, float64"]
        print(f"  reproducible takes {ratio:.2f} times as long as fast in float64 (goal at most 2.5)")


LEARNING = [
    ("XOR 2-4-1 solved", "xor", Settings(hidden=(4,), batch_size=4, learning_rate=0.05, epochs=500), 1.0),
    ("iris", "iris", Settings(hidden=(16,), normalize="zscore", learning_rate=0.01, validation=0.2), 0.95),
    ("digits", "digits", Settings(hidden=(64,), learning_rate=0.005, epochs=40, validation=0.2, l2=1e-4), 0.97),
    ("moons", "moons", Settings(hidden=(16,), learning_rate=0.02, epochs=150, validation=0.25), 0.98),
    ("circles", "circles", Settings(hidden=(16,), learning_rate=0.02, epochs=150, validation=0.25), 0.98),
]


def learning() -> None:
    """Held-out accuracy (for XOR that on all four examples) over ten seeds."""
    print(f"\n{'learning':18} {'mean':>7} {'least':>7}   goal")
    for title, name, wanted, goal in LEARNING:
        found = []
        for seed in range(10):
            trainer = set_up(load(name, seed), replace(wanted, seed=seed))
            trainer.run()
            found.append(list(trainer.measures().values())[-1].accuracy or 0.0)
        print(f"{title:18} {statistics.mean(found):7.2%} {min(found):7.2%}   {goal:.0%}")


SEEDS = 5
EQUAL = Settings(
    hidden=(100,), activation="relu", learning_rate=0.001, batch_size=200, epochs=200, l2=5e-5, normalize="zscore",
    init="xavier", validation=0.25,
)  # fmt: skip
"""What scikit-learn's networks have when nothing is said; its alpha is halved, and divided by the examples of a batch."""


def tables() -> Iterator[Data]:
    """The tables that come with scikit-learn, and one that it makes."""
    from sklearn import datasets

    for name in ("iris", "wine", "breast_cancer", "digits"):
        x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        yield Data(name, x.astype(float), y, tuple(f"x{k}" for k in range(x.shape[1])), tuple(map(str, sorted(set(y)))))
    for name, (x, y) in (
        ("diabetes", datasets.load_diabetes(return_X_y=True)),
        ("friedman1", datasets.make_friedman1(500, noise=1.0, random_state=0)),
    ):
        yield Data(name, x, y[:, None], tuple(f"x{k}" for k in range(x.shape[1])))


def held_out_by_ours(data: Data, wanted: Settings) -> float:
    """The accuracy, or for values to predict the root of the mean squared error."""
    trainer = set_up(data, wanted)
    trainer.run()
    parts = split(data, wanted.validation, wanted.test, wanted.seed)
    if data.classes:
        return list(trainer.measures().values())[-1].accuracy or 0.0
    predicted = trainer.engine.outputs(trainer.data.rows, parts[1])
    return float(np.sqrt(np.mean((predicted - data.y[parts[1]].T) ** 2)))


def held_out_by_scikit_learn(data: Data, seed: int) -> float:
    """At its defaults, with inputs scaled and split as ours are."""
    from sklearn.neural_network import MLPClassifier, MLPRegressor

    train, held, _ = split(data, EQUAL.validation, 0.0, seed)
    mean, deviation = data.x[train].mean(axis=0), data.x[train].std(axis=0)
    x = (data.x - mean) / np.where(deviation == 0, 1, deviation)
    y = data.y if data.classes else data.y[:, 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = (MLPClassifier if data.classes else MLPRegressor)(random_state=seed).fit(x[train], y[train])
    predicted = model.predict(x[held])
    return float(np.mean(predicted == y[held]) if data.classes else np.sqrt(np.mean((predicted - y[held]) ** 2)))


def held_out() -> None:
    """Accuracy or root mean squared error on a quarter that is held out, over seeds of the split and of the start."""
    print(f"\n{'held out':14} {'ours at defaults':>18} {'ours at its':>18} {'scikit-learn':>18}")
    usual = Settings(normalize="zscore", validation=EQUAL.validation)
    for data in tables():
        each = [
            [held_out_by_ours(data, replace(usual, seed=seed)) for seed in range(SEEDS)],
            [held_out_by_ours(data, replace(EQUAL, seed=seed)) for seed in range(SEEDS)],
            [held_out_by_scikit_learn(data, seed) for seed in range(SEEDS)],
        ]
        told = [f"{statistics.mean(found):9.4g} ± {statistics.stdev(found):6.3g}" for found in each]
        print(f"{data.name:14} {' '.join(f'{text:>18}' for text in told)}")


SIZES = [(2, 2, 1), (2, 8, 1), (4, 8, 3), (4, 16, 3), (16, 16, 4)]
BATCHES = (1, 4, 16)


def sizes() -> None:
    """An update by network and batch size, as straight-line code and in matrix form; * marks the form that is taken."""
    print(f"\n{'network':10} {'batch':>5} {'arithmetic':13} {'code':>8} {'matrix':>8}   µs an update")
    for shape in SIZES:
        for batch in BATCHES:
            for arithmetic in ("fast", "reproducible"):
                code, matrix, size = both_forms(shape, batch, arithmetic)
                taken = "* " if size <= LARGEST[arithmetic] else " *"
                name = "-".join(map(str, shape))
                print(f"{name:10} {batch:5} {arithmetic:13} {code:7.2f}{taken[0]} {matrix:7.2f}{taken[1]}  {size}")


def both_forms(shape: tuple[int, ...], batch: int, arithmetic: Any) -> tuple[float, float, int]:
    """The time of an update in both forms, and parameters times examples."""
    count = max(64, batch)
    draw = np.random.Generator(np.random.Philox(3))
    x, y = draw.standard_normal((count, shape[0])), np.arange(count) % max(2, shape[-1])
    names = tuple(f"x{i}" for i in range(shape[0]))
    data = Data("drawn", x, y, names, tuple(map(str, range(max(2, shape[-1])))))
    wanted = Settings(hidden=shape[1:-1], batch_size=batch, optimizer="sgd", epochs=100, arithmetic=arithmetic)
    found, usual = [], dict(LARGEST)
    try:
        for largest in (10**9, 0):
            LARGEST[arithmetic] = largest
            runs = [set_up(data, wanted) for _ in range(3)]
            found.append(min(1e6 * trainer.run().seconds / trainer.engine.updates for trainer in runs))
    finally:
        LARGEST.update(usual)
    return found[0], found[1], len(runs[0].engine.vector) * batch


def memory() -> None:
    """What training on 60,000 pictures takes at most, beside the float32 array of them."""
    data = big(60_000)
    set_up(data, Settings(hidden=(128,), batch_size=128, epochs=1, arithmetic="fast")).run()
    peak, array = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 60_000 * 784 * 4 / 2**20
    print(f"\n60,000 examples, 784-128-10: {peak:.0f} MB at most, {peak / array:.2f} times the array (goal 1.5)")


if __name__ == "__main__":
    asked = sys.argv[1:]
    if "memory" in asked:
        memory()
    elif "sizes" in asked:
        sizes()
    elif "learning" in asked:
        learning()
    elif "held-out" in asked:
        held_out()
    else:
        for each in works():
            if not asked or any(word in each.title for word in asked):
                race(each)
