"""Several processes that work for this one, and never outlive it."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import active_children, get_context
from threading import Thread
from typing import Any


@contextmanager
def workers(jobs: int, set_up: Callable[..., None] | None = None, *given: Any) -> Iterator[ProcessPoolExecutor]:
    """So many processes, each of which calls `set_up(*given)` first; whatever ends the block early ends them too."""
    others = set(active_children())
    context = get_context("fork" if sys.platform == "linux" else "spawn")
    pool = ProcessPoolExecutor(jobs, context, _start, (set_up, given))
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        for child in set(active_children()) - others:
            child.kill()
        _end_results(pool)
        pool.shutdown(cancel_futures=True)  # its processes are gone, so it ends at once, and whole
        raise


def _end_results(pool: Any) -> None:
    """Let whoever reads the results of the pool see that no more will come.

    A process that is killed may have sent the half of one. As long as this process holds an end of the pipe to write
    to, the thread that reads would wait for the other half, and the pool for that thread.
    """
    with suppress(AttributeError):  # these names are Python's own affair
        pool._result_queue._writer.close()


def _start(set_up: Callable[..., None] | None, given: tuple[Any, ...]) -> None:
    follow_parent()
    if set_up is not None:
        set_up(*given)


def follow_parent() -> None:
    """For a process that works for another one: what is to stop the work is that one's to hear, and with it this one
    ends."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):  # for the process that collects the results, which then ends this one
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when the one that it works for is gone."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)
