"""`tutor trace`: programs written apart from the checking, right and wrong, in many styles and precisions."""

from __future__ import annotations

import json
import subprocess
import sys
import tracemalloc
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from conftest import Tutor
from trace_programs import (
    MISTAKES,
    STYLES,
    TASKS,
    Program,
    Style,
    Task,
    can_have,
    needs,
    options_of,
    without_the_middle,
)
from trace_simulation import checked, first_difference, recorded

from tutor.errors import NothingThere, TutorError
from tutor.results import as_json
from tutor.trace import Step, check_gradient

Arrays = dict[str, Any]
PLAIN = Task((3, 4, 2), "classes", "tanh", 4, eta=0.5, seed=7)


def verdicts(report: Any) -> dict[str, str]:
    return {a.name: a.verdict for a in report.arrays}


def ids(report: Any) -> list[str]:
    return [m.id for m in report.mistakes]


def traced(arrays: Arrays, **options: Any) -> Any:
    return Step().record(**arrays).check(**options)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_a_right_program_is_right(style: str, task: str, dtype: Any) -> None:
    for few in (False, True):
        for n in (1, 5):
            own = replace(TASKS[task], dtype=dtype, n=n, seed=n)
            arrays = recorded(own, STYLES[style])
            report = checked(without_the_middle(arrays) if few else arrays, own)
            assert set(verdicts(report).values()) == {"right"} and not report.mistakes


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("number", range(3))
def test_the_mistake_and_its_array(mistake: str, number: int) -> None:
    """The first array that differs from those of the right program is the first that is called wrong."""
    names = [(s, t) for s in STYLES for t in TASKS if can_have(mistake, TASKS[t], STYLES[s])]
    if not names:
        pytest.skip("tested apart, in squares")
    style, name = names[number * len(names) // 3]
    task = needs(mistake, replace(TASKS[name], n=5, seed=number))
    try:
        right, wrong = recorded(task, STYLES[style]), recorded(task, STYLES[style], (mistake,), 0)
    except ValueError:
        pytest.skip("no product of these shapes")
    report = checked(wrong, task)
    first = next(a.name for a in report.arrays if a.verdict == "wrong")
    if "mean" not in mistake and "batch" not in mistake:  # there the division may be missing in one of two places
        assert first == first_difference(right, wrong, float)
    named = {report.mistakes[0].id, *report.mistakes[0].also}
    assert named & set(MISTAKES[mistake] + (("not-updated",) if mistake == "layer-not-updated" else ()))
    assert report.mistakes[0].right != report.mistakes[0].written


def test_plain_lists_at_the_command_line(tutor: Tutor) -> None:
    """The program that `--example` prints has a mistake; mended, it has none."""
    program = tutor("trace", "--example").stdout
    for source, code in (
        (program, 1),
        (
            program.replace(
                "(1 - z * z) for d, z in zip(ds, zs)] for ds, zs in zip(dA1, Z1)]",
                "(1 - a * a) for d, a in zip(ds, zs)] for ds, zs in zip(dA1, A1)]",
            ),
            0,
        ),
    ):
        subprocess.run([sys.executable, "-c", source], cwd=tutor.folder, check=True)
        done = tutor("trace", "step.json", "--json")
        found = json.loads(done.stdout)
        assert done.returncode == code, done.stderr
        assert [m["id"] for m in found["mistakes"]] == (["slope-form"] if code else [])
        told = tutor("trace", "step.json")
        assert ("(slope-form)" in told.stdout) == bool(code) and "cross entropy, averaged" in " ".join(
            told.stdout.split()
        )
    narrated = tutor("trace", "step.json", "--narrate")
    assert "W1_new, 3 by 4: right" in narrated.stdout and "│" not in narrated.stdout


def test_the_equation_is_in_the_writers_orientation() -> None:
    for style, right in (
        (Style(), "dW2 = A1ᵀ·dZ2"),
        (Style(columns=True, out_in=True), "dW2 = dZ2·A1ᵀ"),
        (Style(out_in=True), "dW2 = dZ2ᵀ·A1"),
        (Style(columns=True), "dW2 = A1·dZ2ᵀ"),
    ):
        report = checked(recorded(PLAIN, style, ("overwritten",), 2), PLAIN)
        assert report.mistakes[0].right == right
        assert ("rows" if not style.columns else "columns") == report.conventions["examples"]


def square(transposed: bool) -> Arrays:
    r = np.random.default_rng(3)
    X, y = r.normal(size=(5, 4)), r.normal(size=(5, 4))
    W1, W2 = r.normal(size=(4, 4)), r.normal(size=(4, 4))
    A1 = np.tanh(X @ W1)
    P = A1 @ W2
    d2 = (P - y) / 5
    d1 = (d2 @ (W2 if transposed else W2.T)) * (1 - A1**2)
    return {
        "X": X,
        "y": y,
        "W1": W1,
        "W2": W2,
        "A1": A1,
        "P": P,
        "loss": ((P - y) ** 2).sum() / 10,
        "dW1": X.T @ d1,
        "dW2": A1.T @ d2,
    }


def test_a_transpose_that_shapes_do_not_tell() -> None:
    assert traced(square(False)).is_right
    report = traced(square(True))
    assert verdicts(report) == {"A1": "right", "P": "right", "loss": "right", "dW2": "right", "dW1": "wrong"}
    assert ids(report) == ["transposed"] and report.mistakes[0].written == "dA1 = dZ2·W2"


def test_biases_in_the_weights() -> None:
    r = np.random.default_rng(1)
    X, y = r.normal(size=(6, 3)), r.integers(0, 2, 6)
    W1, W2 = r.normal(size=(4, 5)), r.normal(size=(6, 1))
    one = np.ones((6, 1))
    X1 = np.hstack([X, one])
    A1 = np.tanh(X1 @ W1)
    H = np.hstack([A1, one])
    P = 1 / (1 + np.exp(-H @ W2))
    d2 = (P - y[:, None]) / 6
    d1 = (d2 @ W2[:-1].T) * (1 - A1**2)
    arrays = {"X": X1, "y": y, "W1": W1, "W2": W2, "A1": H, "P": P, "dW1": X1.T @ d1, "dW2": H.T @ d2}
    report = traced(arrays)
    assert report.is_right and report.conventions["biases"] == "last in the weights"
    assert traced({**arrays, "X": X}).is_right
    wrong = traced({**arrays, "dW1": X1.T @ (d2 @ W2[:-1].T)})
    assert ids(wrong) == ["missing-slope"] and verdicts(wrong)["dW1"] == "wrong"


def test_outputs_before_the_softmax() -> None:
    arrays = recorded(PLAIN, Style())
    arrays["P"] = arrays.pop("Z2")
    report = checked(arrays, PLAIN)
    assert report.is_right and any("before the softmax" in remark for remark in report.remarks)


def test_a_logarithm_with_something_added() -> None:
    arrays = recorded(PLAIN, Style())
    for epsilon in (1e-8, 1e-12):
        arrays["loss"] = -np.mean(np.log(arrays["P"][np.arange(4), arrays["y"]] + epsilon))
        assert checked(arrays, PLAIN).is_right


def test_the_mark_is_in_the_numbers() -> None:
    """A factor is one of the whole array, small entries among them; what differs only where a ReLU is shut is none."""
    r = np.random.default_rng(5)
    X, W = r.normal(size=(6, 3)), r.normal(size=(3, 4))
    Z = X @ W
    shut = traced({"X": X, "W1": W, "Z1": Z, "A1": Z, "W2": np.eye(4), "Z2": Z}, activation="relu").mistakes[0]
    assert (shut.id, shut.mark) == ("no-activation", "only where the weighted sum is below 0")
    small = np.array([1.0, 1e-6, 0.5, 2.0]) * Z
    fourfold = traced({"X": X, "W1": W * np.array([1.0, 1e-6, 0.5, 2.0]), "Z1": 4 * small}).mistakes[0]
    assert fourfold.mark == "the whole array is times 4"


# Precision


def scaled(dtype: Any, factor: float) -> Any:
    task = replace(PLAIN, dtype=dtype, sizes=(3, 4, 2), n=8)
    arrays = recorded(task, Style())
    arrays["dW1"] = (arrays["dW1"].astype(float) * factor).astype(dtype)
    del arrays["W1_new"]
    return checked(arrays, task)


def test_a_factor_is_wrong_where_the_precision_shows_it() -> None:
    assert scaled(float, 1 + 1e-9).mistakes and scaled(np.float32, 1.001).mistakes
    assert scaled(np.float16, 1.0001).is_right and scaled(np.float16, 1.2).mistakes


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_any_order_of_adding_is_right(dtype: Any) -> None:
    """Sums of 3,000 terms, added forwards and backwards in the type itself."""
    r = np.random.default_rng(0)
    X, W = r.normal(size=(2, 3000)).astype(dtype), r.normal(size=(3000, 2)).astype(dtype) / dtype(50)
    for step in (1, -1):
        Z = np.add.accumulate(X[:, ::step, None] * W[None, ::step], axis=1, dtype=dtype)[:, -1]
        report = traced({"X": X, "W1": W, "Z1": Z})
        assert verdicts(report) == {"Z1": "right"}
        assert report.conventions["precision"] == {8: "double", 4: "single", 2: "half"}[np.dtype(dtype).itemsize]


def test_lists_from_single_precision_are_single() -> None:
    task = replace(PLAIN, dtype=np.float32)
    report = checked(recorded(task, STYLES["lists"]), task)
    assert report.is_right and report.conventions["precision"] == "single"


def test_printed_with_a_few_decimals() -> None:
    arrays = {
        n: np.round(np.asarray(v, float), 5) for n, v in recorded(replace(PLAIN, n=8), Style(gradient="sum")).items()
    }
    assert checked(arrays, PLAIN).is_right
    wrong = {
        n: np.round(np.asarray(v, float), 5)
        for n, v in recorded(replace(PLAIN, n=8), Style(gradient="sum"), ("missing-slope",)).items()
    }
    assert ids(checked(wrong, PLAIN)) == ["missing-slope"]


@pytest.mark.parametrize("mistakes", [(), ("missing-slope",)])
@pytest.mark.parametrize("dtype", [float, np.float32])
def test_a_large_step_takes_three_times_its_arrays(dtype: Any, mistakes: tuple[str, ...]) -> None:
    """Those that were recorded among them. What is loaded when something is first checked is no memory of a step."""
    task = Task((784, 128, 10), "classes", "relu", 128, dtype=dtype)
    checked(recorded(replace(task, sizes=(5, 4, 3)), Style(), mistakes), task)
    arrays = recorded(task, Style(), mistakes)
    tracemalloc.start()
    try:
        report = checked(arrays, task)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [*mistakes] == ids(report)
    assert peak <= 3 * sum(np.asarray(array).nbytes for array in arrays.values())


@pytest.mark.parametrize("style", ["rows", "columns", "divided at the end"])
@pytest.mark.parametrize("mistake", ["", "missing-slope", "bias-mean", "ascent", "transposed-product", "overwritten"])
def test_a_large_step_is_read_as_a_small_one(style: str, mistake: str) -> None:
    """Matrices that are worked in blocks, in every orientation: the same verdicts and mistakes."""
    said = []
    for sizes in ((6, 5, 3), (300, 130, 3)):
        task = Task(sizes, "classes", "tanh", 7, seed=3)
        report = checked(recorded(task, STYLES[style], (mistake,) if mistake else ()), task)
        said.append((verdicts(report), ids(report), [m.arrays for m in report.mistakes]))
    assert said[0] == said[1] and bool(said[0][1]) == bool(mistake)


# Single mistakes that need arrays of their own


def test_the_first_that_is_not_finite() -> None:
    X = np.array([[1000.0, 1.0], [0.5, -1.0]])
    W = np.array([[1.0, -1.0], [0.5, 0.25]])
    with np.errstate(all="ignore"):
        Z = X @ W
        P = np.exp(Z) / np.exp(Z).sum(1, keepdims=True)
        d = (P - np.eye(2)) / 2
        report = traced({"X": X, "y": [0, 1], "W": W, "Z": Z, "P": P, "dW": X.T @ d})
    assert verdicts(report) == {"Z": "right", "P": "wrong", "dW": "carried"}
    assert ids(report) == ["not-finite"] and "exp" in report.mistakes[0].message
    assert json.loads(as_json(report))["arrays"][1]["error"] is None


def test_updates_lost_in_whole_numbers() -> None:
    X, W = np.array([[1.0, 2.0], [0.5, -1.0]]), np.array([[3], [-2]])
    dW = X.T @ (X @ W - np.array([[1.0], [0.0]])) / 2
    report = traced(
        {"X": X, "y": [1, 0], "W": W, "dW": dW, "W_new": (W - 0.1 * dW).astype(int)},
        learning_rate=0.1,
        loss="half_squared_error",
        output_activation="linear",
    )
    assert ids(report) == ["integer-update"]


def test_two_names_for_one_array() -> None:
    """`W1_old = W1` keeps nothing: what is recorded as the old weights are the new ones."""
    arrays = recorded(PLAIN, Style())
    old = {**arrays, **{n: arrays[f"{n}_new"] for n in ("W1", "b1", "W2", "b2")}}
    assert ids(checked(old, PLAIN)) == ["aliased"]


def test_a_gradient_that_was_not_set_to_zero() -> None:
    first, second = recorded(PLAIN, Style()), recorded(replace(PLAIN, seed=8), Style())
    for name in ("dW1", "db1", "dW2", "db2"):
        second[name] = second[name] + first[name]
    for name in ("W1", "b1", "W2", "b2"):
        second[f"{name}_new"] = second[name] - 0.5 * second[f"d{name}"]
    one, two = Step().record(**first), Step().record(**second)
    assert ids(two.check(before=[one], learning_rate=0.5)) == ["accumulated"]


def adam(n_steps: int, corrected: bool = True) -> Arrays:
    """The state of Adam after some steps on one layer, in plain NumPy."""
    r = np.random.default_rng(2)
    X, y = r.normal(size=(6, 3)), r.normal(size=(6, 2))
    W, m, v = r.normal(size=(3, 2)), np.zeros((3, 2)), np.zeros((3, 2))
    for t in range(1, n_steps + 1):
        before = {"X": X, "y": y, "W": W, "m_W": m, "v_W": v, "t": t}
        dW = X.T @ (X @ W - y) / 6
        m, v = 0.9 * m + 0.1 * dW, 0.999 * v + 0.001 * dW**2
        mh, vh = (m / (1 - 0.9**t), v / (1 - 0.999**t)) if corrected else (m, v)
        W = W - 0.01 * mh / (np.sqrt(vh) + 1e-8)
    return {**before, "loss": ((X @ before["W"] - y) ** 2).sum() / 12, "dW": dW, "m_W_new": m, "v_W_new": v, "W_new": W}


def test_adam() -> None:
    for t in (1, 4):
        said = {"optimizer": "adam", "learning_rate": 0.01}
        assert traced(adam(t), **said).is_right
        assert ids(traced(adam(t, corrected=False), **said)) == ["missing-bias-correction"]
    anew = adam(3)
    anew["m_W_new"] = 0.1 * anew["dW"]
    assert "stale-moment" in ids(traced(anew, optimizer="adam", learning_rate=0.01))


def test_the_other_momentum() -> None:
    r = np.random.default_rng(2)
    X, y, W, v = r.normal(size=(6, 3)), r.normal(size=(6, 1)), r.normal(size=(3, 1)), r.normal(size=(3, 1))
    dW = X.T @ (X @ W - y) / 6
    arrays = {"X": X, "y": y, "W": W, "v_W": v, "dW": dW, "v_W_new": 0.9 * v + dW, "W_new": W - 0.1 * (0.9 * v + dW)}
    said = {"optimizer": "momentum", "learning_rate": 0.1, "update": 5, "loss": "half_squared_error"}
    assert ids(traced(arrays, **said)) == ["other-convention"]
    assert traced(arrays, **said, optimizer_setting={"classical": True}).is_right


def dropout(scale: bool, masked: bool) -> Arrays:
    r = np.random.default_rng(4)
    X, y, W1, W2 = r.normal(size=(8, 3)), r.normal(size=(8, 1)), r.normal(size=(3, 6)), r.normal(size=(6, 1))
    mask = (r.random((8, 6)) < 0.75).astype(float)
    H = np.tanh(X @ W1)
    A1 = H * mask / (0.75 if scale else 1)
    P = A1 @ W2
    d2 = (P - y) / 8
    d1 = d2 @ W2.T * (1 - H**2) * (mask / (0.75 if scale else 1) if masked else 1)
    return {
        "X": X,
        "y": y,
        "W1": W1,
        "W2": W2,
        "mask1": mask,
        "A1": A1,
        "P": P,
        "loss": ((P - y) ** 2).sum() / 16,
        "dW1": X.T @ d1,
        "dW2": A1.T @ d2,
    }


def test_dropout() -> None:
    said = {"activation": "tanh", "dropout": 0.25}
    assert traced(dropout(True, True), **said).is_right
    assert ids(traced(dropout(True, False), **said)) == ["dropout-mask"]
    assert ids(traced(dropout(False, True), **said)) == ["dropout-scale"]


@pytest.mark.parametrize("numpy", [False, True])
def test_a_difference_that_became_a_square(numpy: bool) -> None:
    """(n, 1) against (n,): in NumPy the gradient is (n, n), with automatic derivatives it is a mean over all pairs."""
    r = np.random.default_rng(4)
    X, y, W = r.normal(size=(5, 3)), r.normal(size=5), r.normal(size=(3, 1))
    P = X @ W
    loss = np.mean((P - y) ** 2)
    d = 2 * (P - y) / 5 if numpy else (2 * (P - y) / 25).sum(1, keepdims=True)
    report = traced({"X": X, "y": y, "W": W, "P": P, "loss": loss, "dZ": d, "dW": X.T @ d}, loss="squared_error")
    assert "broadcast" in {i for m in report.mistakes for i in (m.id, *m.also)} and verdicts(report)["loss"] == "wrong"


# What is read, and what is said


def write(tutor: Tutor, what: Any, name: str = "s.json") -> str:
    (tutor.folder / name).write_text(what if isinstance(what, str) else json.dumps(what))
    return name


def listed(arrays: Arrays) -> Arrays:
    return {name: np.asarray(value).tolist() for name, value in arrays.items()}


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ("[", 2, "no JSON"),
        ("[]", 2, "has to hold"),
        ('{"X": [[1, 2], [3]]}', 2, "no array of numbers"),
        ('{"X": "text"}', 2, "no array"),
        ('{"X": [[[1]]]}', 2, "dimensions"),
        ('{"foo": [1]}', 3, "foo"),
        ('{"X": [[1, 2]]}', 3, "record"),
        ('{"X": [[1, 2]], "W1": [[1], [2]], "y": [1, 2, 3], "P": [[5]]}', 2, "y has the shape"),
    ],
)
def test_what_cannot_be_checked(text: str, code: int, told: str, tutor: Tutor) -> None:
    done = tutor("trace", write(tutor, text))
    assert done.returncode == code and told in done.stderr and not done.stdout


