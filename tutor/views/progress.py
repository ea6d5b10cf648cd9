"""A progress bar with the time left on stderr, where somebody is there to see it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Thing = TypeVar("Thing")
_FEWEST = 30


def progress(things: Iterable[Thing], total: int, what: str) -> Iterator[Thing]:
    """The things one by one, with a bar on a terminal; in a pipe nothing is shown."""
    if total < _FEWEST or not sys.stderr.isatty():
        yield from things
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(things, total=total, description=what)


@contextmanager
def counting(total: int, silent: bool) -> Iterator[Callable[[int], None]]:
    """What to tell how many runs have ended: a bar on stderr where somebody is there to see it, else nothing."""
    if silent or not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Drawn by whoever waits, not by a thread: processes are forked while the bar is there.
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=total)
        drawn = [0.0]

        def watch(done: int) -> None:
            bar.advance(task, done)
            if done or bar.get_time() - drawn[0] > 0.2:
                drawn[0] = bar.get_time()
                bar.refresh()

        watch(0)
        yield watch
