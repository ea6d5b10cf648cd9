"""Exported scripts: run as programs of their own, they predict and learn as the trainer does."""

from __future__ import annotations

import builtins
import json
import subprocess
import symtable
import sys
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Tutor
from hypothesis import given
from hypothesis import strategies as st
from variants import VARIANTS, typed

from tutor.data.builtin import Data, load
from tutor.data.source import source_of
from tutor.errors import TutorError
from tutor.export.plan import plan_of
from tutor.export.scripts import EXPORTS
from tutor.formulas.code import code_of
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.losses import LOSSES
from tutor.maths.penalties import PENALTIES
from tutor.numbers.arrays import ARITHMETICS
from tutor.runs.predict import outputs_of
from tutor.runs.run import Run, go_on, load_run, save_run
from tutor.training.matrix.engine import MatrixEngine
from tutor.training.settings import Settings
from tutor.training.setup import set_up

Array = Any
SLOPING = [name for name, entry in ACTIVATIONS.items() if entry.slope]
RICH = {"hidden": (4, 4, 4), "batch_norm": True, "residual": True}
CASES: list[tuple[str, dict[str, Any]]] = [
    *(("iris", {"activation": name}) for name in SLOPING),
    *(("moons", {"activation": name, **RICH}) for name in SLOPING),
    *(("iris", {"optimizer": name, "optimizer_setting": typed(settings)}) for name, settings in VARIANTS),
    *(("moons", {"output_activation": name, "loss": "half_squared_error"}) for name in SLOPING),
    *(("sine", {"loss": name}) for name, entry in LOSSES.items() if not entry.output),
    *(("iris", {"loss": name}) for name in ("mean_squared_error", "cross_entropy", "squared_error")),
    ("iris", {"loss": "half_squared_error", "output_activation": "tanh"}),
    ("moons", {"output_activation": "softmax", "loss": "cross_entropy"}),
    ("moons", {"optimizer": "adaptive_sign", "l1": 0.01, "l2": 0.02}),
    *(("moons", {"optimizer": "adaptive_sign", name: 0.02}) for name in PENALTIES),
    ("iris", {"elastic_net": 0.01, "penalty_setting": {"l1_ratio": "0.2"}}),
    ("iris", {"l1": 0.05, "elastic_net": 0.02, "proximal": True, "optimizer": "sgd"}),
    ("moons", {"optimizer": "adaptive_sign", "l1": 0.02, "l2": 0.01, "proximal": True}),
    ("iris", {"l1": 0.05, "proximal": True, "schedule": "inverse_time", **RICH}),
    ("iris", {"freeze": ("1",)}),
    ("moons", {"freeze": ("1", "3"), "l1": 0.01, "l2": 0.01, "clip_norm": 0.02, "optimizer": "adaptive_sign", **RICH}),
    ("iris", {"freeze": ("output",), "l1": 0.05, "proximal": True, "optimizer": "adamw", "clip_value": 0.02}),
    ("moons", {"freeze": ("2",), "update_order": "output-first", "l1": 0.01, "proximal": True, **RICH}),
    ("iris", {"update_order": "output-first"}),
    ("moons", {"update_order": "output-first", "l2": 0.01, "clip_value": 0.03, **RICH}),
    ("moons", {"update_order": "output-first", "l1": 0.01, "optimizer": "adaptive_sign"}),
    ("iris", {"update_order": "output-first", "l1": 0.05, "l2": 0.02, "proximal": True, **RICH}),
    ("sine", {"loss": "huber", "loss_setting": {"delta": "0.2"}}),
    ("moons", {"l1": 0.01, "clip_value": 0.03, "optimizer": "sgd"}),
    ("iris", {"l2": 0.01, "clip_norm": 0.05, "optimizer": "adagrad", **RICH}),
    ("iris", {"normalize": "zscore", "schedule": "cosine", "schedule_setting": {"epochs": "9"}}),
    ("iris", {"normalize": "minmax", "schedule": "inverse_time"}),
    ("iris", {"normalize": "unit", "activation": "gelu"}),
    ("digits", {"schedule": "step", "schedule_setting": {"every": "1"}}),
    ("moons", {"schedule": "exponential", "arithmetic": "fast"}),
    ("iris", {"dropout": 0.3, "dropconnect": 0.2, **RICH, "stochastic_depth": 0.2, "normalize": "zscore"}),
    ("xor", {"hidden": ()}),
    ("spirals", {"validation": 0.3, "patience": 2, "epochs": 6}),
]
_EXAMPLES = 9
_UPDATES = 3
DRIVER = """
import importlib.util, json, sys
found = {}
for name, case in json.load(open("cases.json")).items():
    spec = importlib.util.spec_from_file_location("script", f"{name}.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    before = script.predict(case["x"]).tolist()
    losses = [script.update(case["x"], case["targets"]) for _ in range(3)]
    if hasattr(script, "network"):
        w = [value for p in script.network.parameters() for value in p.detach().reshape(-1).tolist()]
    else:
        w = script.w.tolist()
    found[name] = {"before": before, "losses": losses, "w": w, "after": script.predict(case["x"]).tolist()}
json.dump(found, sys.stdout)
"""


