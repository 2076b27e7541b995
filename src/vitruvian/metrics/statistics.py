"""Mean and covariance of a stream of features, in one pass and little memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Moments:
    """First two moments of ``count`` feature vectors of length ``F``."""

    count: int
    mean: np.ndarray
    """``F``, float64."""
    covariance: np.ndarray
    """``F x F``, float64, of the population (divided by the count, as the reference does)."""


class MomentAccumulator:
    """Adds batches of features; float64 sums, so that the order of batches hardly matters."""

    def __init__(self, width: int) -> None:
        self.count = 0
        self._sum = np.zeros(width)
        self._products = np.zeros((width, width))

    def add(self, features: np.ndarray) -> None:
        """``N x F`` of any floating type."""
        rows = features.astype(np.float64)
        self.count += len(rows)
        self._sum += rows.sum(axis=0)
        self._products += rows.T @ rows

    def moments(self) -> Moments:
        """The moments of everything added.

        Raises:
            ValueError: if nothing was.
        """
        if self.count == 0:
            raise ValueError("moments of no features")
        mean = self._sum / self.count
        return Moments(self.count, mean, self._products / self.count - np.outer(mean, mean))


def moments_of(features: np.ndarray) -> Moments:
    """The moments of ``N x F`` at once."""
    accumulator = MomentAccumulator(features.shape[1])
    accumulator.add(features)
    return accumulator.moments()
