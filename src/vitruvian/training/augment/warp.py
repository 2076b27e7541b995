"""Warping pictures by matrices without aliasing, differentiable twice."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from vitruvian.training.augment.matrices import scaling, translation


def warp(images: Tensor, matrices: Tensor, fir: Tensor) -> Tensor:
    """Look up every pixel of the output where its matrix says in the input, mirrored beyond its edges.

    The picture is doubled in size, resampled, and halved again, with the filter ``fir`` both ways.

    Args:
        images: ``N x C x H x W``.
        matrices: ``N x 3 x 3`` from output to input, in pixels from the centre, x to the right and y down.
        fir: 12 taps that sum to 1.
    """
    height, width = images.shape[2:]
    taps = fir.shape[0]
    reach = taps // 4
    left, right, top, bottom = _padding(matrices, height, width, reach)
    images = F.pad(images, (left, right, top, bottom), mode="reflect")
    matrices = _shift(matrices, (left - right) / 2, (top - bottom) / 2) @ matrices
    images = _double(images, fir)
    # The doubled picture has pixels of half the size, and its first one a quarter of the old pixel further out.
    matrices = _scale(matrices, 2, 2) @ matrices @ _scale(matrices, 0.5, 0.5)
    matrices = _shift(matrices, -0.5, -0.5) @ matrices @ _shift(matrices, 0.5, 0.5)
    canvas = ((height + 2 * reach) * 2, (width + 2 * reach) * 2)
    matrices = (
        _scale(matrices, 2 / images.shape[3], 2 / images.shape[2])
        @ matrices
        @ _scale(matrices, canvas[1] / 2, canvas[0] / 2)
    )
    grid = F.affine_grid(matrices[:, :2], [images.shape[0], images.shape[1], *canvas], align_corners=False)
    images = F.grid_sample(images, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return _halve(images, fir)


def _padding(matrices: Tensor, height: int, width: int, reach: int) -> tuple[int, int, int, int]:
    """Pixels to mirror on each side (left, right, top, bottom) so that no sample of the batch falls off."""
    x, y = (width - 1) / 2, (height - 1) / 2
    corners = torch.tensor([[-x, -y, 1], [x, -y, 1], [x, y, 1], [-x, y, 1]], device=matrices.device)
    seen = (matrices @ corners.t())[:, :2].permute(1, 0, 2).flatten(1)  # 2 x 4N
    beyond = torch.cat([-seen, seen]).max(dim=1).values + 2 * reach  # left, top, right, bottom
    beyond = beyond - torch.tensor([x, y, x, y], device=matrices.device)
    limits = torch.tensor([width - 1, height - 1, width - 1, height - 1], device=matrices.device)
    left, top, right, bottom = beyond.clamp(min=torch.zeros_like(beyond), max=limits).ceil().int().tolist()
    return left, right, top, bottom


def _double(images: Tensor, fir: Tensor) -> Tensor:
    channels, taps = images.shape[1], fir.shape[0]
    crop = taps // 2 - 1
    row = (fir * 2).expand(channels, 1, 1, -1)
    images = F.conv_transpose2d(images, row, stride=(1, 2), padding=(0, crop), groups=channels)
    return F.conv_transpose2d(images, row.transpose(2, 3), stride=(2, 1), padding=(crop, 0), groups=channels)


def _halve(images: Tensor, fir: Tensor) -> Tensor:
    channels = images.shape[1]
    row = fir.expand(channels, 1, 1, -1)
    images = F.conv2d(images[:, :, 1:-1, 1:-1], row, stride=(1, 2), groups=channels)
    return F.conv2d(images, row.transpose(2, 3), stride=(2, 1), groups=channels)


def _shift(like: Tensor, x: float, y: float) -> Tensor:
    return translation(like.new_tensor(x), like.new_tensor(y))


def _scale(like: Tensor, x: float, y: float) -> Tensor:
    return scaling(like.new_tensor(x), like.new_tensor(y))
