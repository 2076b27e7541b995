"""What sets the probability of the augmentations while a network trains."""

from __future__ import annotations

import torch

P_MAX = 0.85
"""Beyond this the transforms would leak into the generated pictures."""
INTERVAL = 4
"""Steps between two adjustments."""


class AdaController:
    """Raises p while the discriminator is too sure of the real pictures, and lowers it when it is not.

    The measure is the mean sign of its outputs on real pictures: 0 without overfitting, 1 with nothing else.

    Args:
        target: the measure to hold, 0.6 by default.
        ada_kimg: thousands of pictures that p takes from 0 to 1.
        p_max: bound of p; the reference has none, and logs with p = 34 exist.
    """

    def __init__(self, *, target: float = 0.6, ada_kimg: float = 500, p_max: float = P_MAX) -> None:
        self.target, self.ada_kimg, self.p_max = target, ada_kimg, p_max

    def adjusted(self, p: torch.Tensor, *, mean_sign: float, images: int) -> torch.Tensor:
        """p after ``images`` pictures were shown with that mean sign; float32."""
        direction = (mean_sign > self.target) - (mean_sign < self.target)
        step = direction * images / (self.ada_kimg * 1000)
        return (p + step).clamp(0, self.p_max)
