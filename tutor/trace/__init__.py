"""The arrays of one training step of somebody's own program: which is the first that is wrong, and what was done.

Loading this takes NumPy and nothing heavier; the rest comes with the first check.
"""

from __future__ import annotations

from tutor.trace.gradient import check_gradient
from tutor.trace.step import Step
from tutor.trace.torch_step import pytorch

__all__ = ["Step", "check_gradient", "pytorch"]
