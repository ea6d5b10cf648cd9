"""Generated code for matrices: it does what NumPy does with the same formulas, to the last bit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import fuzz
from hypothesis import given
from hypothesis import strategies as st
from variants import VARIANTS

from tutor.data.builtin import load
from tutor.maths.activations import ACTIVATIONS
from tutor.maths.optimizers import OPTIMIZERS
from tutor.maths.schedules import SCHEDULES
from tutor.numbers.arrays import ARITHMETICS
from tutor.training.matrix import code as generated
from tutor.training.matrix import update
from tutor.training.matrix.code import Code
from tutor.training.matrix.engine import MatrixEngine
from tutor.training.settings import Settings
from tutor.training.setup import LARGEST, set_up

Array = Any
STATE: dict[str, Callable[[Any, list[Any], int, int, int], Any]] = {
    "add": lambda m, x, i, j, k: x[i] + x[j],
    "scale": lambda m, x, i, j, k: 0.3 * x[i] - k,
    "divide": lambda m, x, i, j, k: x[i] / (2 + x[j] * x[j]),
    "square": lambda m, x, i, j, k: x[i] ** 2,
    "product": lambda m, x, i, j, k: np.dot(x[i], x[j].T),
    "exact": lambda m, x, i, j, k: m.multiply(m.operand(x[i], 9), m.transposed(m.operand(x[j], 9))),
    "choice": lambda m, x, i, j, k: m.positive(x[i] - k, x[j], 0.5),
    "ramp": lambda m, x, i, j, k: m.positive(x[i], x[i], 0),
    "sums": lambda m, x, i, j, k: x[j] - m.sums(x[i]),
    "column sums": lambda m, x, i, j, k: x[j] - m.column_sums(x[i]),
    "largest": lambda m, x, i, j, k: x[j] - np.maximum.reduce(x[i], axis=0),
    "exp": lambda m, x, i, j, k: m.exp(x[i]),
    "softplus": lambda m, x, i, j, k: m.log_one_plus_exp(x[i]),
    "tanh": lambda m, x, i, j, k: m.tanh(x[i]),
    "root": lambda m, x, i, j, k: m.sqrt(x[i] * x[i] + m.number("0.1")),
    "number": lambda m, x, i, j, k: x[i] * (1 - m.total(x[j]) / 7),
}
"""New arrays from two that there are."""


def put(m: Any, x: list[Any], i: int, j: int, k: int) -> None:
    x[i][...] = x[j]


def put_rows(m: Any, x: list[Any], i: int, j: int, k: int) -> None:
    x[i][k:] = x[j][k:] + 1


def add_to(m: Any, x: list[Any], i: int, j: int, k: int) -> None:
    changed = x[i]
    changed += x[j]


CHANGES = {"put": put, "rows": put_rows, "add to": add_to}
LINE = st.tuples(st.sampled_from([*STATE, *CHANGES]), *[st.integers(0, 20)] * 2, st.integers(0, 2))


def worked(system: Any, arrays: list[Any], lines: list[tuple[str, int, int, int]]) -> int:
    """How many of the lines were worked, up to one that asks for an array that code has moved."""
    known = list(arrays)
    for number, (name, i, j, k) in enumerate(lines):
        if name in STATE:
            known.append(STATE[name](system, known, i % len(known), j % len(known), k))
        else:
            try:
                CHANGES[name](system, known, i % len(known), j % len(known), k)
            except AssertionError:
                return number
    return len(lines)


@fuzz(150)
@given(st.sampled_from(sorted(ARITHMETICS)), st.lists(LINE, min_size=1, max_size=12), st.integers(0, 99))
def test_code_does_what_numpy_does(arithmetic: str, lines: list[tuple[str, int, int, int]], seed: int) -> None:
    system = ARITHMETICS[arithmetic]
    draw = np.random.Generator(np.random.Philox(seed))
    plain = [draw.normal(size=(3, 3)) for _ in range(3)]
    coded = [array.copy() for array in plain]
    code = Code({})
    with np.errstate(all="ignore"):
        count = worked(system, [code.leaf(array) for array in coded], lines)
        code.function([])()
        worked(system, plain, lines[:count])
    assert [array.tobytes() for array in coded] == [array.tobytes() for array in plain]


def test_an_old_value_that_is_asked_for_later_is_still_there() -> None:
    """Where a new state takes the place of the old one at once, nothing may ask for the old one any more."""
    state, other = np.array([1.0, 2.0]), np.array([0.0, 0.0])
    code = Code({})
    old, last = code.leaf(state), code.leaf(other)
    new = old + 1
    difference = new - old
    old[...] = new
    last[...] = difference
    code.function([])()
    assert state.tolist() == [2, 3] and other.tolist() == [1, 1]


def bits_of(wanted: Settings, data: str, worth: int, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Everything that a training leaves behind, where so many updates are worked before code is written."""
    with monkeypatch.context() as patch:
        patch.setattr(update, "worth", lambda parameters: worth)
        patch.setitem(LARGEST, wanted.arithmetic, 0)
        trainer = set_up(load(data, 1), wanted)
        result = trainer.run()
    assert isinstance(trainer.engine, MatrixEngine)
    bits = {name: np.asarray(value).tobytes() for name, value in trainer.engine.state().items()}
    return bits | {"losses": [epoch.loss.hex() for epoch in result.history], "ended": result.ended}