def test_options_that_nothing_is_called(tutor: Tutor) -> None:
    file = write(tutor, listed(recorded(PLAIN, Style())))
    for options in (
        ("--activation", "tahn"),
        ("--loss", "x"),
        ("--precision", "x"),
        ("--learning-rate", "-1"),
        ("--optimizer-setting", "beta"),
        ("--why", "dW9[0]"),
        ("--why", "dW1[9,9]"),
        ("--dropout", "2"),
        ("--l2", "-1"),
        ("--elastic-net", "nan"),
    ):
        done = tutor("trace", file, *options)
        assert done.returncode == 2 and len(done.stderr.splitlines()) <= 2, options
    assert tutor("trace").returncode == 2 and tutor("trace", "nothing.npz").returncode == 2


def test_an_unknown_array_is_told() -> None:
    report = checked({**recorded(PLAIN, Style()), "foo": [1.0]}, PLAIN)
    assert report.is_right and any("foo" in remark for remark in report.remarks)


def test_names_of_a_state_dict() -> None:
    plain = recorded(PLAIN, Style(out_in=True))
    names = {
        "W1": "fc1.weight",
        "b1": "fc1.bias",
        "W2": "fc2.weight",
        "b2": "fc2.bias",
        "dW1": "fc1.weight.grad",
        "db1": "fc1.bias.grad",
        "dW2": "fc2.weight.grad",
        "db2": "fc2.bias.grad",
    }
    report = traced({names[n]: plain[n] for n in names} | {"X": plain["X"], "y": plain["y"]}, activation="tanh")
    assert (
        set(verdicts(report)) == {"fc1.weight.grad", "fc1.bias.grad", "fc2.weight.grad", "fc2.bias.grad"}
        and report.is_right
    )


