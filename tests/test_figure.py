"""`--figure`: the curve as numbers and as a picture, read back by the libraries that read such files."""

from __future__ import annotations

import csv
from xml.etree import ElementTree

import pytest
from conftest import HEAD, Tutor
from hypothesis import given
from hypothesis import strategies as st

from tutor.printers.svg import HEIGHT, WIDTH, ticks

MOONS = ["--data", "moons", "--hidden", 4, "--epochs", 12]
SVG = "{http://www.w3.org/2000/svg}"


def test_the_numbers_are_those_of_the_history(tutor: Tutor) -> None:
    for more in ([], ["--validation", 0.3]):
        found = tutor.json("train", *MOONS, *more, "--figure", "c.csv")
        rows = list(csv.DictReader((tutor.folder / "c.csv").read_text().splitlines()))
        assert len(rows) == 12
        for row, epoch in zip(rows, found["history"], strict=True):
            assert int(row["epoch"]) == epoch["epoch"]
            for name in ("loss", "accuracy", "validation_loss", "validation_accuracy"):
                assert (float(row[name]) if row[name] else None) == epoch[name]


def test_the_picture_shows_the_losses_in_their_places(tutor: Tutor) -> None:
    found = tutor.json("train", *MOONS, "--validation", 0.3, "--figure", "c.svg")
    first = (tutor.folder / "c.svg").read_bytes()
    root = ElementTree.fromstring(first)
    assert root.find(f"{SVG}title").text == "loss by epoch"  # type: ignore[union-attr]
    told = root.find(f"{SVG}desc").text or ""  # type: ignore[union-attr]
    assert "in epoch 1 to" in told and "held-out part" in told
    points = [tuple(map(float, p.split(","))) for p in root.find(f"{SVG}polyline").get("points", "").split()]  # type: ignore[union-attr]
    losses = [epoch["loss"] for epoch in found["history"]]
    assert len(points) == len(losses) and len(root.findall(f"{SVG}circle")) == 12
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in points)
    assert [x for x, _ in points] == sorted(x for x, _ in points)
    # heights are linear in the losses: two of them tell where every other lies
    low, high = (losses.index(of(losses)) for of in (min, max))
    slope = (points[high][1] - points[low][1]) / (losses[high] - losses[low])
    assert slope < 0
    for (_, y), loss in zip(points, losses, strict=True):
        assert y == pytest.approx(points[low][1] + slope * (loss - losses[low]), abs=0.02)
    assert tutor("train", *MOONS, "--validation", 0.3, "--figure", "c.svg").returncode == 0
    assert (tutor.folder / "c.svg").read_bytes() == first


def test_the_confusion_matrix_has_its_counts_in_their_cells(tutor: Tutor) -> None:
    """A row a class, a column for what it was taken for; the more of a row, the darker, and confusions in a colour of
    their own."""
    typed = ["--data", "iris", "--epochs", 3, "--save", "r.npz", "--figure", "c.svg", "--draw", "confusion"]
    assert tutor("train", *typed).returncode == 0
    counts = tutor.json("predict", "r.npz", "--data", "iris")["confusion"]
    root = ElementTree.fromstring((tutor.folder / "c.svg").read_bytes())
    cells = [cell for cell in root.findall(f"{SVG}rect") if cell.get("fill-opacity")]
    left, top = (sorted({float(cell.get(name, "")) for cell in cells}) for name in "xy")
    assert len(cells) == 9 and len(left) == len(top) == 3
    texts = {(float(t.get("x", "")), float(t.get("y", ""))): t.text for t in root.findall(f"{SVG}text")}
    for cell in cells:
        x, y, wide, high = (float(cell.get(name, "")) for name in ("x", "y", "width", "height"))
        i, j = top.index(y), left.index(x)
        (number,) = [text for (at, line), text in texts.items() if x < at < x + wide and y < line < y + high]
        assert number == str(counts[i][j])
        assert float(cell.get("fill-opacity", "")) == pytest.approx(0.75 * counts[i][j] / sum(counts[i]), abs=0.001)
    assert len({cell.get("fill") for cell in cells}) == 2
    told = root.find(f"{SVG}desc").text or ""  # type: ignore[union-attr]
    assert told.startswith("Taken wrongly: ") and "taken for" in texts.values()


