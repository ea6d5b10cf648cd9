"""A pseudo-terminal with the command on it, for what only somebody who sits at one can see."""

from __future__ import annotations

import contextlib
import os
import re
import select
import signal
import struct
import sys
import time


class Terminal:
    """A program on a pseudo-terminal; `type` gives what appears until the next prompt."""

    def __init__(self, *arguments: str, width: int = 80, **environment: str) -> None:
        import pty

        self.pid, self.end = pty.fork()
        if self.pid == 0:
            os.environ.pop("COLUMNS", None)
            os.environ.update({"TERM": "xterm", "PYTHONUTF8": "1", **environment})
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell that starts tests in the background ignores it
            time.sleep(0.2)  # until the window has its size
            command = [sys.executable, "-m", "tutor", *arguments]
            os.execve(sys.executable, command, dict(os.environ))  # readline sets COLUMNS where Python does not see it
        self.resize(width)
        self.seen = ""
        self.exit_code: int | None = None

    def resize(self, width: int) -> None:
        import fcntl
        import termios

        fcntl.ioctl(self.end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))

    def read(self, prompt: str = "> ", seconds: float = 30) -> str:
        """What appears up to the prompt, or to the end."""
        seen, until = b"", time.monotonic() + seconds
        with contextlib.suppress(OSError):  # the program has ended
            while not seen.endswith(prompt.encode()) and time.monotonic() < until:
                if select.select([self.end], [], [], 1)[0]:
                    new = os.read(self.end, 4096)
                    if not new:
                        break
                    seen += new
        text = re.sub(r"\x1b\[[0-9;]*m", "", seen.decode().replace("\r\n", "\n"))
        self.seen += text
        return text

    def type(self, keys: str, prompt: str = "> ") -> str:
        os.write(self.end, keys.encode())
        return self.read(prompt)

    def jump(self, place: str) -> str:
        self.type("j", "jump to: ")
        return self.type(f"{place}\n")

    @property
    def has_ended(self) -> bool:
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def leave(self, key: str) -> None:
        """Press a key that ends the program, and again where nothing happens: an interrupt between Python's printing a
        prompt and its waiting for a line is seen only with the next key."""
        for _ in range(3):
            os.write(self.end, key.encode())
            self.read("\0", 5)
            leaving = time.monotonic() + 10
            while not self.has_ended and self.seen.endswith("\n") and time.monotonic() < leaving:
                time.sleep(0.05)  # the line is ended, and the program is on its way out
            if self.has_ended:
                return

    def close(self) -> None:
        self.read("\0")
        for _ in range(300):  # it has closed its end and is on its way out, or it waits for ever
            if self.has_ended:
                break
            time.sleep(0.1)
        else:
            os.kill(self.pid, signal.SIGKILL)
        self.exit_code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        os.close(self.end)
