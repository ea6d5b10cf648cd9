"""A fault of the program: what it is told as, so that nobody takes it for one of their own, and can report it."""

from __future__ import annotations

import os
import re
import sys
import traceback

from tutor import __version__
from tutor.errors import TutorError
from tutor.escaping import for_line

EXIT_CODE = 70  # EX_SOFTWARE of sysexits.h
_LONGEST = 300
_FRAME = re.compile(f'File "{re.escape(__file__.removesuffix("faults.py"))}(.+?[.]py)", line ([0-9]+)')


class Fault(TutorError):
    """A fault that is known already, as `described` by whoever met it."""

    exit_code = EXIT_CODE


def debugging() -> bool:
    return os.environ.get("TUTOR_DEBUG", "") not in ("", "0")


def described(error: BaseException) -> str:
    """What happened and where, in one line: `ValueError: … (formulas/parse.py, line 81)`. Shows the traceback first,
    where TUTOR_DEBUG asks for it."""
    trace = _trace(error)
    if debugging() and sys.stderr is not None:
        print("\n".join(map(for_line, trace.split("\n"))), file=sys.stderr)
    try:
        said = for_line(str(error))[:_LONGEST]
    except Exception:  # an error that cannot even say what it is
        said = ""
    frames = _FRAME.findall(str(getattr(error.__cause__, "tb", "")) or trace)  # in the process where it happened
    place = " ({}, line {})".format(*frames[-1]) if frames else ""
    return f"{type(error).__name__}{f': {said}' if said else ''}{place.replace(os.sep, '/')}"


def _trace(error: BaseException) -> str:
    try:
        return "".join(traceback.format_exception(error))
    except Exception:  # as above
        return "".join(traceback.format_tb(error.__traceback__))


def report(what: str) -> str:
    """The two lines that tell a reader of a fault."""
    python = ".".join(map(str, sys.version_info[:3]))
    return (
        f"this is a fault of the program, not of what you gave it: {what}\n"
        f"please report both lines and the file that led here: tutor {__version__}, Python {python}, "
        f"{sys.platform}, `{_command()}`; TUTOR_DEBUG=1 shows the traceback"
    )


def _command() -> str:
    """The command and its options by name. What was given to them stays with the reader: one may be a secret."""
    words = sys.argv[1:]
    options = [word.partition("=")[0] for word in words if re.match(r"--?[A-Za-z]", word)]
    command = [word for word in words[:1] if word not in options]
    return for_line(" ".join(["tutor", *command, *options]))[:_LONGEST]