def test_what_is_said_is_found() -> None:
    """Nothing but the arrays: activation, loss and learning rate come out of them."""
    for name, task in TASKS.items():
        report = traced(recorded(replace(task, n=7), Style()))
        assert report.is_right, name
        assert report.conventions["learning_rate"] == pytest.approx(task.eta)
        assert set(report.conventions["activations"][:-1]) <= {task.activation}


def test_json_is_what_its_type_says(tutor: Tutor) -> None:
    from tutor.trace.report import TraceReport
    from tutor.trace.why import EntryReport

    file = write(tutor, listed(recorded(PLAIN, Style(), ("missing-slope",))))
    for options, kind, code in (((), TraceReport, 1), (("--why", "dW1[0,2]"), EntryReport, 0)):
        done = tutor("trace", file, "--json", *options)
        assert done.returncode == code
        assert json.loads(as_json(msgspec.json.decode(done.stdout, type=kind))) == json.loads(done.stdout)
    found = json.loads(tutor("trace", file, "--json").stdout)
    assert set(found["arrays"][0]) == {"name", "shape", "verdict", "digits", "error", "where"}
    assert {"id", "arrays", "message", "right", "written"} <= set(found["mistakes"][0])


def test_why_opens_the_sum(tutor: Tutor) -> None:
    arrays = recorded(PLAIN, Style())
    file = write(tutor, listed(arrays))
    entry = tutor.json("trace", file, "--why", "dW1[0,2]")
    terms = arrays["X"][:, 0] * arrays["dZ1"][:, 2]
    assert [t["value"] for t in entry["terms"]] == pytest.approx(list(terms))
    assert entry["total"] == pytest.approx(arrays["dW1"][0, 2]) and entry["terms"][1]["text"] == "X[1,0]·dZ1[1,2]"
    assert entry["verdict"] == "right" and "│" not in tutor("trace", file, "--why", "dW1[0,2]", "--narrate").stdout