def made(data: str, settings: dict[str, Any], path: Path) -> tuple[Run, Data]:
    wanted = Settings(**{"hidden": (5, 4), "learning_rate": 0.02, "seed": 5, "epochs": 2, **settings})
    found = load(data, 5)
    trainer = set_up(found, wanted)
    trainer.run()
    save_run(path, source_of(data, None, 5), found, trainer)
    return load_run(path), found


def learned(run: Run, data: Data, weights: str) -> dict[str, Any]:
    """What matrices make of the saved network, and of the next three updates by some of its examples."""
    wanted = replace(run.settings, dropout=0.0, dropconnect=0.0, stochastic_depth=0.0)
    trainer, plan = set_up(data, wanted), plan_of(run, weights)
    form = MatrixEngine(run.architecture, ARITHMETICS[wanted.arithmetic], trainer.data, wanted, plan.vector)
    running = {f"mean_{k}": mean[:, None] for k, (mean, _) in enumerate(plan.running)}
    running |= {f"variance_{k}": variance[:, None] for k, (_, variance) in enumerate(plan.running)}
    states = {f"state_{name}": array for name, array in plan.state.items()}
    form.restore({"vector": plan.vector, "updates": plan.updates, **states, **plan.shared, **running})
    network, optimization = form.network, form.optimization
    places = np.arange(0, len(data), max(1, len(data) // _EXAMPLES))[:_EXAMPLES]
    rows, targets = trainer.data.rows, np.ascontiguousarray(trainer.data.targets[:, places])
    before, losses = form.outputs(rows, places).T, []
    for _ in range(_UPDATES if wanted.update_order == "output-first" else 0):
        outputs = np.empty_like(targets)
        form.update.output_first(form.examples, places, targets, outputs, None, None, plan.epochs)
        losses.append(network.loss.mean(outputs, targets))
    for _ in range(_UPDATES - len(losses)):
        network.forward(form.examples.take(places), learning=True)
        losses.append(network.loss.mean(network.loss_inputs, targets))
        network.backward(targets)
        loss = losses[-1] + optimization.penalty(form.vector)
        optimization.step(form.vector, network.gradient, loss, plan.epochs)
    x = load(run.heading.source.name, 5).x[places]
    if weights == "trained":
        assert pytest.approx(before, rel=1e-14, abs=1e-14) == outputs_of(run, x).T
    after = form.outputs(rows, places).T
    return {"x": x, "targets": targets.T, "before": before, "losses": losses, "w": form.vector, "after": after}


def by_parameter(run: Run, vector: Array) -> Array:
    """The vector in the order of the module's parameters: weights, biases, layer by layer, then every gamma."""
    parts = [part.ravel() for matrix in run.architecture.matrices(vector) for part in (matrix[:, :-1], matrix[:, -1])]
    return np.concatenate([*parts, vector[run.architecture.dense :]])


def prepared_cases(folder: Path, to: str) -> dict[str, tuple[Run, dict[str, Any]]]:
    """A script for each case in the folder, and what each is to come to."""
    found, asked = {}, {}
    for number, (data, settings) in enumerate(CASES):
        run, examples = made(data, settings, folder / "r.npz")
        for weights in ("trained", "initial") if number % 7 == 0 else ("trained",):
            name = f"case{number}_{weights}"
            (folder / f"{name}.py").write_text(EXPORTS[to](plan_of(run, weights)), encoding="ascii")
            expected = learned(run, examples, weights)
            found[name] = run, expected
            asked[name] = {"x": expected["x"].tolist(), "targets": expected["targets"].tolist()}
    (folder / "cases.json").write_text(json.dumps(asked))
    (folder / "drive.py").write_text(DRIVER)
    return found


def agreement(folder: Path, to: str, python: str, tolerance: float) -> None:
    cases = prepared_cases(folder, to)
    done = subprocess.run([python, "-I", "drive.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    answers = json.loads(done.stdout)
    for name, (run, expected) in cases.items():
        expected["w"] = expected["w"] if to == "numpy" else by_parameter(run, expected["w"])
        for part in ("before", "losses", "w", "after"):
            right = pytest.approx(np.array(expected[part]), rel=tolerance, abs=tolerance)
            assert np.array(answers[name][part]) == right, (name, CASES[int(name[4:].split("_")[0])], part)
        assert not np.array_equal(answers[name]["before"], answers[name]["after"])


def test_numpy_scripts_predict_and_learn_as_the_trainer_does(tmp_path: Path) -> None:
    agreement(tmp_path, "numpy", sys.executable, 1e-12)


def test_the_next_update_of_a_script_is_that_of_the_resumed_training(tmp_path: Path) -> None:
    """All of XOR is one batch; small as it is, it is trained as straight-line code."""
    right, asked = {}, {}
    for place, (optimizer, settings) in enumerate(VARIANTS):
        name, wanted = f"case{place}", {"optimizer": optimizer, "optimizer_setting": typed(settings)}
        run, data = made("xor", {**wanted, "hidden": (2,), "epochs": 3}, tmp_path / "r.npz")
        (tmp_path / f"{name}.py").write_text(EXPORTS["numpy"](plan_of(run, "trained")))
        asked[name] = {"x": data.x.tolist(), "targets": data.y[:, None].tolist()}
        _, _, trainer = go_on(tmp_path / "r.npz", 3 + _UPDATES)
        trainer.run()
        assert trainer.engine.name == "straight-line"
        right[name] = trainer.engine.vector
    (tmp_path / "cases.json").write_text(json.dumps(asked))
    command = [sys.executable, "-I", "-c", DRIVER]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    for name, found in json.loads(done.stdout).items():
        assert found["w"] == pytest.approx(right[name], rel=1e-12, abs=1e-12), name


def test_pytorch_scripts_predict_and_learn_as_the_trainer_does(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    agreement(tmp_path, "pytorch", sys.executable, 1e-6)


TOGETHER: tuple[dict[str, Any], ...] = (
    {"freeze": ("1",)},
    {"update_order": "output-first"},
    {"l2": 0.01},
    {"l1": 0.01, "proximal": True},
    {"batch_norm": True},
    {"residual": True, "hidden": (4, 4)},
    {"optimizer": "adaptive_sign"},
    {"clip_value": 0.1},
    {"clip_norm": 1.0},
)


def undefined(script: str) -> set[str]:
    """The names that a script reads and nothing in it defines, as Python's own symbol table has them."""
    module = symtable.symtable(script, "script", "exec")
    known = {s.get_name() for s in module.get_symbols() if s.is_assigned() or s.is_imported()} | {*dir(builtins)}
    waiting, read = [module], set[str]()
    while waiting:
        scope = waiting.pop()
        waiting += scope.get_children()
        read |= {s.get_name() for s in scope.get_symbols() if s.is_referenced() and (s.is_global() or scope is module)}
    return read - known - {"__name__", "__file__"}


def test_scripts_of_any_three_options_read_only_what_they_define(tmp_path: Path) -> None:
    """Also where PyTorch is not there to run them."""
    seen = 0
    for three in combinations(TOGETHER, 3):
        settings = {name: value for one in three for name, value in one.items()}
        try:
            run, _ = made("moons", {**settings, "epochs": 1}, tmp_path / "r.npz")
        except TutorError:
            continue  # refused: one of them would have no effect
        for to in EXPORTS:
            assert undefined(EXPORTS[to](plan_of(run, "trained"))) == set(), (to, settings)
            seen += 1
    assert seen > 80 and undefined("import math\ndef f(x):\n    return math.sqrt(x) + g") == {"g"}


HOSTILE = ('"); import os; os.system("x', "'''\n\"\"\"\\", "\u202eevil\u2066", "\\' + quit() + '", "{0}%s\r\x1b[2J", "\ud800 \0 \u2028")  # fmt: skip


def test_names_from_data_are_only_ever_strings(tutor: Tutor) -> None:
    """A network with hostile names of columns and classes, and what was read of them back from the scripts."""
    path = tutor.folder / "r.json"
    run, _ = made("iris", {}, path)
    names, classes = tuple(HOSTILE[:4]), tuple(HOSTILE[3:])
    bad = replace(run, heading=type(run.heading)(**{**as_dict(run), "features": names, "classes": classes}))
    for to in EXPORTS:
        text = EXPORTS[to](plan_of(bad, "trained"))
        assert text.isascii() and text.replace("\n", "").isprintable()
        script = tutor.folder / f"{to}.py"
        script.write_text(text, encoding="utf-8")
        compile(text, "script", "exec")
        code = f"import re, ast; t = ast.parse(open({str(script)!r}, encoding='utf-8').read())\n"
        code += "d = {n.targets[0].id: ast.literal_eval(n.value) for n in t.body if isinstance(n, ast.Assign) and getattr(n.targets[0], 'id', '') in ('FEATURES', 'CLASSES')}\nprint(ascii(d))"
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == ascii({"FEATURES": names, "CLASSES": classes})
    (tutor.folder / "numpy.py").rename(tutor.folder / "network.py")  # as numpy.py it would hide NumPy from itself
    (tutor.folder / "e.csv").write_text("5.1,3.5,1.4,0.2\n")
    command = [sys.executable, "network.py", "e.csv"]
    done = subprocess.run(command, cwd=tutor.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "\x1b" not in done.stdout, done.stderr


def as_dict(run: Run) -> dict[str, Any]:
    return {name: getattr(run.heading, name) for name in run.heading.__struct_fields__}


def test_the_script_reads_a_table_and_prints_what_tutor_predicts(tutor: Tutor) -> None:
    made("iris", {"normalize": "zscore", "epochs": 4}, tutor.folder / "r.npz")
    rows = load("iris", 0).x[:5].tolist()
    heading = "petal width,petal length,sepal width,sepal length"
    (tutor.folder / "bare.csv").write_text("".join(",".join(map(str, row)) + ",?\n" for row in rows))
    (tutor.folder / "turned.csv").write_text(
        heading + "\n" + "".join(",".join(map(str, row[::-1])) + "\n" for row in rows)
    )
    told = tutor.json("predict", "r.npz", "--data", "turned.csv")
    assert tutor("export", "r.npz", "--output", "n.py").returncode == 0
    assert tutor("export", "r.npz", "--output", "r.npz").returncode == 2
    for table in ("bare.csv", "turned.csv"):
        done = subprocess.run(
            [sys.executable, "-I", "n.py", table], cwd=tutor.folder, capture_output=True, text=True, check=True
        )
        printed = [line.split("\t") for line in done.stdout.splitlines()]
        assert [row[0] for row in printed] == [p["class"] for p in told["predictions"]]
        for row, prediction in zip(printed, told["predictions"], strict=True):
            assert [float(cell) for cell in row[1:]] == pytest.approx(prediction["outputs"], rel=1e-5)
    for table, text in {
        "short.csv": "1,2\n",
        "words.csv": "1,2,3,x\n",
        "heading.csv": heading,
        "none.csv": None,
    }.items():
        if text is not None:
            (tutor.folder / table).write_text(text)
        command = [sys.executable, "n.py", table]
        done = subprocess.run(command, cwd=tutor.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 1 and done.stderr.startswith(f"{table}: ") and "sepal width" in done.stderr
    usage = subprocess.run([sys.executable, "n.py"], cwd=tutor.folder, capture_output=True, text=True, check=False)
    assert usage.returncode == 1 and usage.stderr.startswith("usage")
    for to in ("numpy", "pytorch"):
        shown = tutor("export", "r.npz", "--to", to, "--weights", "initial")
        assert shown.returncode == 0 and "with its first weights" in shown.stdout
        assert max(map(len, shown.stdout.splitlines())) <= 120


@given(st.recursive(st.integers(-9, 9), lambda part: st.tuples(st.sampled_from("+-*/n^"), part, part), max_leaves=12))
def test_a_written_formula_means_what_was_computed(tree: Any) -> None:
    """Random formulas of integers, whose text is worked by Python, against the same operations on fractions."""
    import ast
    from fractions import Fraction

    def worked(node: Any, number: Any) -> Any:
        if isinstance(node, int):
            return number(node)
        sign, a, b = node[0], worked(node[1], number), worked(node[2], number)
        match sign:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "/":
                return a / b
            case "n":
                return -a
        return a**2

    def value(node: Any) -> Fraction:
        match node:
            case ast.BinOp(left, ast.Pow(), ast.Constant(2)):
                return value(left) ** 2
            case ast.BinOp(left, op, right):
                a, b = value(left), value(right)
                signs = {ast.Add: Fraction.__add__, ast.Sub: Fraction.__sub__, ast.Mult: Fraction.__mul__}
                return signs[type(op)](a, b) if type(op) in signs else a / b
            case ast.UnaryOp(ast.USub(), part):
                return -value(part)
        assert isinstance(node, ast.Constant)
        return Fraction(node.value)

    text = worked(tree, code_of).whole
    parsed = ast.parse(text, mode="eval").body
    try:
        right = worked(tree, Fraction)
    except ZeroDivisionError:
        return
    assert value(parsed) == right
