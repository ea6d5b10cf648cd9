"""Networks from scratch as public tutorials write them: right is right, and the line with the mistake is found."""

from __future__ import annotations

import pytest
from trace_tutorials import TUTORIALS

from tutor.trace import Step


@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_is_right_and_its_mistake_is_found(name: str) -> None:
    tutorial = TUTORIALS[name]
    right, wrong = (Step().record(**tutorial.run(mistake)).check(**tutorial.said) for mistake in (False, True))
    assert {a.verdict for a in right.arrays} <= {"right", "missing"} and not right.mistakes, str(right)
    first = next(a.name for a in wrong.arrays if a.verdict == "wrong")
    assert (first, *(m.id for m in wrong.mistakes)) == (tutorial.array, *tutorial.mistakes), str(wrong)
    # What is known is used: every array that was recorded is judged, but for those that are given.
    given = {"X", "y", "Y", *(f"{kind}{k}" for kind in "Wb" for k in (1, 2))}
    assert {a.name for a in right.arrays if a.verdict == "right"} == set(tutorial.run(False)) - given
    assert not right.remarks
