"""One key at a time from a terminal: on POSIX by termios, on Windows by msvcrt, and lines where neither can."""

from __future__ import annotations

import os
import sys

_WINDOWS_ARROWS = {"H": "up", "P": "down", "K": "left", "M": "right"}
_ARROWS = {"A": "up", "B": "down", "C": "right", "D": "left"}
_ENDS = ("\x03", "\x04", "\x1a")  # Ctrl-C, Ctrl-D and, on Windows, Ctrl-Z
_SECONDS_WITHIN_A_KEY = 0.05


def has_keys() -> bool:
    """Whether keys can be had one by one: a dumb terminal, such as one inside an editor, sends whole lines."""
    if os.environ.get("TERM") == "dumb":
        return False
    try:
        import termios  # noqa: F401
    except ImportError:
        return sys.platform == "win32"
    return True


def read_key(prompt: str) -> str:
    """The next key after the prompt: a character, `up`, `down`, `left`, `right`, or empty for another key without a
    character. The prompt appears once keys are listened to, so that what is typed at it is never taken for a line.

    Raises EOFError for Ctrl-D and where the terminal is gone, KeyboardInterrupt for Ctrl-C.
    """
    key = _windows_key(prompt) if sys.platform == "win32" else _posix_key(prompt)
    if key in _ENDS:
        raise EOFError
    return key


def _posix_key(prompt: str) -> str:
    """An arrow comes as Escape, [ or O, perhaps some numbers, and its letter. Nothing is read beyond the key."""
    import termios
    import tty

    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    try:
        tty.setcbreak(terminal, termios.TCSADRAIN)
        print(prompt, end="", flush=True)
        first = _character(terminal)
        if first != "\x1b":
            return first
        if not _is_waiting(terminal) or _character(terminal) not in ("[", "O"):
            return ""
        last = "0"
        while last in "0123456789;" and _is_waiting(terminal):
            last = _character(terminal)
        return _ARROWS.get(last, "")
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)


def _character(terminal: int) -> str:
    """One character, which may be several bytes."""
    try:
        found = os.read(terminal, 1)
    except OSError:  # the window was closed
        found = b""
    if not found:
        raise EOFError
    for _ in range((found[0] >= 0xC0) + (found[0] >= 0xE0) + (found[0] >= 0xF0)):
        found += os.read(terminal, 1)
    return found.decode("utf-8", "replace")


def _is_waiting(terminal: int) -> bool:
    from select import select

    return bool(select([terminal], [], [], _SECONDS_WITHIN_A_KEY)[0])


def _windows_key(prompt: str) -> str:
    import msvcrt

    print(prompt, end="", flush=True)
    key: str = msvcrt.getwch()  # type: ignore[attr-defined]
    return _WINDOWS_ARROWS.get(msvcrt.getwch(), "") if key in ("\x00", "\xe0") else key  # type: ignore[attr-defined]
