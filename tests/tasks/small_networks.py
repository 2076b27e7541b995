"""Random networks of every architecture, small enough to paint hundreds of pictures a second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import nn

from tests.conftest import golden_path
from vitruvian.checkpoints import write_network
from vitruvian.nn import StyleGAN1Generator, StyleGAN2Generator, StyleGAN3Generator

SMALL: dict[str, Any] = {"z_dim": 8, "w_dim": 8, "num_layers": 2, "channel_base": 64, "channel_max": 8}

ARCHITECTURES = {
    "stylegan1": lambda: StyleGAN1Generator(img_resolution=(32, 16), **SMALL),
    "stylegan2": lambda: StyleGAN2Generator(img_resolution=(32, 16), **SMALL),
    "stylegan2-3:4": lambda: StyleGAN2Generator(img_resolution=(32, 24), **SMALL),
    "stylegan2-odd": lambda: StyleGAN2Generator(img_resolution=(10, 6), **SMALL),
    "stylegan2-grey": lambda: StyleGAN2Generator(img_resolution=16, img_channels=1, **SMALL),
    "stylegan3": lambda: StyleGAN3Generator(
        img_resolution=(32, 16), margin_size=(4, 2), synthesis_layers=6, **{**SMALL, "channel_base": 512}
    ),
}


def write_small_network(folder: Path, architecture: str = "stylegan2", *, seed: int = 1) -> str:
    """A network file with noise that is seen and a mean of w that is not zero."""
    torch.manual_seed(seed)
    return write_random(ARCHITECTURES[architecture](), folder / f"{architecture.replace(':', '-')}.safetensors")


def write_conditional_network(folder: Path, *, classes: int = 3) -> str:
    torch.manual_seed(1)
    return write_random(StyleGAN2Generator(img_resolution=16, c_dim=classes, **SMALL), folder / "cond.safetensors")


def write_random(network: nn.Module, path: Path) -> str:
    for name, parameter in network.named_parameters():
        if name.endswith("noise_strength"):
            parameter.data.fill_(0.3)
    for name, buffer in network.named_buffers():
        if name.endswith("w_avg"):
            buffer.normal_()
    write_network(network, path, name="test-net")
    return str(path)


def golden_network() -> StyleGAN2Generator:
    """Network A of the applications' golden numbers: 64x32, 10 rows of w."""
    network = StyleGAN2Generator(
        img_resolution=(64, 32), z_dim=32, w_dim=32, channel_base=1024, channel_max=24, conv_clamp=256
    )
    tensors = load_file(golden_path("apps/nets.safetensors"))
    network.load_state_dict({name[2:]: tensor for name, tensor in tensors.items() if name.startswith("A.")})
    return network.eval()
