from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch import Tensor

from tests.conftest import golden_path
from vitruvian.latent_paths import Easing, LatentPath, slerp, wandering_z

EASINGS: list[Easing] = ["linear", "cubic", "slerp"]


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    return load_file(golden_path("apps/latents.safetensors"))


def z(seed: int, size: int = 32) -> Tensor:
    return torch.from_numpy(np.random.RandomState(seed).randn(1, size))


def assert_close(ours: Tensor, theirs: Tensor) -> None:
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max() < 1e-5 * theirs.abs().max()


def test_slerp_equals_the_reference(golden: dict[str, Tensor]) -> None:
    alphas = torch.arange(6, dtype=torch.float64)[:, None] / 5
    assert_close(slerp(z(85), z(100), alphas), golden["interp.slerp_z"])


def test_slerp_of_nearly_parallel_codes_runs_the_same_way(golden: dict[str, Tensor]) -> None:
    """The reference's linear fallback ran backwards, from the second code to the first."""
    second = golden["interp.slerp_near_parallel_second"]
    ours = slerp(z(85), second, torch.tensor([[0.0], [0.25], [1.0]], dtype=torch.float64))
    assert torch.equal(ours[0], z(85)[0])
    assert torch.equal(ours[2], second[0])
    theirs = golden["interp.slerp_near_parallel_z"]
    assert_close(ours[[2, 0]], theirs[[0, 2]])
    backwards = slerp(second, z(85), torch.tensor([[0.25]], dtype=torch.float64))
    assert_close(backwards, theirs[1:2])


def test_slerp_of_opposite_and_of_vanishing_codes_is_finite() -> None:
    a, t = z(3), torch.tensor(0.25, dtype=torch.float64)
    assert torch.allclose(slerp(a, -a, t), a / 2)
    assert torch.isfinite(slerp(torch.zeros_like(a), a, t)).all()


def test_slerp_keeps_the_length() -> None:
    a, b = z(1), z(2)
    b = b * a.norm() / b.norm()
    assert slerp(a, b, torch.tensor(0.3, dtype=torch.float64)).norm().item() == pytest.approx(a.norm().item())


@pytest.mark.parametrize("easing", EASINGS)
@pytest.mark.parametrize("loop", [False, True])
@given(st.integers(2, 7))
def test_paths_meet_their_keys_exactly(easing: Easing, loop: bool, count: int) -> None:
    keys = torch.randn(count, 3, 5)
    path = LatentPath(keys, easing, loop=loop, centre=torch.ones(5))
    assert path.segments == (count if loop else count - 1)
    found = path.at(torch.arange(path.segments + 1))
    expected = keys[torch.arange(path.segments + 1) % count]
    assert torch.equal(found, expected)


def test_linear_paths_are_straight() -> None:
    keys = torch.tensor([[0.0, 2.0], [4.0, 0.0]])
    assert LatentPath(keys, "linear").at(torch.tensor([0.25])).tolist() == [[1.0, 1.5]]


def test_arcs_go_around_the_centre() -> None:
    centre = torch.tensor([5.0, 5.0])
    path = LatentPath(centre + torch.tensor([[1.0, 0.0], [0.0, 1.0]]), "slerp", centre=centre)
    half = centre + math.sqrt(0.5)
    assert torch.allclose(path.at(torch.tensor([0.5]))[0], half)


def dense_spline(keys: np.ndarray, x: np.ndarray, *, loop: bool) -> np.ndarray:
    """The textbook's tridiagonal system, solved as a full matrix."""
    if loop:
        keys = np.concatenate([keys, keys[:1]])
    count = len(keys)
    system, right = np.eye(count), np.zeros_like(keys)
    for i in range(1, count - 1):
        system[i, i - 1 : i + 2] = 1, 4, 1
        right[i] = 6 * (keys[i - 1] - 2 * keys[i] + keys[i + 1])
    if loop:
        system[0, [0, 1]] += 3, 1
        system[0, -2] += 1
        right[0] = 6 * (keys[-2] - 2 * keys[0] + keys[1])
        system[-1, 0] -= 1
    m = np.linalg.solve(system, right)
    i = np.minimum(x.astype(int), count - 2)
    t = (x - i)[:, None]
    s = 1 - t
    return s * keys[i] + t * keys[i + 1] + ((s**3 - s) * m[i] + (t**3 - t) * m[i + 1]) / 6


@pytest.mark.parametrize("loop", [False, True])
@pytest.mark.parametrize("count", [3, 4, 9])
def test_cubic_paths_are_the_textbook_spline(count: int, loop: bool) -> None:
    keys = torch.randn(count, 4, dtype=torch.float64)
    path = LatentPath(keys, "cubic", loop=loop)
    x = torch.linspace(0, path.segments, 41, dtype=torch.float64)
    assert np.allclose(path.at(x).numpy(), dense_spline(keys.numpy(), x.numpy(), loop=loop), atol=1e-12)


def test_a_cubic_path_of_two_keys_is_straight() -> None:
    keys = torch.randn(2, 4, dtype=torch.float64)
    x = torch.linspace(0, 1, 5, dtype=torch.float64)
    assert torch.allclose(LatentPath(keys, "cubic").at(x), LatentPath(keys, "linear").at(x))


@pytest.mark.parametrize("loop", [False, True])
def test_cubic_paths_never_jump_in_speed_or_bend(loop: bool) -> None:
    path = LatentPath(torch.randn(6, 3, dtype=torch.float64), "cubic", loop=loop)
    h = 1e-4
    inner = torch.arange(1, path.segments, dtype=torch.float64)

    def side(sign: int) -> tuple[Tensor, Tensor]:
        here, near, far = (path.at(inner + sign * k * h) for k in range(3))
        return sign * (4 * near - 3 * here - far) / (2 * h), (here - 2 * near + far) / h**2

    (speed_before, bend_before), (speed_after, bend_after) = side(-1), side(1)
    assert torch.allclose(speed_before, speed_after, atol=1e-4)
    assert torch.allclose(bend_before, bend_after, atol=1e-2)
    if loop:
        start, end = (path.at(torch.tensor(x)) for x in ([0.0, h], [path.segments - h, path.segments]))
        assert torch.allclose(start[1] - start[0], end[1] - end[0], atol=1e-6)


def test_walks_equal_the_reference(golden: dict[str, Tensor]) -> None:
    """1.2 and 10 seconds at 10 frames a second; in the short one the Gaussian wraps around more than six times."""
    for name, frames in (("video.src_z", 12), ("video.src_z_100frames", 100)):
        assert_close(wandering_z(3859, frames, 32, sigma=10), golden[name])


def test_walks_close_and_have_unit_variance() -> None:
    walk = wandering_z(1, 200, 16, sigma=10)
    steps = (walk - walk.roll(1, dims=0)).norm(dim=1)
    assert steps[0] < 2 * steps.mean()
    assert walk.square().mean().item() == pytest.approx(1, abs=1e-5)
    assert wandering_z(1, 1, 16, sigma=10).shape == (1, 16)
