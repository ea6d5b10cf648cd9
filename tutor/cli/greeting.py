"""What `tutor` says when nothing is asked of it."""

from __future__ import annotations

import textwrap

from tutor.printers.screen import NARROWEST, terminal_columns

_WHAT = (
    "A tutor for neural networks: every value, every derivative and every update of a training step, worked out to the "
    "last digit, and your own homework marked line by line."
)


_WAYS = {
    "tutor run perceptron": "read the first lesson",
    "tutor list": "see the course",
    "tutor --help": "see everything that it can do",
}


def greeting() -> str:
    """What this is, where the reader is in the course, and what to type next, in the width of the terminal."""
    width = max(terminal_columns(), NARROWEST)
    ways = {**_where_to_go_on(), **_WAYS}
    wide = max(map(len, ways))
    if wide + 5 + max(map(len, ways.values())) <= width:
        lines = [f"  {way:{wide}}   {purpose}" for way, purpose in ways.items()]
    else:
        lines = []
        for way, purpose in ways.items():
            lines += [f"  {way}", *textwrap.wrap(purpose, width, initial_indent=" " * 6, subsequent_indent=" " * 6)]
    return "\n".join([textwrap.fill(_WHAT, min(width, 80)), "", "Next", *lines])


def _where_to_go_on() -> dict[str, str]:
    """To the lesson that was read last, if any was: what is remembered is read only where there is something."""
    from tutor.course.folders import progress_file

    if not progress_file().exists():
        return {"tutor learn": "begin the course, step by step"}
    from tutor.cli import tell
    from tutor.course.progress import done_of, read_progress

    progress = read_progress(tell)
    share = done_of(progress, progress.last)
    read = f" ({100 * share:.0f}% read)" if share else ""
    return {"tutor learn": f"go on with {progress.last}{read}" if share else "begin the course, step by step"}
