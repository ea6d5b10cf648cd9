"""What a line of a worksheet is, whatever it is called and however its reason is worded."""

from __future__ import annotations

from enum import Enum, auto


class Kind(Enum):
    """The kinds of lines. Behind some stands what their step says beside its kind, as `which` of them it is."""

    WEIGHTED_SUM = auto()
    ACTIVATION = auto()
    """Which: its name in the registry of activations."""
    LOSS = auto()
    """Which: its name in the registry of losses."""
    PENALTY = auto()
    ERROR = auto()
    """desired - output, of the perceptron rule."""
    REDUCTION = auto()
    """Errors or gradients of several examples together. Which: `mean` or `sum`; empty for the only example."""
    EQUATION = auto()
    """An equation of a lesson, of any shape."""
    OBJECTIVE = auto()
    """What is minimised or differentiated where that is no loss of a network."""
    PARTIAL = auto()
    GRADIENT = auto()
    """The chain rule along one path, or the sum over several."""
    DELTA = auto()
    """-dE/ds of a weighted sum s, of the delta rule."""
    SCHEDULE = auto()
    """The learning rate of an epoch."""
    CLIPPING = auto()
    STATE = auto()
    """What an optimizer keeps from update to update."""
    CORRECTION = auto()
    """A state that began at 0, made larger for it."""
    UPDATE = auto()
    """The new value of a parameter. Which: the rule, `perceptron` or `delta`; empty for gradient descent."""
    INTERMEDIATE = auto()
    """What is worked out only for the lines after it."""
    CHECK = auto()
    """A formula that no worksheet has, such as one that a source prints."""
