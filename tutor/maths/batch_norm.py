"""Batch normalization: every weighted sum brought to mean 0 and variance 1 over the batch, then scaled and shifted.

Source: Ioffe and Szegedy 2015; the lecture's slide with the same four formulas.
"""

from __future__ import annotations

from typing import Any

from tutor.maths.number_system import NumberSystem

Scalar = Any
EPSILON = "1e-5"
MOMENTUM = "0.9"
"""How much of the running mean and variance is kept at each update; they are used once the training is over."""


def deviation(variance: Scalar, m: NumberSystem) -> Scalar:
    """sqrt(variance + epsilon)"""
    return m.sqrt(variance + m.number(EPSILON))


def scaled(normalised: Scalar, gamma: Scalar, beta: Scalar) -> Scalar:
    """gamma·z_hat + beta"""
    return gamma * normalised + beta


def slope(by_normalised: Scalar, mean_of_it: Scalar, normalised: Scalar, mean_of_product: Scalar, by: Scalar) -> Scalar:
    """dE/dz = (dE/dz_hat - mean(dE/dz_hat) - z_hat·mean(dE/dz_hat·z_hat))/sqrt(variance + epsilon)

    `by` is that root. The two means are what z changes through the mean and the variance of its batch.
    """
    return (by_normalised - mean_of_it - normalised * mean_of_product) / by


def running(old: Scalar, new: Scalar, m: NumberSystem) -> Scalar:
    """0.9·old + 0.1·new"""
    kept = m.number(MOMENTUM)
    return kept * old + (1 - kept) * new
