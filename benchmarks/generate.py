"""Pictures a second of the StyleGAN2 generator against the textbook form of the same maths.

The baseline builds per-sample weights and runs one grouped convolution, inserts zeros before it filters, and keeps
the default memory layout, as the reference implementation does without its compiled extensions::

    python benchmarks/generate.py [--size 256x128] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from vitruvian.nn import StyleGAN2Generator
from vitruvian.nn.stylegan2 import SynthesisBlock, SynthesisLayer


def zero_inserting_filter(x: Tensor, fir: Tensor, *, up: int, padding: int, extra: int, gain: float) -> Tensor:
    n, c, h, w = x.shape
    spread = x.new_zeros(n, c, h, up, w, up)
    spread[:, :, :, 0, :, 0] = x
    spread = F.pad(spread.reshape(n, c, h * up, w * up), [padding, extra, padding, extra])
    return F.conv2d(spread, (fir * gain).flip(0, 1).expand(c, 1, -1, -1), groups=c)


def textbook_layer(layer: SynthesisLayer, x: Tensor, w: Tensor) -> Tensor:
    n, channels, height, width = x.shape
    styles = layer.affine(w)
    weight = layer.weight[None] * styles[:, None, :, None, None]
    weight = weight * (weight.square().sum(dim=(2, 3, 4)) + 1e-8).rsqrt()[:, :, None, None, None]
    out = weight.shape[1]
    x = x.reshape(1, n * channels, height, width)
    if layer.up == 2:
        kernel = weight.transpose(1, 2).reshape(n * channels, out, 3, 3)
        x = F.conv_transpose2d(x, kernel, stride=2, groups=n)
        x = x.reshape(n, out, *x.shape[2:])
        x = zero_inserting_filter(x, layer.resample_filter, up=1, padding=1, extra=1, gain=4)
    else:
        x = F.conv2d(x, weight.reshape(n * out, channels, 3, 3), padding=1, groups=n).reshape(n, out, height, width)
    x = x + layer.noise_const * layer.noise_strength
    x = x + layer.bias[:, None, None]
    return F.leaky_relu(x, 0.2) * 2**0.5


def textbook_synthesis(G: StyleGAN2Generator, ws: Tensor) -> Tensor:
    img: Tensor | None = None
    x = torch.zeros(0)
    row = 0
    for name in G.synthesis.block_names:
        block = G.synthesis.get_submodule(name)
        assert isinstance(block, SynthesisBlock)
        if block.is_first:
            x = block.const[None].repeat(len(ws), 1, 1, 1)
        else:
            x = textbook_layer(block.conv0, x, ws[:, row])
            row += 1
        x = textbook_layer(block.conv1, x, ws[:, row])
        row += 1
        styles = block.torgb.affine(ws[:, row]) * block.torgb.weight_gain
        weight = block.torgb.weight[None] * styles[:, None, :, None, None]
        n, c, h, w = x.shape
        rgb = F.conv2d(x.reshape(1, n * c, h, w), weight.reshape(n * 3, c, 1, 1), groups=n).reshape(n, 3, h, w)
        rgb = rgb + block.torgb.bias[:, None, None]
        if img is not None:
            img = zero_inserting_filter(img, block.resample_filter, up=2, padding=2, extra=1, gain=4)
        img = rgb if img is None else img + rgb
    assert img is not None
    return img


def multiply_adds(G: StyleGAN2Generator) -> int:
    """Of all convolutions for one picture, the filters left out."""
    total = 0
    for module in G.modules():
        if isinstance(module, SynthesisLayer):
            height, width = module.size
            total += module.weight.numel() * height * width // module.up**2
    return total


def peak_flops() -> float:
    """Flops a second of a 3x3 channels-last convolution, the ceiling that a generator can reach here."""
    x = torch.randn(1, 256, 64, 64).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(256, 256, 3, 3).contiguous(memory_format=torch.channels_last)
    seconds = best(lambda: F.conv2d(x, weight, padding=1), rounds=8)
    return 2 * 9 * 256 * 256 * 64 * 64 / seconds


def cpu_seconds(run: Callable[[], object]) -> float:
    started = time.process_time()
    run()
    return time.process_time() - started


def best(run: Callable[[], object], *, rounds: int) -> float:
    return min(cpu_seconds(run) for _ in range(rounds))


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", default="256x128")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    height, width = (int(side) for side in options.size.split("x"))
    G = StyleGAN2Generator(img_resolution=(height, width), channel_base=32768 if height >= 512 else 16384).eval()
    ws = G.mapping(torch.randn(options.batch, G.z_dim))
    difference = (G.synthesis(ws) - textbook_synthesis(G, ws)).abs().max().item()
    ours, theirs = [], []
    for _ in range(options.rounds):  # interleaved, so that a noisy neighbour meets both
        ours.append(cpu_seconds(lambda: G.synthesis(ws)) / options.batch)
        theirs.append(cpu_seconds(lambda: textbook_synthesis(G, ws)) / options.batch)
    mine, base = statistics.median(ours), statistics.median(theirs)
    share = 2 * multiply_adds(G) / mine / peak_flops()
    print(f"StyleGAN2 {options.size}, one thread, float32, batch {options.batch}, median of {options.rounds}")
    print(f"  textbook   {base * 1000:8.1f} ms a picture (spread {min(theirs) * 1000:.1f} to {max(theirs) * 1000:.1f})")
    print(f"  vitruvian  {mine * 1000:8.1f} ms a picture (spread {min(ours) * 1000:.1f} to {max(ours) * 1000:.1f})")
    print(f"  ratio {base / mine:.2f}, {share:.0%} of the convolution peak, largest difference {difference:.1e}")


if __name__ == "__main__":
    main()
