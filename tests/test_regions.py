"""Which part of the plane a network takes for what: drawn side by side, told in words, and refused where there is none."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from conftest import HEAD, Tutor
from hypothesis import given, settings
from hypothesis import strategies as st

from tutor.course.decision import Decision
from tutor.course.read import SHOWN
from tutor.data.builtin import load
from tutor.lessons.find import worksheet_of
from tutor.lessons.read import parse_lesson
from tutor.training.settings import Settings
from tutor.training.setup import set_up
from tutor.training.straight_line.forward import outputs_of

RACE = """```toml experiment race
data = "circles"
seeds = 2
show = ["regions"]

[settings]
epochs = 4

[rows]
narrow = { hidden = [2] }
wide = { hidden = [8] }
```

"""
FUNCTION = """```toml worksheet bowl
[minimize]
objective = "x**2 + y**2"
start = { x = 1, y = 1 }
learning_rate = 0.1
```

```toml experiment race
worksheet = "bowl"
seeds = 1
show = ["regions"]

[settings]
epochs = 4

[rows]
narrow = { learning_rate = 0.1 }
wide = { learning_rate = 0.2 }
```

"""
GATE = """```toml worksheet gate
examples = "and"
[network]
inputs = ["a", "b"]
[[network.layers]]
neurons = [{ sum = "s", output = "out" }]
activation = "step"
weights = [[1, 1]]
biases = [-1.5]
```

