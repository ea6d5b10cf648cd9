"""The command line: one module per family of commands. Each parses, calls and prints; none knows any mathematics."""

from __future__ import annotations

import os
import sys

from tutor.errors import TutorError


def run() -> int:
    """Run the command in sys.argv. Every way to fail ends in one message on stderr and an exit code."""
    from tutor.cli.app import app
    from tutor.cli.commands import register

    register()
    try:
        code = app(standalone_mode=False)
        sys.stdout.flush()
        return int(code or 0)
    except TutorError as error:
        return _complain(str(error), error.exit_code)
    except BrokenPipeError:
        abandon_output()
        return 0
    except OSError as error:
        abandon_output()
        return _complain(f"the output cannot be written: {error.strerror}")
    except Exception as error:
        if type(error).__name__ == "Abort":
            return 130
        if not hasattr(error, "format_message"):
            raise
        message = error.format_message()
        return _complain(f"{message} Try `tutor --help`.") if message else 2  # without arguments help was shown


LONGEST_MESSAGE = 1_000


def abandon_output() -> None:
    """Whoever read our output has seen enough. Python would complain when it flushes stdout on the way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _complain(message: str, code: int = 2) -> int:
    from tutor.views.screen import plain

    print(f"tutor: {plain(message, sys.stderr)[:LONGEST_MESSAGE]}", file=sys.stderr)
    return code
