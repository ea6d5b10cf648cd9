"""The entry point: `tutor` and `python -m tutor`."""

import os
import sys

THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS")
_stopped: list[int] = []


def _leave(number: int = 2, *_: object) -> None:
    os._exit(128 + number)


# Before anything else is imported, and after everything has been said: nothing is there that could be lost. Where
# Ctrl-C is ignored, as it is for a job in the background, it stays so.
try:
    import signal

    _LISTENS = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if _LISTENS:
        signal.signal(signal.SIGINT, _leave)
except KeyboardInterrupt:
    _leave()

_STOPS = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _stop(number: int, *_: object) -> None:
    """End as Ctrl-C does, whose way out keeps what has been reached. A terminal that closes says so several times, and
    what is saved on the first word is not to be lost on the second."""
    for each in _STOPS:
        signal.signal(each, signal.SIG_IGN)
    _stopped.append(number)
    raise KeyboardInterrupt


def _once_more(lost: "sys.UnraisableHookArgs") -> None:
    """What ends the program and came while something was cleaned up, where Python drops it, comes again."""
    if lost.exc_type is KeyboardInterrupt:
        from threading import Timer

        Timer(0.05, signal.raise_signal, [signal.SIGINT]).start()  # not at once: this is a part of that cleaning up
    else:
        sys.__unraisablehook__(lost)


def use_one_thread() -> None:
    """Tell the library behind NumPy's products, which reads this when it is loaded, to work in one thread.

    The products of a small network are over before a second thread has begun; with another program running the threads
    wait for each other, and how many there are may change the last bits. Whoever has set one of the variables knows
    better.
    """
    if not any(name in os.environ for name in THREADS):
        os.environ.update(dict.fromkeys(THREADS, "1"))


def main() -> int:
    """Run the command line; the exit code: 130 after Ctrl-C, 128 and the number of another signal that ended it."""
    try:
        if _LISTENS:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            sys.unraisablehook = _once_more
        for each in _STOPS:
            if signal.getsignal(each) is signal.SIG_DFL:  # nohup has SIGHUP ignored
                signal.signal(each, _stop)
        use_one_thread()
        import gc

        from tutor.cli import run

        # Importing SymPy makes hundreds of thousands of objects that stay; looking for garbage among them takes a
        # tenth of the time of a short command.
        gc.set_threshold(200_000, 50, 50)
        code = run()
        gc.freeze()  # and on the way out Python would look once more
    except KeyboardInterrupt:
        code = 130
    finally:
        if _LISTENS:
            signal.signal(signal.SIGINT, _leave)
        for each in _STOPS:
            if signal.getsignal(each) is _stop:
                signal.signal(each, _leave)
    return 128 + _stopped[0] if _stopped else code


if __name__ == "__main__":
    raise SystemExit(main())
