"""`tutor compare`: what it says is what single trainings give, whoever ends first."""

from __future__ import annotations

import csv
import io
import json
import shlex
import time
from fractions import Fraction
from itertools import product
from math import inf, isqrt, log
from multiprocessing import active_children
from typing import Any

import pytest
from conftest import Tutor
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.cli.vary_option import command_line, read_variations
from tutor.data import source as files
from tutor.errors import TutorError
from tutor.experiments.experiment import Run, Source, run_all
from tutor.experiments.search import Choices, Span, called, drawn, grid
from tutor.experiments.summary import compare, mean_and_deviation
from tutor.training.settings import Settings

IRIS = ["--data", "iris", "--hidden", "5", "--epochs", "6", "--learning-rate", "0.05", "--validation", "0.2"]
MEASURES = ("training_loss", "training_accuracy", "validation_loss", "validation_accuracy")


def exact_mean_and_deviation(values: list[float]) -> tuple[float, float]:
    """Both rounded once from the exact numbers: Σx/n and √(Σ(x - x̄)²/(n - 1))."""
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    variance = sum((x - mean) ** 2 for x in exact) / (len(exact) - 1)
    root = isqrt(variance.numerator * (1 << 400) // variance.denominator)
    return float(mean), float(Fraction(root, 1 << 200))


def test_means_and_deviations_are_those_of_single_trainings(tutor: Tutor) -> None:
    varied = ["--vary", "optimizer=sgd,adam", "--vary", "batch-norm=true,false"]
    rate = ["--learning-rate", 0.05]
    found = tutor.json("compare", *IRIS, *varied, *rate, "--seeds", 3, "--seed", 4, "--jobs", 2)
    assert found["seeds"] == [4, 5, 6] and found["complete"] and found["ranked_by"] == "validation_loss"
    said = [setting["settings"] for setting in found["settings"]]
    pairs = product(("sgd", "adam"), (True, False))
    assert said == [{"optimizer": o, "batch_norm": b, "learning_rate": 0.05} for o, b in pairs]
    for setting in found["settings"][2:3]:
        options = ["--optimizer", setting["settings"]["optimizer"], *rate]
        options += ["--batch-norm"] if setting["settings"]["batch_norm"] else []
        alone = [tutor.json("train", *IRIS, *options, "--seed", seed) for seed in (4, 5, 6)]
        assert [run["history"] for run in setting["runs"]] == [one["history"] for one in alone]
        for measure in MEASURES:
            part, name = measure.split("_")
            values = [one["parts"][{"validation": "held-out"}.get(part, part)][name] for one in alone]
            summary = setting["summary"][measure]
            assert (summary["mean"], summary["deviation"]) == exact_mean_and_deviation(values), measure
    means = [setting["summary"]["validation_loss"]["mean"] for setting in found["settings"]]
    assert found["best"] == means.index(min(means))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=2, max_size=6))
def test_spreads_are_rounded_once(values: list[float]) -> None:
    found = mean_and_deviation(values)
    assert found is not None and found.deviation is not None
    mean, deviation = exact_mean_and_deviation(values)
    assert found.mean == mean and found.deviation == pytest.approx(deviation, rel=1e-15)
    assert mean_and_deviation([None]) is None and mean_and_deviation([3.0, None]) == mean_and_deviation([3.0])


def test_the_number_of_processes_changes_nothing(tutor: Tutor) -> None:
    command = ["compare", "--data", "moons", "--epochs", "3", "--vary", "hidden=2|4,4|0", "--seeds", "2"]
    one, three = (tutor(*command, "--json", "--jobs", jobs).stdout for jobs in (1, 3))
    assert one == three and json.loads(one)["complete"]
    one, three = (tutor(*command, "--arithmetic", "fast", "--jobs", jobs).stdout for jobs in (1, 3))
    assert one == three and "hidden" in one


def test_the_order_of_output_is_that_of_the_settings() -> None:
    """The first run takes longest."""
    runs = [Settings(hidden=(3,), epochs=n) for n in (300, 1, 2)]
    assert [outcome and outcome.epochs_done for outcome in run_all([Run(Source("moons"), one) for one in runs], 3)] == [
        300,
        1,
        2,
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**63), st.floats(1e-6, 1), st.floats(1.5, 1e4), st.integers(0, 50), st.integers(1, 60))
def test_draws_lie_between_the_ends(seed: int, low: float, times: float, least: int, more: int) -> None:
    varied = [
        Span("learning_rate", low, low * times, float),
        Span("dropout", 0.1, 0.5, float, share=True),
        Span("batch_size", least, least + more, int),
        Span("hidden", 1, 9, tuple),
        Choices("optimizer", ("sgd", "adam")),
    ]
    found = drawn(varied, 5, seed)
    assert found == drawn(varied, 8, seed)[:5] and len({called(setting) for setting in found}) == 5
    for setting in found:
        assert low <= setting["learning_rate"] <= low * times and 0.1 <= setting["dropout"] <= 0.5
        assert least <= setting["batch_size"] <= least + more and 1 <= setting["hidden"][0] <= 9
        assert isinstance(setting["batch_size"], int) and setting["optimizer"] in ("sgd", "adam")


