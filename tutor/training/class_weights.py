"""How much each class counts in the loss, where some classes have far fewer examples than others."""

from __future__ import annotations

from typing import Any

import numpy as np

from tutor.errors import TutorError

Array = Any


def balanced(y: Array, count: int) -> Array:
    """The weight of each class, n / (k·n_c), for n examples, k = `count` classes and n_c examples of class c.

    An example's loss times the weight of its class: then all classes together count alike, and the weights of all
    examples have the sum n, so that the rate of learning keeps its meaning. It is the weighting of King and Zeng 2001,
    "Logistic Regression in Rare Events Data", section 4.2, with the share τ of each class in the population taken as
    1/k; elsewhere it goes by the name "balanced". Raises TutorError for a class without an example.
    """
    examples = np.bincount(y, minlength=count)
    if not examples.all():
        raise TutorError(f"class {int(np.argmin(examples))} has no example in the training part, so it has no weight")
    return len(y) / (count * examples)
