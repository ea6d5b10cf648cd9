"""`compare --dask`: the same bytes from a cluster of two processes, and one line where there is none."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from conftest import HEAD, Tutor


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as local:
        yield local.scheduler_address


RACE = """```toml experiment race
data = "moons"
seeds = 2
[settings]
epochs = 2
[vary]
hidden = [[2], [3]]
```
"""


def test_a_cluster_gives_the_same_bytes(tutor: Tutor, cluster: str) -> None:
    (tutor.folder / "d.csv").write_text("a,b,y\n" + "".join(f"{i},{7 * i % 11},{'pq'[i % 3 > 0]}\n" for i in range(40)))
    for words in (
        ["--data", "moons", "--vary", "hidden=2|8", "--columns", "worst_error,gradient_norm(layer=1)"],
        ["--data", "d.csv", "--vary", "optimizer=sgd,adam", "--validation", 0.2],
        ["mlp", "--vary", "learning-rate=0.1,0.2"],
        ["momentum/plain", "--vary", "learning-rate=0.01,0.02"],
    ):
        options = ["compare", *words, "--epochs", 3, "--json"]
        here, there = tutor(*options, "--jobs", 1), tutor(*options, "--dask", cluster)
        assert there.returncode == 0 and there.stderr == here.stderr and there.stdout == here.stdout
    (tutor.folder / "my.md").write_text(HEAD + RACE)
    there = tutor("compare", "my.md/race", "--json", "--dask", cluster)
    (tutor.folder / "my.md").write_text(HEAD + RACE.replace("race", "again"))
    here = tutor("compare", "my.md/again", "--json")
    assert there.returncode == 0 and there.stdout.replace("race", "again") == here.stdout


def test_what_is_wrong_in_a_training_is_said_as_it_is_here(tutor: Tutor, cluster: str) -> None:
    """A run that diverges is a result; a killed scheduler is not."""
    options = ["compare", "--data", "sine", "--optimizer", "sgd", "--learning-rate", 1e200, "--epochs", 2, "--seeds", 2]
    assert tutor(*options, "--dask", cluster).stdout == tutor(*options).stdout


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nothing://x", "no host"])
def test_where_no_scheduler_answers_one_line_says_so(tutor: Tutor, address: str) -> None:
    pytest.importorskip("distributed")
    done = tutor("compare", "--data", "xor", "--epochs", 1, "--dask", address)
    assert done.returncode == 2 and "no scheduler answers" in done.stderr and len(done.stderr.splitlines()) == 1


def test_without_the_package_one_line_says_what_to_install(tutor: Tutor, monkeypatch: pytest.MonkeyPatch) -> None:
    from tutor.errors import TutorError
    from tutor.experiments.experiment import Run, Source, run_all
    from tutor.training.settings import Settings

    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(TutorError, match=r"pip install distributed"):
        run_all([Run(Source("xor"), Settings(epochs=1))], 1, cluster="tcp://127.0.0.1:9")
    done = tutor("compare", "--data", "xor", "--dask", "tcp://127.0.0.1:9", "--jobs", 2)
    assert done.returncode == 2 and "leave out --dask" in done.stderr
