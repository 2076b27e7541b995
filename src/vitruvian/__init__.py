"""Vitruvian: pictures of whole people with generative adversarial networks.

::

    import vitruvian

    G = vitruvian.load("mannequin-body")
    images = G(vitruvian.z_from_seed(0, G.z_dim), truncation_psi=0.7)  # 1 x 3 x H x W in [-1, 1]

Names are imported when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from vitruvian.api import load as load
    from vitruvian.api import save as save
    from vitruvian.data import PictureSet as PictureSet
    from vitruvian.errors import VitruvianError as VitruvianError
    from vitruvian.latents import z_from_seed as z_from_seed
    from vitruvian.options.dataset import SynthDatasetOptions as SynthDatasetOptions
    from vitruvian.options.generate import GenerateOptions as GenerateOptions
    from vitruvian.options.interpolate import InterpolateOptions as InterpolateOptions
    from vitruvian.options.mix import MixOptions as MixOptions
    from vitruvian.options.train import TrainOptions as TrainOptions
    from vitruvian.tasks.generate import generate as generate
    from vitruvian.tasks.interpolate import interpolate as interpolate
    from vitruvian.tasks.mix import mix as mix
    from vitruvian.tasks.synth import synthesise as synthesise
    from vitruvian.training.gan import train_gan as train_gan

_HOMES = {
    "load": "vitruvian.api",
    "save": "vitruvian.api",
    "PictureSet": "vitruvian.data",
    "VitruvianError": "vitruvian.errors",
    "z_from_seed": "vitruvian.latents",
    "SynthDatasetOptions": "vitruvian.options.dataset",
    "GenerateOptions": "vitruvian.options.generate",
    "InterpolateOptions": "vitruvian.options.interpolate",
    "MixOptions": "vitruvian.options.mix",
    "TrainOptions": "vitruvian.options.train",
    "generate": "vitruvian.tasks.generate",
    "interpolate": "vitruvian.tasks.interpolate",
    "mix": "vitruvian.tasks.mix",
    "synthesise": "vitruvian.tasks.synth",
    "train_gan": "vitruvian.training.gan",
}

__all__ = ["__version__", *_HOMES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'vitruvian' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