def test_draws_are_spread_evenly() -> None:
    """Between positive ends the logarithm is uniform, from 0 the number; both ends of whole numbers occur."""
    ends = [
        Span("learning_rate", 0.001, 0.1, float), Span("l2", 0, 0.1, float), Span("batch_size", 1, 4, int)
    ]  # fmt: skip
    found = drawn(ends, 2000, 1)
    logs = sorted(log(setting["learning_rate"] / 0.001) / log(100) for setting in found)
    plain = sorted(setting["l2"] / 0.1 for setting in found)
    for shares in (logs, plain):
        assert max(abs(share - k / 2000) for k, share in enumerate(shares)) < 0.035  # Kolmogorov and Smirnov, 1 in 100
    counts = [sum(setting["batch_size"] == k for setting in found) for k in range(6)]
    assert counts[0] == counts[5] == 0 and min(counts[1:5]) > 430
    assert Span("l1", 0, 1, float).size == inf and grid([]) == [{}]


def test_a_random_search_ends_in_a_command_that_gives_the_same(tutor: Tutor) -> None:
    search = ["--search", "random", "--trials", 4, "--vary", "learning-rate=0.001..0.5", "--vary", "hidden=2..9"]
    shared = [*IRIS[:2], *IRIS[4:6], "--validation", "0.2", "--test", "0.2", "--seeds", 2, "--seed", 3]
    found = tutor.json("compare", *shared, *search)
    assert len(found["settings"]) == 4 and found["search"] == "random"
    words = shlex.split(found["command"])
    assert words[:2] == ["tutor", "train"]
    alone = tutor.json(*words[1:])
    best = found["settings"][found["best"]]
    assert alone["history"] == best["runs"][0]["history"] and alone["parts"]["test"] == found["test"]
    assert alone["settings"]["learning_rate"] == best["settings"]["learning_rate"]
    rates = [setting["settings"]["learning_rate"] for setting in found["settings"]]
    assert all(0.001 <= rate <= 0.5 and rate == float(f"{rate:.4g}") for rate in rates) and len(set(rates)) == 4


def test_the_command_is_quoted_and_says_everything() -> None:
    chosen = {
        "hidden": (), "shuffle": False, "batch_norm": True, "residual": False, "clip_norm": None, "learning_rate": 1e-05,
        "optimizer_setting": {"beta": "0.8"}, "augment": "shift=1,flip",
    }  # fmt: skip
    source = files.Source("my data.csv", label="a;b", drop=("c d", "e"), missing="mean")
    words = command_line(source, chosen)
    assert " ".join(words) == (
        "tutor train --data 'my data.csv' --label 'a;b' --drop 'c d' --drop e --missing mean --hidden 0 --batch-norm --learning-rate 1e-05 "
        "--optimizer-setting beta=0.8 --no-shuffle --augment shift=1,flip"
    )


