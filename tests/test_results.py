"""What `--json` prints is what its type says: every field is there, of its type, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from conftest import Tutor

from tutor.experiments.folds import FoldsReport
from tutor.experiments.report import ComparisonReport
from tutor.homework.classroom import ClassReport
from tutor.homework.lint import Lint
from tutor.lessons.format import Listing
from tutor.marking.report import NotMarked, SheetReport
from tutor.results import Result, as_json
from tutor.runs.report import PredictionReport
from tutor.training.report import TrainingReport
from tutor.views.course.document import LessonDocument
from tutor.views.entry_document import EntryDocument, OptimizerDocument
from tutor.views.slip import SlipDocument
from tutor.views.worksheet import document

TRAIN = "train --data moons --epochs 2 --json"
PRINTED: list[tuple[str, type[Result]]] = [
    ("run mlp --json", LessonDocument), ("run mlp/mlp --json", document.WorksheetDocument), ("run mlp --json --rounding each-step", document.WorksheetDocument),
    ("run perceptron --json", LessonDocument), ("run mlp --json --blank", document.BlankDocument),
    ("why mlp dE/dW1 --json", document.ExplanationDocument), ("why mlp W1 --json", document.ExplanationDocument),
    ("prove mlp --json", document.ProofsDocument),
    ("train --data xor --hidden 2 --epochs 2 --explain 2 --json", document.UpdateDocument),
    ("explain adam --json", OptimizerDocument), ("explain sigmoid --json", EntryDocument), ("explain dropout --json", EntryDocument),
    ("explain slip:missing-slope --json", SlipDocument), ("explain slip:softmax-twice --json", SlipDocument),
    ("list --json", Listing), ("lint mlp --json", Lint), (TRAIN, TrainingReport),
    (f"{TRAIN} --folds 2", FoldsReport), ("train --data values.csv --epochs 2 --folds 3 --json", FoldsReport),
    (f"{TRAIN} --validation 0.2 --test 0.1 --normalize zscore --batch-norm", TrainingReport),
    ("train --data values.csv --epochs 2 --json", TrainingReport), ("train --data xor --epochs 9 --learning-rate 1e300 --json", TrainingReport),
    ("predict r.npz --data moons --json", PredictionReport), ("predict r.npz --data bare.csv --json", PredictionReport),
    ("compare --data moons --vary learning-rate=0.1,0.01 --seeds 2 --epochs 2 --jobs 1 --json", ComparisonReport),
    ("compare --data moons --vary learning-rate=0.1 --seeds 1 --epochs 2 --jobs 1 --json --times", ComparisonReport),
]  # fmt: skip


def read(text: str, kind: type[Any]) -> None:
    """Nothing is lost on the way through the type, and nothing is not of it."""
    found = msgspec.json.decode(text, type=kind)
    assert json.loads(as_json(found)) == json.loads(text)


@pytest.mark.parametrize(("line", "kind"), PRINTED)
def test_a_result_is_of_its_type(line: str, kind: type[Result], tutor: Tutor) -> None:
    (tutor.folder / "values.csv").write_text("a,y\n" + "".join(f"{k},{k / 7}\n" for k in range(30)))
    if line.startswith("predict"):
        (tutor.folder / "bare.csv").write_text("x1,x2\n0.5,1\n1,2\n")
        assert tutor(*TRAIN.split(), "--save", "r.npz").returncode == 0
    done = tutor(*line.split())
    assert next(iter(json.loads(done.stdout).items())) == ("format", 1), done.stderr
    read(done.stdout, kind)
    described = msgspec.json.schema(kind)
    for name, part in described["$defs"].items():
        assert part.get("description", "").endswith("."), f"{name} is not described"


def test_marked_sheets_are_of_their_types(tutor: Tutor) -> None:
    (tutor.folder / "s.csv").write_text(
        "name,answer\n#student,Ann\nh1_in,0.5\nh1_out,0.7\nE,out_out - 1\nout_in,(\nzz,1\n"
    )
    (tutor.folder / "t.csv").write_text("no sheet\n")
    (tutor.folder / "r.csv").write_text("id\nAnn\nBob\n")
    for line in ("check mlp s.csv t.csv --json", "check mlp s.csv s.csv t.csv --secret S --roster r.csv --json"):
        told = json.loads(tutor(*line.split()).stdout)
        for sheet in told["sheets"]:
            read(json.dumps(sheet), NotMarked if "why" in sheet else SheetReport)
        read(json.dumps(told["summary"]), ClassReport)
        assert list(told) == ["format", "lesson", "sheets", "summary"]
