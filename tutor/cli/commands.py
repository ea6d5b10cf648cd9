"""Which modules hold which commands. They register themselves when they are imported."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

FAMILIES = {
    "lessons": ("list",),
    "learn": ("learn",),
    "worksheet": ("run", "why"),
    "explain": ("explain",),
    "prove": ("prove",),
    "sheet": ("sheet", "key"),
    "check": ("check",),
    "vary": ("vary",),
    "autograder": ("autograder",),
    "train": ("train",),
    "predict": ("predict",),
    "export": ("export",),
    "compare": ("compare",),
    "trace": ("trace",),
    "authoring": ("new", "lint", "schema"),
    "errata": ("errata",),
    "transcript": ("transcript",),
}


@cache
def command_line(first: str = "") -> Any:
    """The commands, to be called with words. To build all of them takes as long as a short command: where the `first`
    word is one of them it is that one alone."""
    from typer.main import get_command

    from tutor.cli.app import app

    wanted = [family for family, commands in FAMILIES.items() if first in commands]
    for family in wanted or FAMILIES:
        import_module(f"tutor.cli.{family}")
    return get_command(app)
