"""Where the program keeps what belongs to its user: what was answered, and what lessons came to."""

from __future__ import annotations

import os
from pathlib import Path

HOME = "TUTOR_HOME"
"""The environment variable that names a folder for all of it."""


def state_folder() -> Path:
    """For what must not be lost."""
    from platformdirs import user_state_path

    own = os.environ.get(HOME)
    return Path(own) if own else user_state_path("tutor", appauthor=False)


def cache_folder() -> Path:
    """For what can be computed again."""
    from platformdirs import user_cache_path

    own = os.environ.get(HOME)
    return Path(own) / "cache" if own else user_cache_path("tutor", appauthor=False)


def progress_file() -> Path:
    return state_folder() / "progress.json"
