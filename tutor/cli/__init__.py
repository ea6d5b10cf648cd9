"""The command line: one module per family of commands. Each parses, calls and prints; none knows any mathematics."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress
from typing import Any

from tutor.errors import TutorError

LONGEST_MESSAGE = 10_000  # every name of a long worksheet has room in it; what is put into a file has not
_KINDS = {"float": "a number", "int(eger)?": "a whole number"}
"""What Typer calls the kinds of numbers, and what a reader does."""
_OF_A_PATH = (errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.ELOOP, errno.EROFS, errno.ENOSPC, errno.EDQUOT)
_OF_THE_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF, errno.EAGAIN, errno.ENXIO)


def run() -> int:
    """Run the command in sys.argv. Every way to fail ends in a message on stderr and an exit code, and here."""
    _open_closed_streams()
    try:
        code = _run_command()
    except KeyboardInterrupt:
        code = 130
    except TutorError as error:
        code = complain(str(error), error.exit_code)
    except Exception as error:
        code = _otherwise(error)
    return _flushed(code)


def _run_command() -> int:
    if sys.argv[1:] in (["--version"], ["-V"]):  # building the command line takes ten times as long as the answer
        from tutor import __version__

        print(f"tutor {__version__}")
        return 0
    if not sys.argv[1:] and "_TUTOR_COMPLETE" not in os.environ:  # which is how a shell asks for completions
        from tutor.cli.greeting import greeting

        print(greeting())
        return 0
    from tutor.cli.commands import command_line

    return int(command_line(*sys.argv[1:2])(standalone_mode=False) or 0)


def _otherwise(error: Exception) -> int:
    """What is no TutorError: it belongs to the output, to a path, to the words of the command, or to the program."""
    if isinstance(error, BrokenPipeError):
        abandon_output()
        return 0
    if isinstance(error, OSError) and error.filename is None and error.errno in _OF_THE_OUTPUT:
        return _unwritten(error)
    if isinstance(error, OSError) and error.filename is not None and error.errno in _OF_A_PATH:
        return complain(f"{str(error.filename)!r} cannot be used: {error.strerror}")
    if type(error).__name__ == "Abort":  # Typer's word for Ctrl-C
        return 130
    if hasattr(error, "format_message"):
        message = error.format_message()
        return complain(_of_the_words(error, message)) if message else 2  # without arguments help was shown
    from tutor.faults import EXIT_CODE, described

    return complain(described(error), EXIT_CODE)


def _of_the_words(error: Any, message: str) -> str:
    """What is wrong in the words of a command, in words for its reader, and whose help says more."""
    for name, thing in _KINDS.items():
        message = re.sub(rf"not a valid {name}( range)?\b", f"not {thing}", message)
    context, names = getattr(error, "ctx", None), list[str]()
    while context is not None and context.parent is not None:
        context, names = context.parent, [str(context.info_name), *names]
    return f"{message} Try `{' '.join(['tutor', *names])} --help`."


def _flushed(code: int) -> int:
    """The exit code once the output is where it belongs: what Python flushes on its way out, nobody can catch."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        abandon_output()
    except OSError as error:
        return _unwritten(error)
    return code


def _unwritten(error: OSError) -> int:
    abandon_output()
    closed = "standard output is closed" if error.errno == errno.EBADF else error.strerror
    return complain(f"the output cannot be written: {closed}")


def abandon_output() -> None:
    """Whoever read our output has seen enough. Python would complain when it flushes stdout on the way out."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def complain(message: str, code: int = 2) -> int:
    """The message on stderr, in one line; of a fault of the program, in two. Returns the exit code."""
    from tutor.faults import EXIT_CODE, report

    for line in report(message).split("\n") if code == EXIT_CODE else [message]:
        tell(f"tutor: {_shortened(line)}")
    return code


def _shortened(line: str) -> str:
    """The line without its middle where it is very long: what is wrong stands at its end."""
    if len(line) <= LONGEST_MESSAGE:
        return line
    return f"{line[: LONGEST_MESSAGE // 2]} … {line[-LONGEST_MESSAGE // 2 :]}"


def tell(message: str) -> None:
    """A line on stderr, where it stays out of results that a program reads; a terminal has it broken between words."""
    from tutor.printers.screen import plain

    line = plain(" ".join(message.split()), sys.stderr)
    with suppress(OSError):  # then there is nobody to tell
        if sys.stderr.isatty():
            from textwrap import fill

            columns = os.get_terminal_size(sys.stderr.fileno()).columns or 80
            line = fill(line, max(columns, 20), break_on_hyphens=False)
        print(line, file=sys.stderr, flush=True)


def _open_closed_streams() -> None:
    """A stream that is closed is one that fails when it is used, and no file that is opened takes its place."""
    for number, mode in enumerate((os.O_WRONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, mode)  # gets the lowest number that is free, which is this one
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)