@st.composite
def trainings(draw: st.DrawFn) -> Settings:
    hidden = draw(st.sampled_from([(), (3,), (4, 4), (5, 5, 2)]))
    name, chosen = draw(st.sampled_from(VARIANTS))
    residual = len(hidden) > 1 and draw(st.booleans())
    return Settings(
        hidden=hidden,
        activation=draw(st.sampled_from([name for name, entry in ACTIVATIONS.items() if entry.slope]))
        if hidden
        else "tanh",
        output_activation=draw(st.sampled_from(["", "tanh", "linear"])),
        optimizer=name,
        optimizer_setting={setting: str(value).lower() for setting, value in chosen.items()},
        schedule="constant" if OPTIMIZERS[name].adapts_rate else draw(st.sampled_from(sorted(SCHEDULES))),
        batch_norm=bool(hidden) and draw(st.booleans()),
        residual=residual,
        stochastic_depth=0.3 if residual and draw(st.booleans()) else 0.0,
        dropout=0.2 if hidden and draw(st.booleans()) else 0.0,
        dropconnect=draw(st.sampled_from([0.0, 0.1])),
        l1=draw(st.sampled_from([0.0, 0.01])),
        l2=draw(st.sampled_from([0.0, 0.02])),
        clip_value=draw(st.sampled_from([None, 0.1])),
        clip_norm=draw(st.sampled_from([None, 0.2])),
        class_weights=draw(st.booleans()),
        batch_size=draw(st.sampled_from([7, 40, 150])),
        learning_rate=draw(st.sampled_from([None, 0.1, 1e4])),
        normalize=draw(st.sampled_from(["", "zscore"])),
        arithmetic=draw(st.sampled_from(["fast", "reproducible"])),
        epochs=3,
    )


@fuzz(25)
@given(wanted=trainings())
def test_a_training_has_the_same_bits_with_and_without_code(wanted: Settings) -> None:
    with pytest.MonkeyPatch.context() as patch:
        assert bits_of(wanted, "iris", 2, patch) == bits_of(wanted, "iris", 10**9, patch)


@pytest.mark.parametrize("augment", ["shift=1", "noise=0.05"])
def test_examples_that_change_have_code_of_their_kind(augment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Settings(hidden=(4,), augment=augment, batch_size=600, epochs=4)
    assert bits_of(wanted, "digits", 2, monkeypatch) == bits_of(wanted, "digits", 10**9, monkeypatch)


def test_large_networks_in_single_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = Settings(hidden=(700,), dropout=0.2, batch_norm=True, l1=0.01, batch_size=900, epochs=3, arithmetic="fast")
    assert bits_of(wanted, "digits", 2, monkeypatch) == bits_of(wanted, "digits", 10**9, monkeypatch)


def test_generated_source_has_names_of_its_own_only(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    compiled = generated.compiled

    def watched(lines: Any, arithmetic: Any, constants: Any) -> dict[str, Any]:
        seen.extend(lines)
        return compiled(lines, arithmetic, constants)

    monkeypatch.setattr(generated, "compiled", watched)
    wanted = Settings(hidden=(4, 4), residual=True, dropout=0.2, optimizer="adam", clip_norm=0.1, epochs=2)
    bits_of(wanted, "iris", 2, monkeypatch)
    words = {word for line in seen for word in re.findall(r"[A-Za-z_]\w*", line)}
    own = {word for word in words if re.fullmatch(r"[akn]\d+", word)}
    assert words - own <= {"def", "run", "return", "out", "where", "clip", "keepdims", "None", "True", "sqrt"}
    assert len(seen) > 50
