"""Which modules hold commands. They register themselves when they are imported."""

from __future__ import annotations

from importlib import import_module

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


def register() -> None:
    """Import every family, so that its commands are known."""
    for family in FAMILIES:
        import_module(f"tutor.cli.{family}")
