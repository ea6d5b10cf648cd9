"""A progress bar with the time left on stderr, where somebody is there to see it."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
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