def test_a_picture_of_confusions_needs_classes(tutor: Tutor) -> None:
    for data, name, said in (("sine", "c.svg", "no classes"), ("iris", "c.csv", "is a picture")):
        done = tutor("train", "--data", data, "--figure", name, "--draw", "confusion")
        assert done.returncode == 2 and said in done.stderr and not (tutor.folder / name).exists()


@pytest.mark.parametrize("ending", ["svg", "csv"])
def test_a_figure_takes_no_file_of_somebody_else(tutor: Tutor, ending: str) -> None:
    mine = tutor.folder / f"mine.{ending}"
    mine.write_text("a,kind\n" + "1,x\n2,y\n" * 4)
    for words, said in (
        (["--data", "moons", "--figure", mine.name], "mine"),
        (["--data", "moons", "--figure", "c.png"], ".svg for a picture"),
        (["--data", "moons", "--explain", 1, "--figure", f"c.{ending}"], "leave one of them out"),
        *(
            [(["--data", mine.name, "--figure", mine.name, "--force"], "is read by this command")]
            if ending == "csv"
            else []
        ),
    ):
        done = tutor("train", *words, "--epochs", 1)
        assert done.returncode == 2 and said in done.stderr, done.stderr
    assert mine.read_text().startswith("a,kind")


def test_a_lesson_a_single_epoch_and_a_run_that_goes_on_have_curves(tutor: Tutor) -> None:
    assert tutor("train", "mlp", "--epochs", 5, "--figure", "l.svg").returncode == 0
    assert tutor("train", *MOONS[:-1], 1, "--save", "r.npz", "--figure", "one.svg").returncode == 0
    assert len(ElementTree.parse(tutor.folder / "one.svg").getroot().findall(f"{SVG}circle")) == 1
    assert tutor("train", "--resume", "r.npz", "--epochs", 4, "--figure", "c.csv").returncode == 0
    assert len((tutor.folder / "c.csv").read_text().splitlines()) == 5


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9))
def test_ticks_are_few_round_and_within(low: float, width: float) -> None:
    found = ticks(low, low + width)
    assert len(found) <= 8
    assert all(low - 1e-6 * (width + abs(low)) <= tick <= low + width + 1e-6 * (width + abs(low)) for tick in found)
    for whole in ticks(0, max(1.0, width), whole=True):
        assert whole == int(whole)


def test_the_pictures_of_an_experiment_of_a_lesson_are_those_that_it_shows(tutor: Tutor) -> None:
    (tutor.folder / "my.md").write_text(EXPERIMENT)
    for options in ([], ["--json"]):
        done = tutor("compare", "my.md/race", *options, "--figure", "p.svg", "--force")
        assert done.returncode == 0 and "The picture is in p.svg." in done.stderr
        root = ElementTree.fromstring((tutor.folder / "p.svg").read_bytes())
        title = root.find(f"{SVG}title").text or ""  # type: ignore[union-attr]
        assert "training loss, epoch by epoch" in title and "what each class was taken for" in title
    done = tutor("compare", "my.md/plain", "--figure", "q.svg")
    assert "`show` of the experiment asks for no picture" in done.stderr and not (tutor.folder / "q.svg").exists()
    assert tutor("compare", "my.md/race", "--figure", "p.csv").returncode == 2


EXPERIMENT = f"""{HEAD}# One

```toml experiment race
data = "moons"
seeds = 2
show = ["table", "curves", "confusion"]
[settings]
epochs = 3
[rows]
narrow = {{ hidden = [2] }}
wide = {{ hidden = [4] }}
```

```toml experiment plain
data = "xor"
show = ["table"]
[settings]
epochs = 3
[rows]
only = {{ hidden = [2] }}
```
"""
