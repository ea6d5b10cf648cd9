"""How far a long piece of work is, told on stderr: a bar where somebody watches, else sentences now and then."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from tutor.printers.screen import STACK_BELOW, Screen

Thing = TypeVar("Thing")
Tell = Callable[[int, str], None]
"""To be called with how much is done, and what there is to say about it."""
_FEWEST = 30
_SECONDS_BETWEEN_SENTENCES = 5.0
_SENTENCES = 5
_SECONDS_BETWEEN_PICTURES = 0.1


def progress(things: Iterable[Thing], total: int, what: str, screen: Screen) -> Iterator[Thing]:
    """The things one by one, while somebody at a terminal is told how many there were; of a few nothing is told."""
    with following(total, what, screen, silent=total < _FEWEST or not sys.stderr.isatty()) as tell:
        for done, thing in enumerate(things, 1):
            yield thing
            tell(done, "")


@contextmanager
def following(total: int, what: str, screen: Screen, silent: bool = False) -> Iterator[Tell]:
    """What to call as the work goes on: `what` names it, and is followed by `done of total`."""
    if silent:
        yield lambda done, state: None
    elif sys.stderr.isatty() and not screen.narrate and os.environ.get("TERM") != "dumb":
        with _bar(total, what, screen) as tell:
            yield tell
    else:
        yield _sentences(total, what)


@contextmanager
def _bar(total: int, what: str, screen: Screen) -> Iterator[Tell]:
    """Drawn by whoever works, not by a thread: processes are forked while the bar is there.

    On a narrow terminal words take the place of the bar, and are folded rather than cut.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
    from rich.table import Column

    def words(text: str) -> TextColumn:
        return TextColumn(text, markup=False, table_column=Column(overflow="fold"))

    console = Console(stderr=True, no_color=not screen.color, highlight=False)
    columns: list[ProgressColumn] = [words(f"{what} {{task.completed}} of {{task.total}}")]
    columns += [BarColumn()] if console.width >= STACK_BELOW else []
    columns += [words("{task.description}"), TimeRemainingColumn(table_column=Column(overflow="fold"))]
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=total)
        drawn = 0.0

        def tell(done: int, state: str) -> None:
            nonlocal drawn
            bar.update(task, completed=done, description=state)
            if time.monotonic() - drawn >= _SECONDS_BETWEEN_PICTURES:
                drawn = time.monotonic()
                bar.refresh()

        tell(0, "")
        yield tell


def _sentences(total: int, what: str) -> Tell:
    """At most a handful, each at its share of the work and a while after the one before."""
    last, told = time.monotonic(), 0

    def tell(done: int, state: str) -> None:
        nonlocal last, told
        share = done * (_SENTENCES + 1) // max(1, total)
        if share > told and done < total and time.monotonic() - last >= _SECONDS_BETWEEN_SENTENCES:
            last, told = time.monotonic(), share
            said = f"{what.capitalize()} {done} of {total}{f': {state}' if state else ''}."
            with suppress(OSError):  # no work ends because nobody reads how far it is
                print(said, file=sys.stderr, flush=True)

    return tell


@contextmanager
def counting(total: int, screen: Screen, silent: bool) -> Iterator[Callable[[int], None]]:
    """What to tell how many trainings have just ended, for somebody at a terminal."""
    ended = 0
    with following(total, "training", screen, silent or not sys.stderr.isatty()) as tell:

        def watch(more: int) -> None:
            nonlocal ended
            ended += more
            tell(ended, "")

        yield watch


@contextmanager
def watching(epochs: int, screen: Screen, silent: bool) -> Iterator[Callable[[Any], None]]:
    """What to call after every few epochs; in a pipe, too, a long training says how it goes."""
    with following(epochs, "epoch", screen, silent) as tell:
        yield lambda epoch: tell(epoch.number, _state(epoch))


def _state(epoch: Any) -> str:
    right = "" if epoch.accuracy is None else f", {100 * epoch.accuracy:.1f}% right"
    return f"loss {epoch.loss:.4g}{right}"
