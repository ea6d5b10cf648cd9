"""Clipping: gradients that are too large are cut back before the step."""

from __future__ import annotations

from typing import Any

from tutor.maths.number_system import NumberSystem, larger, smaller

Scalar = Any


def by_value(gradient: Scalar, limit: Scalar, m: NumberSystem) -> Scalar:
    """The gradient, no further from 0 than the limit: max(-limit, min(limit, g))."""
    return larger(-limit, smaller(limit, gradient, m), m)


def norm(squares: Scalar, m: NumberSystem) -> Scalar:
    """sqrt(g1² + g2² + …), the length of the whole gradient, from the sum of the squares."""
    return m.sqrt(squares)


def by_norm(gradient: Scalar, length: Scalar, limit: Scalar, m: NumberSystem) -> Scalar:
    """The gradient shortened by limit/length where the whole is longer than the limit.

    Source: Pascanu, Mikolov and Bengio 2013.
    """
    return m.positive(length - limit, gradient * limit / length, gradient)
