"""Distances between two sets of features: FID, KID, precision and recall."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vitruvian.metrics.statistics import Moments

KID_SUBSETS, KID_SUBSET_SIZE = 100, 1000
NEIGHBOURS = 3
_ROWS_AT_A_TIME = 2048


def frechet_distance(real: Moments, fake: Moments) -> float:
    """``|mu_r - mu_f|^2 + tr(S_r + S_f - 2 sqrt(S_r S_f))`` (Heusel et al. 2017), never negative.

    The trace of the root is the sum of the roots of the eigenvalues of ``S_r S_f``, which are those of the symmetric
    ``A S_f A`` with ``A = sqrt(S_r)``: real and not negative but for rounding, also when there are fewer pictures than
    features, where a general matrix root fails.
    """
    values, vectors = np.linalg.eigh(real.covariance)
    root = (vectors * np.sqrt(values.clip(min=0))) @ vectors.T
    eigenvalues = np.linalg.eigvalsh(root @ fake.covariance @ root)
    shared = np.sqrt(eigenvalues.clip(min=0)).sum()
    shift = real.mean - fake.mean
    distance = shift @ shift + np.trace(real.covariance) + np.trace(fake.covariance) - 2 * shared
    return max(float(distance), 0.0)


def kernel_distance(
    real: np.ndarray,
    fake: np.ndarray,
    *,
    num_subsets: int = KID_SUBSETS,
    max_subset_size: int = KID_SUBSET_SIZE,
    seed: int = 0,
) -> float:
    """Squared MMD with the kernel ``(x.y / F + 1)^3``, unbiased, over random subsets (KID, Binkowski et al. 2018).

    Args:
        real, fake: ``N x F``.
        seed: of the subsets; the numbers drawn are those of ``numpy.random.seed(seed)`` in the reference.
    """
    width = real.shape[1]
    size = min(len(real), len(fake), max_subset_size)
    random = np.random.RandomState(seed)
    total = 0.0
    for _ in range(num_subsets):
        x = fake[random.choice(len(fake), size, replace=False)]
        y = real[random.choice(len(real), size, replace=False)]
        within = (x @ x.T / width + 1) ** 3 + (y @ y.T / width + 1) ** 3
        between = (x @ y.T / width + 1) ** 3
        total += (within.sum() - np.diag(within).sum()) / (size - 1) - between.sum() * 2 / size
    return float(total / num_subsets / size)


class PrecisionRecall(NamedTuple):
    precision: float
    """Share of fakes within the manifold of the real pictures."""
    recall: float
    """Share of real pictures within the manifold of the fakes."""


def precision_recall(real: np.ndarray, fake: np.ndarray, *, neighbours: int = NEIGHBOURS) -> PrecisionRecall:
    """Improved precision and recall (Kynkaanniemi et al. 2019) of ``N x F`` features, in float32.

    The reference stores features and distances in 16 bits, which moves its figures by 0.2 to 0.3 points.
    """
    a, b = torch.from_numpy(real).float(), torch.from_numpy(fake).float()
    return PrecisionRecall(_share_within(a, b, neighbours), _share_within(b, a, neighbours))


def _share_within(manifold: Tensor, probes: Tensor, neighbours: int) -> float:
    """Share of probes that lie within the ball of any manifold point up to its k-th neighbour."""
    # The nearest point to a point of the set is itself, so the k-th neighbour is the (k + 1)-th smallest distance.
    exact = "donot_use_mm_for_euclid_dist"  # the product form loses the digits that decide close cases
    radii = torch.cat(
        [
            torch.cdist(rows, manifold, compute_mode=exact).kthvalue(neighbours + 1, dim=1).values
            for rows in manifold.split(_ROWS_AT_A_TIME)
        ]
    )
    within = sum(
        int((torch.cdist(rows, manifold, compute_mode=exact) <= radii).any(dim=1).sum())
        for rows in probes.split(_ROWS_AT_A_TIME)
    )
    return within / len(probes)


class InceptionScore(NamedTuple):
    mean: float
    std: float
    """Over the splits, of the population."""


def inception_score(probabilities: np.ndarray, *, num_splits: int = 10) -> InceptionScore:
    """``exp(E KL(p(y|x) || p(y)))`` in splits (Salimans et al. 2016) of class probabilities ``N x C``, not shuffled."""
    count = len(probabilities)
    scores = []
    for index in range(num_splits):
        part = probabilities[index * count // num_splits : (index + 1) * count // num_splits].astype(np.float64)
        divergence = part * (np.log(part) - np.log(part.mean(axis=0, keepdims=True)))
        scores.append(np.exp(divergence.sum(axis=1).mean()))
    return InceptionScore(float(np.mean(scores)), float(np.std(scores)))
