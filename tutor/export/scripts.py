"""Which scripts a trained network can be written as."""

from __future__ import annotations

from collections.abc import Callable

from tutor.export.plan import Plan


def _numpy(plan: Plan) -> str:
    from tutor.export.for_numpy import script

    return script(plan)


def _pytorch(plan: Plan) -> str:
    from tutor.export.for_pytorch import script

    return script(plan)


EXPORTS: dict[str, Callable[[Plan], str]] = {"numpy": _numpy, "pytorch": _pytorch}
"""Who writes a script for what."""