def values(text: str) -> Any:
    (found,) = read_variations([text])
    return found.values if isinstance(found, Choices) else found


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("hidden=16,32", ((16,), (32,))),
        ("--hidden=16|32,8|0", ((16,), (32, 8), ())),
        ("hidden=16;32,8", ((16,), (32, 8))),
        ("learning_rate= 0.1, none", (0.1, None)),
        ("batch_norm=true,no", (True, False)),
        ("augment=none|shift=1,flip", ("", "shift=1,flip")),
        ("optimizer-setting=beta=0.8,beta=0.9", ({"beta": "0.8"}, {"beta": "0.9"})),
        ("arithmetic=fast", ("fast",)),
        ("patience=none,5", (None, 5)),
        ("batch-size=8..64", Span("batch_size", 8, 64, int)),
        ("dropout=0..0.5", Span("dropout", 0, 0.5, float, share=True)),
    ],
)
def test_values_are_read_as_the_options_are(text: str, meant: Any) -> None:
    assert values(text) == meant


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["optimizr=sgd"], "did you mean 'optimizer'?"),
        (["optimizer=sgd,adma"], "optimizer adma: unknown optimizer 'adma' — did you mean 'adam'?"),
        (["optimizer="], "needs values"),
        (["optimizer"], "needs values"),
        (["hidden=16,16"], "separate values by |"),
        (["hidden=16|a"], "whole numbers"),
        (["hidden=8", "hidden=16"], "given twice"),
        (["epochs=2.5"], "takes whole numbers, not '2.5'"),
        (["learning-rate=nan"], "takes numbers"),
        (["learning-rate=0.1,-1"], "learning-rate -1: --learning-rate is at least 0"),
        (["learning-rate=0.1,0.10"], "twice"),
        (["batch-norm=maybe"], "true or false"),
        (["arithmetic=slow"], "reproducible or fast"),
        (["optimizer=sgd,"], "empty value"),
        (["seed=1,2"], "--seeds 5"),
        (["validation=0.1,0.2"], "same examples"),
        (["dropout=0..0.5"], "--search random"),
        (["init=a..b"], "no range"),
        (["l2=2..1"], "the lower end comes first"),
        (["dropout=0..1"], "a share below 1"),
        (["residual=false,true"], "residual true: --residual needs two hidden layers"),
    ],
)
def test_nonsense_is_named_before_anything_is_trained(arguments: list[str], said: str) -> None:
    from tutor.experiments.candidates import candidate

    with pytest.raises(TutorError) as error:
        for setting in grid(read_variations(arguments)):
            candidate(Source("xor"), "xor", {}, setting)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--search", "random", "--trials", 3, "--vary", "l2=0..1"], "--validation 0.2"),
        (["--search", "random", "--vary", "l2=0..1"], "--trials 20"),
        (["--search", "random", "--trials", 3], "something to draw"),
        (["--trials", 3], "--search random"),
        (["--search", "random", "--trials", 3, "--vary", "optimizer=sgd,adam", "--validation", 0.5], "only 2 settings"),
        (["--csv", "no/such/folder.csv"], "cannot be written"),
        (["--vary", "optimizer=sgd,adma"], "unknown optimizer"),
    ],
)
def test_what_does_not_go_together(tutor: Tutor, arguments: list[Any], said: str) -> None:
    done = tutor("compare", "--data", "xor", *arguments)
    assert done.returncode == 2 and said in done.stderr and not done.stdout and "Traceback" not in done.stderr


DIVERGING = [
    "compare", "--data", "sine", "--activation", "relu", "--epochs", "12", "--optimizer", "sgd", "--vary",
    "learning-rate=500,0.01", "--seeds", "2",
]  # fmt: skip


def test_divergence_is_a_result(tutor: Tutor) -> None:
    found = tutor.json(*DIVERGING, "--csv", "runs.csv")
    assert [setting["summary"]["diverged"] for setting in found["settings"]] == [2, 0] and found["best"] == 1
    assert found["settings"][0]["summary"]["training_loss"] is None and "seconds" not in json.dumps(found)
    rows = list(csv.DictReader(io.StringIO((tutor.folder / "runs.csv").read_text())))
    assert [(row["learning_rate"], row["seed"], row["diverged"]) for row in rows] == [
        (rate, seed, str(rate == "500")) for rate in ("500", "0.01") for seed in ("0", "1")
    ]
    losses = [run["training_loss"] for setting in found["settings"] for run in setting["runs"]]
    assert [row["training_loss"] for row in rows] == ["" if loss is None else repr(loss) for loss in losses]


@pytest.mark.parametrize("width", [40, 80, 160])
def test_it_fits_the_screen(tutor: Tutor, width: int) -> None:
    varied = ["--vary", "optimizer=sgd,momentum", "--vary", "learning-rate=0.1,0.01"]
    shown = tutor("compare", *IRIS[:6], "--validation", 0.2, *varied, "--width", width).stdout
    assert max(map(len, shown.splitlines())) <= width
    assert ("(loss)" in shown) == (width >= 60) and ("│" in shown) == (width >= 60) and "tutor train" in shown


def test_a_wide_table_fits_too(tutor: Tutor) -> None:
    shown = tutor(*DIVERGING, "--times", "--width", 80).stdout
    assert max(map(len, shown.splitlines())) <= 80 and "diverged" in shown and "seconds" in shown


def test_sentences_for_those_who_listen(tutor: Tutor) -> None:
    shown = tutor(*DIVERGING, "--narrate").stdout
    assert "Setting b, the best: learning-rate 0.01" in " ".join(shown.split()) and "│" not in shown
    assert "plus or minus" in shown and "diverged 2 of 2" in " ".join(shown.split()) and "(loss)" not in shown