"""


def run(tutor: Tutor, text: str, *words: object) -> str:
    (tutor.folder / "my.md").write_text(HEAD + text)
    done = tutor("run", "my.md", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused(tutor: Tutor, text: str) -> str:
    """What is said instead of a picture, by the command that shows it and by the one that checks it."""
    (tutor.folder / "my.md").write_text(HEAD + text)
    for words in (("compare", "my.md/race"), ("run", "my.md"), ("lint", "my.md")):
        done = tutor(*words)
        if words[0] == "compare" and "plot" in text:
            continue
        assert done.returncode in (1, 2), done.stdout
    told = " ".join((done.stdout + done.stderr).split())
    assert re.search(r"line \d+", told), told
    return told


def pictures(shown: str) -> list[str]:
    """The lines of planes, with the examples in them."""
    return [line for line in shown.splitlines() if re.fullmatch(r" {2}[ ·#01×]*[·#]{4}[ ·#01×]*", line)]


def share(hidden: int, epochs: int, seed: int = 0) -> float:
    """The share of the plane that the trained network takes for the second class, looked at in other places than the
    program looks at, and without what draws it."""
    wanted: Any = Settings(hidden=(hidden,), epochs=epochs, seed=seed)
    trainer = set_up(load("circles", seed), wanted)
    trainer.run()
    x = load("circles", seed).x
    room = 0.1 * (x.max(axis=0) - x.min(axis=0))
    low, high = x.min(axis=0) - room, x.max(axis=0) + room
    axes = [np.linspace(a, b, 201)[:-1] + (b - a) / 400 for a, b in zip(low, high, strict=True)]
    grid = np.stack([side.ravel() for side in np.meshgrid(*axes)] + [np.ones(200 * 200)], axis=1)
    return float(np.mean(trainer.data.predicted_classes(trainer.engine.outputs(grid, np.arange(len(grid))))))


def told_share(shown: str, plane: str) -> float:
    found = re.search(rf"{plane}: (\d+)% for 0, (\d+)% for 1", " ".join(shown.split()))
    assert found and abs(int(found[1]) + int(found[2]) - 100) <= 1, shown
    return int(found[2]) / 100


def test_an_experiment_draws_the_plane_of_every_row_and_says_how_it_is_divided(tutor: Tutor) -> None:
    shown = run(tutor, RACE, "--width", 100)
    assert pictures(shown)
    for name, hidden in (("narrow", 2), ("wide", 8)):
        assert told_share(shown, name) == pytest.approx(share(hidden, 4), abs=0.02)
        assert told_share(run(tutor, RACE, "--narrate"), name) == told_share(shown, name)
    assert not pictures(run(tutor, RACE, "--narrate"))
    assert "seed 0" in shown
    texts = tutor.json("run", "my.md")["sections"][0]["parts"][0]["told"]
    assert told_share(" ".join(texts), "wide") == told_share(shown, "wide")


def test_what_overrules_an_experiment_overrules_its_planes(tutor: Tutor) -> None:
    run(tutor, RACE)
    shown = tutor("compare", "my.md/race", "--epochs", 30, "--seed", 1).stdout
    assert told_share(shown, "wide") == pytest.approx(share(8, 30, 1), abs=0.02) and "seed 1" in shown


@pytest.mark.parametrize(("width", "beside"), [(40, 1), (80, 3), (160, 3)])
def test_planes_stand_side_by_side_where_there_is_room(tutor: Tutor, width: int, beside: int) -> None:
    plot = '```toml plot\nregions = "race.wide"\nepochs = [0, 1, 4]\n```\n'
    shown = run(tutor, RACE.replace('"regions"', '"table"') + plot, "--width", width)
    drawn = pictures(shown)
    assert drawn and all(len(line.split()) == beside for line in drawn)
    assert all(len(line) <= width for line in shown.splitlines())
    for epoch, told in ((0, "before training"), (1, "after epoch 1"), (4, "after epoch 4")):
        assert told_share(shown, told) == pytest.approx(share(8, epoch), abs=0.02) if epoch else told in shown


@pytest.mark.parametrize("word", SHOWN)
def test_every_word_that_may_be_shown_shows_something(tutor: Tutor, word: str) -> None:
    empty = run(tutor, "").split()
    text = FUNCTION if word == "paths" else RACE
    shown = run(tutor, text.replace('"regions"', f'"{word}"'))
    assert len(shown.split()) > len(empty) + 5, shown
    assert "narrow" in shown and "wide" in shown


@pytest.mark.parametrize(("word", "instead"), [
    ("region", "did you mean 'regions'"), ("wieghts", "did you mean 'weights'"),
])  # fmt: skip
def test_a_word_that_draws_nothing_is_refused_with_what_to_do(tutor: Tutor, word: str, instead: str) -> None:
    told = refused(tutor, RACE.replace('"regions"', f'"{word}"'))
    line = (HEAD + RACE).split("\n").index('show = ["regions"]') + 1
    assert f"line {line}: show: " in told and repr(word) in told and instead in told


@pytest.mark.parametrize(("old", "new", "told"), [
    ('"circles"', '"iris"', "show: 'regions': narrow: there are 4 inputs"),
    ('"circles"', '"sine"', "show: 'regions': narrow: there is 1 input"),
    ("[rows]\nnarrow = { hidden = [2] }\nwide = { hidden = [8] }", "[vary]\nhidden = [[2], [8]]", "show: 'regions' draws rows"),
    ('"regions"', '"paths"', "show: 'paths': narrow: a path is drawn over a function of two parameters"),
    ('data = "circles"\nseeds = 2\nshow = ["regions"]', 'data = "sine"\nseeds = 2\nshow = ["confusion"]', "show: 'confusion': narrow has no classes"),
])  # fmt: skip
def test_what_is_not_possible_for_an_experiment_is_refused(tutor: Tutor, old: str, new: str, told: str) -> None:
    assert told in refused(tutor, RACE.replace(old, new))


@pytest.mark.parametrize(("plot", "told"), [
    ('regions = "race.wide"\nseed = 2', "seed: 'race' has the seeds 0 to 1"),
    ('regions = "race.wide"\nepochs = [5]', "epochs: there is no epoch 5; wide ended after 4"),
    ('regions = "race.wide"\nupdates = [1]', "updates: of an experiment say epochs"),
    ('regions = "race.wide"\nranges = { x1 = [0, 1] }', "ranges: "), ('regions = "race.wid"', "did you mean 'wide'"),
    ('regions = "race"', "regions: say which row"), ('regions = "gate"\nepochs = [1]', "epochs: of a worksheet say updates"),
    ('regions = "gate"\nseed = 1', "seed: "), ('regions = "gate.s"', "regions: "), ('regions = "gate"\nranges = { c = [0, 1] }', "ranges: "),
    ('path = "gate"\nseed = 1', "seed: "), ('curves = { a = "x" }\nover = { x = [0, 1] }\nepochs = [1]', "epochs: "),
])  # fmt: skip
def test_a_key_that_would_change_nothing_is_refused(tutor: Tutor, plot: str, told: str) -> None:
    assert told in refused(tutor, RACE.replace('"regions"', '"table"') + GATE + f"```toml plot\n{plot}\n```\n")


def test_the_plane_of_a_worksheet_is_told_in_numbers(tutor: Tutor) -> None:
    """a + b >= 1.5 within [-0.3, 1.3]²: a triangle with legs of 1.1 in a square of 1.6."""
    shown = run(tutor, GATE + '```toml plot\nregions = "gate"\n```\n')
    shown = shown.replace("it takes ", "it takes: ")
    assert "at the start" not in shown  # nothing is updated
    assert told_share(shown, "it takes") == pytest.approx(1.1**2 / 2 / 1.6**2, abs=0.01)


@pytest.mark.parametrize(("weights", "bias"), [([0, 1], -0.25), ([0, 1], -3.41), ([1, 0], 0.33), ([-2, 0.5], -0.75)])
def test_the_share_beside_a_straight_line_is_right_to_the_per_cent(
    tutor: Tutor, weights: list[float], bias: float
) -> None:
    """In the square [-1, 5]² the line of 4.75 of 6 leaves 79.2%; the mean of the heights beside the line is the share."""
    gate = GATE.replace("[[1, 1]]", f"[{weights}]").replace("[-1.5]", f"[{bias}]")
    shown = run(tutor, gate + '```toml plot\nregions = "gate"\nranges = { a = [-1, 5], b = [-1, 5] }\n```\n')
    (v, w), places = weights, np.linspace(-1, 5, 600_001)[:-1] + 5e-6
    above_or_right = 5 - np.clip((-bias - v * places) / w if w else np.array([-bias / v]), -1, 5)
    share = float(np.mean(above_or_right)) / 6
    assert told_share(shown.replace("it takes ", "it takes: "), "it takes") == pytest.approx(share, abs=0.0075)


def test_places_on_a_boundary_count_for_both_of_its_sides() -> None:
    """Of 128 times 128 places of a square 128 lie on its diagonal, a line that leaves half to each side."""
    text = 'format = 1\ntitle = "t"\n' + GATE.partition("gate\n")[2].partition("```")[0]
    worksheet = worksheet_of(parse_lesson(text.replace("[-1.5]", "[-1]"), "t"))
    places = [(k + 0.5) / 128 for k in range(128)]
    decision = Decision(worksheet, worksheet.givens, Fraction(1, 2), (1e-9, 1e-9))
    assert decision.counts(places, places) == {0: 8192, 1: 8192}
    grid = decision.grid(places, places)
    assert sum(map(sum, grid)) == 8192 + 64, "a step unit fires at 0 itself"


def marks(shown: str) -> str:
    return re.sub(r"[^01×]", "", "".join(pictures(shown)))


def test_examples_stand_in_the_plane_and_the_wrong_ones_are_marked(tutor: Tutor) -> None:
    """a + b >= 1.5 is AND: no mistake, one 1; with the bias of -0.5 it is OR, and two of four are wrong."""
    plot = '```toml plot\nregions = "gate"\n```\n'
    right = run(tutor, GATE + plot)
    assert sorted(marks(right)) == ["0", "0", "0", "1"] and "0 of 4 examples are taken wrongly." in right
    wrong = run(tutor, GATE.replace("-1.5", "-0.5") + plot, "--width", 100)
    assert sorted(marks(wrong)) == ["0", "1", "×", "×"]
    told = " ".join(run(tutor, GATE.replace("-1.5", "-0.5") + plot, "--narrate").split())
    assert "2 of 4 examples are taken wrongly (0 at 0, 1 for 1; 0 at 1, 0 for 1)." in told


def mistakes(seed: int, part: str) -> tuple[int, int]:
    wanted = Settings(hidden=(2,), epochs=4, seed=seed, validation=0.25 if part == "held-out" else 0.0)
    trainer = set_up(load("circles", seed), wanted)
    trainer.run()
    places = trainer.data.parts[part]
    guessed = trainer.engine.outputs(trainer.data.rows, places)[0] > 0.5
    return int(np.sum(guessed != trainer.data.y[places])), len(places)


@pytest.mark.parametrize(("options", "part"), [([], "training"), (["--validation", 0.25], "held-out")])
def test_a_training_shows_the_examples_of_its_last_part(tutor: Tutor, options: list[Any], part: str) -> None:
    wrong, count = mistakes(0, part)
    words = ["--data", "circles", "--hidden", 2, "--epochs", 4, *options]
    for how in ([], ["--narrate"]):
        shown = " ".join(tutor("train", *words, *how).stdout.split())
        assert f"{wrong} of {count} {part} examples are taken wrongly" in shown
    done = tutor("train", *words, "--figure", "r.svg", "--draw", "regions")
    assert done.returncode == 0, done.stderr
    picture = (tutor.folder / "r.svg").read_text()
    assert picture.count("<circle") == wrong and picture.count('font-size="10"') == count
    compared = ["compare", *words, "--vary", "hidden=2|3", "--seeds", 1, "--draw", "regions", "--figure", "c.svg"]
    shown = " ".join(tutor(*compared).stdout.split())
    assert f"a: {wrong} of {count} {part} examples are taken wrongly" in shown and "epoch by epoch" not in shown
    assert (tutor.folder / "c.svg").read_text().count('font-size="10"') == 2 * count


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--data", "iris", "--draw", "regions", "--figure", "r.svg"], "there are 4 inputs"),
        (["train", "--data", "moons", "--draw", "regions"], "add --figure"),
        (["train", "--data", "moons", "--draw", "regions", "--figure", "r.csv"], "ending .svg"),
        (["train", "--data", "moons", "--folds", 3, "--draw", "regions"], "--draw"),
        (["compare", "--data", "sine", "--draw", "regions"], "there is 1 input"),
        (["compare", "momentum/plain", "--draw", "regions"], "--draw regions"),
    ],
)
def test_regions_that_there_are_not_are_refused_before_the_training(tutor: Tutor, words: list[Any], said: str) -> None:
    done = tutor(*words, "--epochs", 1)
    assert done.returncode == 2 and said in done.stderr and not done.stdout


@given(st.lists(st.floats(-3, 3), min_size=9, max_size=9), st.floats(-2, 2), st.floats(-2, 2))
@settings(max_examples=15, deadline=None)
def test_the_forward_pass_of_a_plane_is_that_of_numpy(w: list[float], x: float, y: float) -> None:
    """Two tanh neurons, and two softmax outputs or a linear one."""
    w = [round(v, 3) for v in w]
    for kind, last in (("softmax", 2), ("linear", 1)):
        outputs = ", ".join(f"[{w[6]}, {w[7 + k]}]" for k in range(last))
        text = f"""format = 1
