from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from vitruvian.nn.generator import GeneratorLike
from vitruvian.nn.stylegan1 import Generator, SynthesisLayer, blur, is_fused_at
from vitruvian.nn.stylegan1_discriminator import Conv, Discriminator

SMALL = {"channel_base": 256, "channel_max": 16}


def generator(**changes: object) -> Generator:
    options = {"img_resolution": (32, 16), "z_dim": 8, "w_dim": 8, "num_layers": 2, **SMALL, **changes}
    return Generator(**options).eval()


def test_every_generator_speaks_the_common_language() -> None:
    assert isinstance(generator(), GeneratorLike)


@pytest.mark.parametrize("size", [(32, 32), (32, 16), (32, 24), (40, 24)])
def test_any_size_that_halves(size: tuple[int, int]) -> None:
    G = generator(img_resolution=size)
    D = Discriminator(img_resolution=size, **SMALL)
    images = G(torch.randn(2, 8), noise_mode="random")
    assert images.shape == (2, 3, *size)
    assert D(images).shape == (2, 1)


def test_doubling_equals_its_textbook_form() -> None:
    """Unfused: repeat pixels, then a 3x3 kernel. Fused: the same with the kernel turned by 180 degrees."""
    for is_fused in (False, True):
        layer = SynthesisLayer(3, 5, w_dim=4, size=(16, 8), up=True, is_fused=is_fused)
        x = torch.randn(2, 3, 8, 4)
        weight = layer.weight * layer.weight_gain
        repeated = F.interpolate(x, scale_factor=2, mode="nearest")
        expected = F.conv2d(repeated, weight.flip(2, 3) if is_fused else weight, padding=1)
        found = layer._convolve(x)
        assert torch.allclose(found, blur(expected, layer.filter), atol=1e-5)


def test_halving_equals_its_textbook_form() -> None:
    layer = Conv(3, 5, down=True)
    x = torch.randn(2, 3, 16, 8)
    full = F.conv2d(blur(x, layer.filter), layer.weight * layer.weight_gain, padding=1)
    expected = F.leaky_relu(F.avg_pool2d(full, 2) + layer.bias[:, None, None], 0.2)
    assert torch.allclose(layer(x), expected, atol=1e-5)


def test_the_operator_follows_the_shorter_side() -> None:
    """TensorFlow's rule: a 1024x512 network changes over at 256 rows, a square one at 128."""
    assert [is_fused_at("auto", size) for size in ((128, 128), (128, 64), (256, 128))] == [True, False, True]
    assert is_fused_at(True, (8, 8))
    assert not is_fused_at(False, (1024, 1024))


def test_truncation_moves_eight_rows_unless_told_otherwise() -> None:
    G = generator(img_resolution=64)
    G.mapping.w_avg.fill_(3.0)
    z = torch.randn(1, 8)
    plain, own, every = G.mapping(z), G.mapping(z, None, 0.0), G.mapping(z, None, 0.0, G.num_ws)
    assert torch.equal(own[:, 8:], plain[:, 8:])
    assert torch.allclose(own[:, :8], torch.tensor(3.0))
    assert torch.allclose(every, torch.tensor(3.0))


def test_half_grown_networks_blend_two_resolutions() -> None:
    G = generator(img_resolution=32)
    z = torch.randn(2, 8)
    pictures = {}
    for lod in (0.0, 1.0, 0.25):
        G.synthesis.lod.fill_(lod)
        pictures[lod] = G(z)
    assert torch.allclose(pictures[0.25], pictures[0.0].lerp(pictures[1.0], 0.25), atol=1e-6)


def test_gradients_of_gradients_flow() -> None:
    G, D = generator().train(), Discriminator(img_resolution=(32, 16), **SMALL)
    ws = G.mapping(torch.randn(2, 8)).detach().requires_grad_()
    images = G.synthesis(ws)
    (first,) = torch.autograd.grad(images.square().sum(), ws, create_graph=True)
    first.square().sum().backward()
    assert ws.grad is not None
    assert torch.isfinite(ws.grad).all()
    real = torch.randn(2, 3, 32, 16, requires_grad=True)
    (slope,) = torch.autograd.grad(D(real).sum(), real, create_graph=True)
    slope.square().sum().backward()
    weight = D.get_parameter("layer0.weight")
    assert weight.grad is not None


def test_labels_are_asked_for() -> None:
    G = generator(c_dim=3)
    assert G(torch.randn(2, 8), torch.eye(3)[:2]).shape == (2, 3, 32, 16)
    with pytest.raises(ValueError, match="c must be N x 3"):
        G(torch.randn(2, 8))
    D = Discriminator(img_resolution=(32, 16), c_dim=3, **SMALL)
    with pytest.raises(ValueError, match="c must be N x 3"):
        D(torch.randn(2, 3, 32, 16))