def test_losses_of_different_kinds_are_not_ranked_against_each_other(tutor: Tutor) -> None:
    losses = ["--vary", "loss=half_squared_error,cross_entropy"]
    assert tutor.json("compare", *IRIS, *losses, "--seeds", 1)["ranked_by"] == "validation_accuracy"
    squared = ["--vary", "loss=half_squared_error,squared_error"]
    shown = tutor("compare", "--data", "sine", "--epochs", 3, *squared, "--seeds", 1).stdout
    assert "None is called best" in shown and "tutor train" not in shown


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_finished_is_kept_when_ctrl_c_comes(jobs: int) -> None:
    def interrupt(done: int) -> None:
        if done:
            raise KeyboardInterrupt

    runs = [Settings(epochs=n) for n in (5, 100_000_000, 100_000_000)]
    first, *others = run_all([Run(Source("xor"), one) for one in runs], jobs, interrupt)
    assert first is not None and first.epochs_done == 5 and others == [None, None]
    last = time.monotonic() + 30
    while active_children() and time.monotonic() < last:  # told to end, though in the middle of it
        time.sleep(0.05)
    assert not active_children()


def test_settings_that_miss_a_run_have_no_rank() -> None:
    done = run_all([Run(Source("xor"), Settings(epochs=2)), Run(Source("xor"), Settings(epochs=2, seed=1))], 1)
    comparison = compare([{"l2": 0.0}, {"l2": 0.1}], [done[0], None, *done], "training_loss")
    assert comparison.ranking == [1] and not comparison.complete


def test_the_defaults_learn_what_they_are_shown_with(tutor: Tutor) -> None:
    """XOR with whatever seed, and moons to 99 in a hundred."""
    assert [tutor.json("train", "--data", "xor", "--seed", seed)["accuracy"] for seed in range(5)] == [1] * 5
    assert all(tutor.json("train", "--data", "moons", "--seed", seed)["accuracy"] >= 0.99 for seed in range(2))


def test_optimizers_are_compared_at_the_best_of_a_few_rates(tutor: Tutor) -> None:
    options = ["compare", "--data", "xor", "--vary", "optimizer=sgd,adam", "--seeds", 1, "--epochs", 40]
    found = tutor.json(*options)
    rates: dict[str, list[float]] = {"sgd": [], "adam": []}
    losses: dict[str, list[float]] = {"sgd": [], "adam": []}
    for one in found["settings"]:
        rates[one["settings"]["optimizer"]].append(one["settings"]["learning_rate"])
        losses[one["settings"]["optimizer"]].append(one["summary"]["training_loss"]["mean"])
    assert all(len(set(tried)) == len(tried) >= 3 for tried in rates.values())
    assert "--learning-rate" in found["command"] and "every optimizer is tried with a few" in found["remarks"][0]
    shown = " ".join(tutor(*options, "--width", 160).stdout.split())
    for name, tried in rates.items():
        best = tried[losses[name].index(min(losses[name]))]
        assert f"optimizer {name} with {best:g}: {min(losses[name]):.4g}" in shown
        assert all(f"{name} │ {rate:g} │" in shown for rate in tried)


def test_a_rate_that_is_given_stands_in_every_row(tutor: Tutor) -> None:
    options = ["compare", "--data", "xor", "--vary", "optimizer=sgd,adam", "--seeds", 1, "--epochs", 3]
    found = tutor.json(*options, "--learning-rate", 0.07)
    assert [one["settings"]["learning_rate"] for one in found["settings"]] == [0.07, 0.07] and not found["remarks"]
    varied = tutor.json(*options, "--vary", "learning-rate=0.1,0.2")
    assert [one["settings"]["learning_rate"] for one in varied["settings"]] == [0.1, 0.2] * 2
    options[2] = "moons"
    drawn = tutor.json(*options, "--search", "random", "--trials", 2, "--validation", 0.25)
    assert all("learning_rate" in one["settings"] for one in drawn["settings"]) and len(drawn["settings"]) == 2


@pytest.mark.parametrize("epochs", [2, 5, 37])
def test_epochs_are_counted_in_whole_numbers(tutor: Tutor, epochs: int) -> None:
    shown = tutor("compare", "--data", "xor", "--vary", "hidden=2,3", "--seeds", 1, "--epochs", epochs).stdout
    lines = shown.splitlines()
    (axis,) = (line for line, before in zip(lines, ["", *lines], strict=False) if before.endswith("(epoch)"))
    ticks = axis.partition("|")[2].split()
    assert ticks[0] == "1" and all(tick.isdigit() for tick in ticks) and int(ticks[-2]) < epochs <= int(ticks[-1])
