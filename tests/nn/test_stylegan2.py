"""What the golden cases do not show: sizes, memory layout, second derivatives, Freeze-D."""

from __future__ import annotations

import pytest
import torch

from vitruvian.nn import StyleGAN2Discriminator, StyleGAN2Generator
from vitruvian.nn.fir import downsample2d, make_filter, upfirdn2d, upsample2d
from vitruvian.nn.geometry import pyramid

NARROW = {"channel_base": 64, "channel_max": 4}


@pytest.mark.parametrize(
    ("resolution", "base"),
    [
        (1024, (4, 4, 8)),
        ((1024, 512), (4, 2, 8)),
        ((1024, 768), (4, 3, 8)),
        ((512, 1024), (4, 8, 7)),
        ((96, 64), (6, 4, 4)),
        ((16, 12), (4, 3, 2)),
    ],
)
def test_every_size_is_one_rule(resolution: int | tuple[int, int], base: tuple[int, int, int]) -> None:
    assert tuple(pyramid(resolution)) == base


def test_a_size_that_cannot_be_doubled_is_refused() -> None:
    with pytest.raises(ValueError, match="129x64"):
        pyramid((129, 64))


@pytest.mark.parametrize("resolution", [16, (16, 8), (16, 12), (8, 16), (24, 16)])
@pytest.mark.parametrize("batch", [1, 3])
def test_pictures_and_logits_have_their_shapes(resolution: int | tuple[int, int], batch: int) -> None:
    G = StyleGAN2Generator(img_resolution=resolution, z_dim=8, w_dim=8, num_layers=2, **NARROW)
    D = StyleGAN2Discriminator(img_resolution=resolution, mbstd_group_size=batch, **NARROW)
    img = G(torch.randn(batch, 8))
    assert img.shape == (batch, 3, G.height, G.width)
    assert D(img).shape == (batch, 1)


def test_a_batch_is_its_samples() -> None:
    G = StyleGAN2Generator(img_resolution=(32, 16), z_dim=8, w_dim=8, num_layers=2, **NARROW).eval()
    z = torch.randn(3, 8)
    alone = torch.cat([G(row[None]) for row in z])
    torch.testing.assert_close(G(z), alone, rtol=1e-4, atol=1e-5)


def zero_inserting(x: torch.Tensor, fir: torch.Tensor, up: int, down: int, padding: tuple[int, ...]) -> torch.Tensor:
    """The definition, word for word."""
    n, c, h, w = x.shape
    spread = x.new_zeros(n, c, h * up, w * up)
    spread[:, :, ::up, ::up] = x
    left, right, top, bottom = padding
    canvas = torch.nn.functional.pad(spread, (max(left, 0), max(right, 0), max(top, 0), max(bottom, 0)))
    rows = slice(max(-top, 0), canvas.shape[2] - max(-bottom, 0))
    columns = slice(max(-left, 0), canvas.shape[3] - max(-right, 0))
    kernel = fir.flip(0, 1).expand(c, 1, -1, -1)
    return torch.nn.functional.conv2d(canvas[:, :, rows, columns], kernel, groups=c)[:, :, ::down, ::down]


@pytest.mark.parametrize("up", [1, 2, 3])
@pytest.mark.parametrize("down", [1, 2])
@pytest.mark.parametrize("padding", [(2, 1, 2, 1), (0, 0, 0, 0), (3, 3, 1, 1), (-1, 2, 0, -1)])
def test_filtering_without_zeros_is_the_definition(up: int, down: int, padding: tuple[int, int, int, int]) -> None:
    x = torch.randn(2, 3, 6, 5, dtype=torch.float64)
    fir = torch.randn(4, 3, dtype=torch.float64)  # asymmetric, so a missing flip shows
    ours = upfirdn2d(x, fir, up=up, down=down, padding=padding)
    torch.testing.assert_close(ours, zero_inserting(x, fir, up, down, padding))


def test_resampling_keeps_brightness() -> None:
    fir = make_filter((1, 3, 3, 1))
    flat = torch.ones(1, 1, 8, 8)
    assert torch.allclose(upsample2d(flat, fir)[:, :, 4:12, 4:12], torch.ones(8, 8))
    assert torch.allclose(downsample2d(flat, fir)[:, :, 1:3, 1:3], torch.ones(2, 2))


def test_the_filter_differentiates_twice() -> None:
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)
    fir = make_filter((1, 3, 3, 1)).double()
    assert torch.autograd.gradgradcheck(lambda t: upsample2d(t.square(), fir), x)
    assert torch.autograd.gradgradcheck(lambda t: downsample2d(t.square(), fir), x)


def test_random_noise_comes_from_the_generator_alone() -> None:
    G = StyleGAN2Generator(img_resolution=16, z_dim=8, w_dim=8, num_layers=2, **NARROW).eval()
    for name, parameter in G.named_parameters():
        if name.endswith("noise_strength"):
            parameter.data.fill_(1.0)
    ws = G.mapping(torch.randn(1, 8))

    def paint(seed: int) -> torch.Tensor:
        return G.synthesis(ws, "random", generator=torch.Generator().manual_seed(seed))

    assert torch.equal(paint(1), paint(1))
    assert not torch.equal(paint(1), paint(2))


def test_freeze_d_takes_layers_from_the_picture_side() -> None:
    D = StyleGAN2Discriminator(img_resolution=16, freeze_layers=5, **NARROW)
    frozen = {name.rsplit(".", 1)[0] for name, _ in D.named_buffers() if name.endswith(".weight")}
    assert frozen == {"b16.fromrgb", "b16.conv0", "b16.conv1", "b16.skip", "b8.conv0"}
    assert D.state_dict().keys() == StyleGAN2Discriminator(img_resolution=16, **NARROW).state_dict().keys()


def test_wrong_codes_are_refused() -> None:
    G = StyleGAN2Generator(img_resolution=16, z_dim=8, w_dim=8, c_dim=2, num_layers=2, **NARROW)
    with pytest.raises(ValueError, match="z must be N x 8"):
        G(torch.randn(1, 9), torch.zeros(1, 2))
    with pytest.raises(ValueError, match="c must be N x 2"):
        G(torch.randn(1, 8))