title = "t"
[network]
inputs = ["a", "b"]
[[network.layers]]
units = 2
activation = "tanh"
weights = [[{w[0]}, {w[1]}], [{w[2]}, {w[3]}]]
biases = [{w[4]}, {w[5]}]
[[network.layers]]
units = {last}
activation = "{kind}"
weights = [{outputs}]
biases = [{", ".join(["0.5"] * last)}]
[[examples]]
inputs = [1, 2]
targets = [{", ".join(["1", "0"][:last])}]
"""
        worksheet = worksheet_of(parse_lesson(text, "t"))
        known = {name: float(value) for name, value in worksheet.givens.items()}
        (found,) = outputs_of(worksheet)(known, [(x, y)])
        hidden = np.tanh(np.array([w[0:2], w[2:4]]) @ [x, y] + w[4:6])
        z = np.array([[w[6], w[7 + k]] for k in range(last)]) @ hidden + 0.5
        wanted = np.exp(z) / np.exp(z).sum() if last == 2 else z
        assert found == pytest.approx(tuple(wanted), rel=1e-12, abs=1e-15)


TIES = GATE.replace("[[1, 1]]", "[[0.3, -0.1]]").replace("biases = [-1.5]", "thresholds = [0.2]")
FIRES = '[training]\nrule = "perceptron"\nfires = "s >= 0"\nlearning_rate = 0.1\n```'


def test_an_example_on_the_boundary_is_taken_as_the_worksheet_takes_it(tutor: Tutor) -> None:
    """0.3 - 0.1 is 0.2 exactly, so the neuron that fires at the threshold has 11 right; 10 alone is wrong."""
    text = TIES.replace("\n```\n\n", f"\n\n{FIRES}\n\n") + '```toml plot\nregions = "gate"\nupdates = [0]\n```\n'
    assert "1 of 4 examples is taken wrongly (0 at 1, 0 for 1)" in " ".join(run(tutor, text).split())


def test_places_on_the_boundary_are_all_taken_alike(tutor: Tutor) -> None:
    """Places in the middle of unit squares, some of them where 0.3·a + 0.2·b is 2.85: all of these fire, and in binary
    floating point some would not."""

    def picture(rows: int) -> list[str]:
        plot = f'```toml plot\nregions = "gate"\nranges = {{ a = [0, 32], b = [0, {rows}] }}\nupdates = [0]\n```\n'
        gate = TIES.replace("[[0.3, -0.1]]", "[[0.3, 0.2]]").replace("[0.2]", "[2.85]")
        return pictures(run(tutor, gate.replace("\n```\n\n", f"\n\n{FIRES}\n\n") + plot, "--width", 40))

    rows = len(picture(10))
    lines = picture(rows)
    places = [(2 * k + 1, 2 * (rows - j) - 1, lines[j][2 + k]) for j in range(rows) for k in range(len(lines[0]) - 2)]
    seen = {(3 * a + 2 * b >= 57, sign) for a, b, sign in places if sign in "·#"}  # in units of 1/20
    assert seen == {(True, "#"), (False, "·")}
    ties = [(a, b) for a, b, _ in places if 3 * a + 2 * b == 57]
    assert any(0.3 * (a / 2) + 0.2 * (b / 2) - 2.85 < 0 for a, b in ties), "floating point would miss some"
