"""A training watched while it runs: a bar on a terminal, a line now and then in a pipe. Both go to stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

Watch = Callable[[Any], None]
_SECONDS_BETWEEN_LINES = 5.0


@contextmanager
def watching(epochs: int, silent: bool) -> Iterator[Watch]:
    """What to call after every few epochs."""
    if silent:
        yield lambda epoch: None
    elif sys.stderr.isatty():
        with _bar(epochs) as watch:
            yield watch
    else:
        yield _lines(epochs)


@contextmanager
def _bar(epochs: int) -> Iterator[Watch]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("epoch {task.completed} of {task.total}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=epochs)
        yield lambda epoch: bar.update(task, completed=epoch.number, description=_state(epoch))


def _lines(epochs: int) -> Watch:
    last = time.monotonic()

    def watch(epoch: Any) -> None:
        nonlocal last
        if time.monotonic() - last >= _SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            with suppress(OSError):  # a training does not end because nobody reads how far it is
                print(f"tutor: epoch {epoch.number} of {epochs}, {_state(epoch)}", file=sys.stderr, flush=True)

    return watch


def _state(epoch: Any) -> str:
    accuracy = "" if epoch.accuracy is None else f", {100 * epoch.accuracy:.1f}% right"
    return f"loss {epoch.loss:.4g}{accuracy}"