def test_the_same_step_as_a_lesson(tutor: Tutor) -> None:
    """Its worksheet comes to the gradients of the program."""
    arrays = recorded(PLAIN, Style())
    file = write(tutor, listed(arrays))
    assert tutor("trace", file, "--lesson", "out.toml").returncode == 0
    sheet = {line["name"]: float(line["value"]) for line in tutor.json("run", "out.toml")["steps"]}
    entry = tutor.json("trace", file, "--why", "dW1[0,2]")
    assert sheet[entry["worksheet"]] == pytest.approx(arrays["dW1"][0, 2], rel=1e-9)
    large = write(tutor, listed(recorded(replace(PLAIN, sizes=(9, 9, 2)), Style())))
    assert tutor("trace", large, "--lesson", "large.toml").returncode == 2


def test_saved_steps(tutor: Tutor) -> None:
    arrays = recorded(replace(PLAIN, dtype=np.float32), Style(columns=True))
    step = Step().record(**arrays)
    for name in ("s.npz", "s.json"):
        step.save(tutor.folder / name)
        step.save(tutor.folder / name, force=name.endswith("json"))
        assert tutor.json("trace", name)["conventions"]["precision"] == "single"
    with pytest.raises(TutorError):
        step.save(tutor.folder / "s.txt")


