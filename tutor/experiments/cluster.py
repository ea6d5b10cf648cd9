"""Trainings on a Dask cluster, where one machine is outgrown: the same function for each of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tutor.data.source import is_named
from tutor.errors import TutorError
from tutor.experiments.experiment import Outcome, Run, Source, train_once

_CONNECTING_SECONDS = 10
_TICK_SECONDS = 0.5


def run_on_cluster(
    runs: Sequence[Run], address: str, outcomes: list[Outcome | None], watch: Callable[[int], None]
) -> None:
    """Fill in the outcome of each run as it comes. Raises TutorError where there is no cluster, or one that fails."""
    with _connected(address) as client:
        from distributed import wait

        futures = client.map(train_once, [_from_anywhere(run) for run in runs], pure=False)
        places = {future.key: place for place, future in enumerate(futures)}
        waiting = list(futures)
        while waiting:
            try:
                done, left = wait(waiting, _TICK_SECONDS, "FIRST_COMPLETED")
            except TimeoutError:
                watch(0)
                continue
            for future in done:
                outcomes[places[future.key]] = future.result()
            waiting = list(left)
            watch(len(done))


@contextmanager
def _connected(address: str) -> Iterator[Any]:
    try:
        from distributed import CancelledError, Client, KilledWorker
        from distributed.comm import CommClosedError
    except ImportError:
        raise TutorError("--dask needs the package distributed: pip install distributed") from None
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what is wrong is said in one line
    try:
        client = Client(address, timeout=_CONNECTING_SECONDS)
    except (OSError, ValueError):
        raise TutorError(
            f"--dask {address[:80]!r}: no scheduler answers there; give its address, as in tcp://10.0.0.5:8786"
        ) from None
    try:
        with client:
            yield client
    except (CancelledError, CommClosedError, KilledWorker):
        raise TutorError(f"--dask {address[:80]!r}: a training was lost; are the workers still there?") from None
    except ImportError:
        raise TutorError(
            f"--dask {address[:80]!r}: its workers cannot load this program; install the same version there"
        ) from None


def _from_anywhere(run: Run) -> Run:
    """The run with the whole path of its file, since a worker stands in a folder of its own."""
    source = run.source
    if not isinstance(source, Source) or is_named(source.name):
        return run
    return replace(run, source=replace(source, name=str(Path(source.name).resolve())))
