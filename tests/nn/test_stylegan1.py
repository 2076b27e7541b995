from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from vitruvian.nn.generator import GeneratorLike
from vitruvian.nn.stylegan1 import Generator, SynthesisLayer, blur, is_fused_at
from vitruvian.nn.stylegan1_discriminator import Conv, Discriminator

SMALL: dict[str, Any] = {"channel_base": 256, "channel_max": 16}


def generator(**changes: Any) -> Generator:
    options: dict[str, Any] = {"img_resolution": (32, 16), "z_dim": 8, "w_dim": 8, "num_layers": 2, **SMALL, **changes}
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


@pytest.mark.parametrize("is_fused", [False, True])
def test_doubling_equals_its_textbook_form(is_fused: bool) -> None:
    """Unfused: repeat pixels, then a 3x3 kernel. Fused: the same with the kernel turned by 180 degrees."""
    layer = SynthesisLayer(3, 5, w_dim=4, size=(16, 8), up=True, is_fused=is_fused)
    layer.bias.data.normal_()
    x = torch.randn(2, 3, 8, 4)
    weight = layer.weight * layer.weight_gain
    repeated = F.interpolate(x, scale_factor=2, mode="nearest")
    expected = F.conv2d(repeated, weight.flip(2, 3) if is_fused else weight, padding=1)
    expected = blur(expected, layer.filter) + layer.bias[:, None, None]
    assert torch.allclose(layer._convolve(x), expected, atol=1e-5)


def test_halving_equals_its_textbook_form() -> None:
    layer = Conv(3, 5, down=True)
    layer.bias.data.normal_()
    x = torch.randn(2, 3, 16, 8)
    full = F.conv2d(blur(x, layer.filter), layer.weight * layer.weight_gain, padding=1)
    expected = F.leaky_relu(F.avg_pool2d(full, 2) + layer.bias[:, None, None], 0.2)
    assert torch.allclose(layer(x), expected, atol=1e-5)


@pytest.mark.parametrize("is_alone", [True, False])
@pytest.mark.parametrize("noise_mode", ["const", "random", "none"])
def test_pictures_are_the_same_with_and_without_gradients(noise_mode: str, is_alone: bool) -> None:
    """Without gradients signals are overwritten: neither the codes nor the weights may be among them."""
    G = generator()
    for parameter in G.parameters():
        parameter.data.add_(torch.randn_like(parameter), alpha=0.1)
    before = {name: tensor.clone() for name, tensor in G.state_dict().items()}
    ws = G.mapping(torch.randn(1 if is_alone else 2, 8)).detach()
    kept = ws.clone()
    with_gradients = G.synthesis(ws, noise_mode, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        without = G.synthesis(ws, noise_mode, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(without, with_gradients, atol=1e-5)
    assert torch.equal(ws, kept)
    assert all(torch.equal(tensor, before[name]) for name, tensor in G.state_dict().items())


def test_an_even_signal_is_normalised_to_its_style() -> None:
    """A constant of ones without noise has no deviation: only the shift is left."""
    layer = SynthesisLayer(0, 4, w_dim=4, size=(4, 4))
    w = torch.randn(2, 4)
    shift = layer.style(w)[:, 4:, None, None].expand(-1, -1, 4, 4)
    assert torch.allclose(layer(None, w, noise_mode="none"), shift, atol=1e-4)


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


@pytest.mark.parametrize("lod", [-0.5, 3.5, float("nan")])
def test_a_level_outside_the_network_is_refused(lod: float) -> None:
    G, D = generator(), Discriminator(img_resolution=(32, 16), **SMALL)
    G.synthesis.lod.fill_(lod)
    D.lod.fill_(lod)
    with pytest.raises(ValueError, match="lod must lie between 0 and 3"):
        G(torch.randn(1, 8))
    with pytest.raises(ValueError, match="lod must lie between 0 and 3"):
        D(torch.randn(1, 3, 32, 16))


@pytest.mark.parametrize("up", [False, True])
def test_layers_differentiate_twice(up: bool) -> None:
    layer = SynthesisLayer(2, 2, w_dim=3, size=(4, 2), up=up).double()
    layer.noise_strength.data.normal_()
    x = torch.randn(1, 2, *((2, 1) if up else (4, 2)), dtype=torch.float64, requires_grad=True)
    w = torch.randn(1, 3, dtype=torch.float64, requires_grad=True)

    def run(x: torch.Tensor, w: torch.Tensor, *_weights: torch.Tensor) -> torch.Tensor:
        return layer(x, w, noise_mode="const")

    inputs = (x, w, layer.weight, layer.bias, layer.noise_strength)
    assert torch.autograd.gradcheck(run, inputs)
    assert torch.autograd.gradgradcheck(run, inputs)


def test_halving_differentiates_twice() -> None:
    layer = Conv(2, 2, down=True).double()
    x = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True)

    def run(x: torch.Tensor, *_weights: torch.Tensor) -> torch.Tensor:
        return layer(x)

    assert torch.autograd.gradcheck(run, (x, layer.weight, layer.bias))
    assert torch.autograd.gradgradcheck(run, (x, layer.weight, layer.bias))


def test_gradients_of_gradients_reach_every_weight() -> None:
    G, D = generator().train(), Discriminator(img_resolution=(32, 16), **SMALL)
    ws = G.mapping(torch.randn(2, 8)).detach().requires_grad_()
    images = G.synthesis(ws)
    (first,) = torch.autograd.grad(images.square().sum(), ws, create_graph=True)
    first.square().sum().backward()
    silent = {name for name, p in G.synthesis.named_parameters() if p.grad is None or not p.grad.isfinite().all()}
    assert silent == {f"output{level}.{leaf}" for level in range(3) for leaf in ("weight", "bias")}
    real = torch.randn(2, 3, 32, 16, requires_grad=True)
    (slope,) = torch.autograd.grad(D(real).sum(), real, create_graph=True)
    slope.square().sum().backward()
    for name in ("input0.weight", "layer0.weight", "layer1.weight", "layer6.weight", "output.weight"):
        gradient = D.get_parameter(name).grad
        assert gradient is not None, name
        assert gradient.abs().sum() > 0, name


def test_networks_are_built_without_memory_and_from_cards() -> None:
    """A card is JSON: its pairs are lists. Weights then take the places of the empty tensors."""
    G, D = generator(), Discriminator(img_resolution=(32, 16), **SMALL)
    cards = [{**asdict(network.config), "img_resolution": [32, 16]} for network in (G, D)]
    with torch.device("meta"):
        again, judge = Generator(**cards[0]).eval(), Discriminator(**cards[1])
    assert (again.config, judge.config) == (G.config, D.config)
    again.load_state_dict(G.state_dict(), assign=True)
    judge.load_state_dict(D.state_dict(), assign=True)
    images = G(torch.ones(2, 8))
    assert torch.equal(again(torch.ones(2, 8)), images)
    assert torch.equal(judge(images), D(images))


def test_labels_are_asked_for() -> None:
    G = generator(c_dim=3)
    assert G(torch.randn(2, 8), torch.eye(3)[:2]).shape == (2, 3, 32, 16)
    with pytest.raises(ValueError, match="c must be N x 3"):
        G(torch.randn(2, 8))
    D = Discriminator(img_resolution=(32, 16), c_dim=3, **SMALL)
    with pytest.raises(ValueError, match="c must be N x 3"):
        D(torch.randn(2, 3, 32, 16))
