"""Which modules hold commands. They register themselves when they are imported."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

FAMILIES = (
    "lessons",
    "learn",
    "worksheet",
    "explain",
    "prove",
    "sheet",
    "check",
    "vary",
    "autograder",
    "train",
    "predict",
    "export",
    "compare",
    "trace",
    "authoring",
    "errata",
    "transcript",
)


@cache
def command_line() -> Any:
    """All commands, to be called with words; to build it takes longer than many a command."""
    from typer.main import get_command

    from tutor.cli.app import app

    for family in FAMILIES:
        import_module(f"tutor.cli.{family}")
    return get_command(app)