def test_recorded_as_it_is_now() -> None:
    W = np.ones((2, 2))
    step = Step().record(W1=W)
    W += 1
    assert step.arrays["W1"].tolist() == [[1, 1], [1, 1]]
    with pytest.raises(TutorError, match="W1_new"):
        step.record(W1=W)
    with pytest.raises(NothingThere):
        step.check()


def test_several_steps_in_a_file(tutor: Tutor) -> None:
    steps = [listed(recorded(replace(PLAIN, seed=seed), Style(), ("ascent",) if seed == 2 else ())) for seed in (1, 2)]
    found = tutor.json("trace", write(tutor, steps), fails=1, TUTOR_LEARNING_RATE="0.5")
    assert [m["step"] for m in found["mistakes"]] == [2] and found["mistakes"][0]["id"] == "ascent"


def test_nothing_heavy_is_loaded() -> None:
    code = "import sys, tutor.trace; print([m for m in ('sympy', 'rich', 'torch', 'typer', 'msgspec') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Gradients of functions


def of_layer(dtype: Any = float) -> tuple[Any, Any, Any]:
    r = np.random.default_rng(0)
    X, y, W = (r.normal(size=s).astype(dtype) for s in ((5, 3), (5, 1), (3, 1)))
    A = np.tanh(X @ W)
    return lambda w: np.mean((np.tanh(X @ w) - y) ** 2) / 2, W, X.T @ ((A - y) * (1 - A * A)) / dtype(5)


