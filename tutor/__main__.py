"""The entry point: `tutor` and `python -m tutor`."""

import os
import sys


def _leave(*_: object) -> None:
    os._exit(130)


# Before anything else is imported, and after everything has been said: nothing is there that could be lost. Where
# Ctrl-C is ignored, as it is for a job in the background, it stays so.
try:
    import signal

    _LISTENS = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if _LISTENS:
        signal.signal(signal.SIGINT, _leave)
except KeyboardInterrupt:
    _leave()


def _once_more(lost: "sys.UnraisableHookArgs") -> None:
    """Ctrl-C that came while something was cleaned up, where Python drops it, comes again."""
    if lost.exc_type is KeyboardInterrupt:
        from threading import Timer

        Timer(0.05, signal.raise_signal, [signal.SIGINT]).start()  # not at once: this is a part of that cleaning up
    else:
        sys.__unraisablehook__(lost)


def main() -> int:
    """Run the command line; the exit code."""
    try:
        if _LISTENS:
            signal.signal(signal.SIGINT, signal.default_int_handler)
            sys.unraisablehook = _once_more
        import gc

        from tutor.cli import run

        # Importing SymPy makes hundreds of thousands of objects that stay; looking for garbage among them takes a
        # tenth of the time of a short command.
        gc.set_threshold(100_000, 50, 50)
        return run()
    except KeyboardInterrupt:
        return 130
    finally:
        if _LISTENS:
            signal.signal(signal.SIGINT, _leave)


if __name__ == "__main__":
    raise SystemExit(main())
