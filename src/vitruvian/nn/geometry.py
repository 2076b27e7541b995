"""From a picture size to the pyramid of resolutions that a StyleGAN works on."""

from __future__ import annotations

from typing import NamedTuple

SMALLEST_HEIGHT = 4


class Pyramid(NamedTuple):
    """``height = base_height * 2^doublings``, likewise the width; official squares are ``(4, 4, k)``."""

    base_height: int
    base_width: int
    doublings: int

    @property
    def heights(self) -> list[int]:
        """Heights from the learned constant to the picture; they name the blocks (``b4``, ``b8``, ...)."""
        return [self.base_height << level for level in range(self.doublings + 1)]

    def size(self, height: int) -> tuple[int, int]:
        """Height and width of the level whose height is ``height``."""
        return height, height * self.base_width // self.base_height


def as_size(resolution: int | tuple[int, int]) -> tuple[int, int]:
    """``256`` means 256x256; a pair is (height, width)."""
    return (resolution, resolution) if isinstance(resolution, int) else (resolution[0], resolution[1])


def pyramid(resolution: int | tuple[int, int]) -> Pyramid:
    """Halve both sides while both are even and the height stays at least 4.

    1024 gives base 4x4, (1024, 512) base 4x2 and (1024, 768) base 4x3, so each is one case of one rule.

    Raises:
        ValueError: if the picture cannot be halved even once.
    """
    height, width = as_size(resolution)
    doublings = 0
    while height % 2 == 0 and width % 2 == 0 and height // 2 >= SMALLEST_HEIGHT:
        height, width, doublings = height // 2, width // 2, doublings + 1
    if doublings == 0 or width < 1:
        size = "x".join(map(str, as_size(resolution)))
        raise ValueError(f"a picture of {size} cannot be built by doubling: use multiples of a power of two")
    return Pyramid(height, width, doublings)