def test_check_gradient() -> None:
    function, W, gradient = of_layer()
    right = check_gradient(function, W, gradient)
    assert right.verdict == "right" and right.digits >= 12 and "complex" in right.method
    wrong = check_gradient(function, W, gradient * (1 + 1e-6))
    assert (
        wrong.verdict == "wrong"
        and len(wrong.wrong) == 3
        and "times the gradient" in str(check_gradient(function, W, 2 * gradient))
    )


def test_check_gradient_in_single_precision() -> None:
    function, W, gradient = of_layer(np.float32)
    assert check_gradient(function, W, gradient).verdict == "right"
    assert check_gradient(function, W, gradient * np.float32(1.2)).verdict == "wrong"


def test_kinks_are_left_out_and_said() -> None:
    at = np.array([0.0, 1.0, -2.0])
    report = check_gradient(lambda w: float(np.abs(w).sum()), at, np.array([0.3, 1.0, -1.0]))
    assert report.verdict == "right" and "[0]" in report.remarks[0]
    assert check_gradient(lambda w: float(np.abs(w).sum()), at, np.array([0.0, 1.0, 1.0])).verdict == "wrong"


def test_check_gradient_takes_dictionaries_and_refuses_shapes() -> None:
    at = {"a": np.array([1.0, 2.0]), "b": np.array(3.0)}
    assert check_gradient(lambda p: p["a"] @ p["a"] + p["b"], at, {"a": [2.0, 4.0], "b": 1.0}).verdict == "right"
    with pytest.raises(TutorError, match="shapes"):
        check_gradient(lambda p: 0.0, at, {"a": [2.0], "b": 1.0})
    with pytest.raises(TutorError, match="one"):
        check_gradient(lambda w: w, np.ones(2), np.ones(2))


def test_the_programs_differ_with_their_mistakes() -> None:
    """A simulation whose mistakes changed nothing would show nothing."""
    task = replace(PLAIN, n=5)
    right = Program(task, Style()).run()
    assert all(
        first_difference(right, Program(task, Style(), (m,)).run(), float)
        for m in ("missing-slope", "ascent", "error-sign")
    )
    assert options_of(task)["loss"] == "cross_entropy"
