"""What users rely on. Removing a name fails here until the list is edited in the same change."""

from __future__ import annotations

import vitruvian
from vitruvian.cli import COMMANDS

NAMES = {
    "GenerateOptions",
    "InterpolateOptions",
    "MixOptions",
    "PictureSet",
    "SynthDatasetOptions",
    "TrainOptions",
    "VitruvianError",
    "__version__",
    "generate",
    "interpolate",
    "load",
    "mix",
    "save",
    "synthesise",
    "train_gan",
    "z_from_seed",
}


def test_public_names_are_there_and_importable() -> None:
    assert set(vitruvian.__all__) == NAMES
    for name in NAMES:
        assert getattr(vitruvian, name) is not None


def test_commands() -> None:
    assert set(COMMANDS) == {"bench", "dataset", "generate", "interpolate", "mix", "models", "train"}
