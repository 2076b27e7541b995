"""Adaptive discriminator augmentation (Karras et al. 2020b): the pipe of transforms, and what sets its probability."""

from vitruvian.training.augment.controller import AdaController
from vitruvian.training.augment.pipe import PIPES, AugmentPipe, Strengths

__all__ = ["PIPES", "AdaController", "AugmentPipe", "Strengths"]
