"""Wavelet filters of the augmentations, and the filter bank made of them."""

from __future__ import annotations

import numpy as np

SYM2 = (-0.12940952255092145, 0.22414386804185735, 0.836516303737469, 0.48296291314469025)
SYM6 = (
    0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633, 0.4910559419267466,
    0.787641141030194, 0.3379294217276218, -0.07263752278646252, -0.021060292512300564, 0.04472490177066578,
    0.0017677118642428036, -0.007800708325034148,
)  # fmt: skip
BANDS = 4


def warp_filter() -> np.ndarray:
    """12 taps that sum to 1: the low-pass around geometric transforms."""
    taps = np.array(SYM6)
    return taps / taps.sum()


def band_filters() -> np.ndarray:
    """``4 x 43``: symmetric filters, from the lowest to the highest octave, that sum to a unit impulse."""
    low = np.array(SYM2)
    high = low * (-1.0) ** np.arange(low.size)
    low_squared = np.convolve(low, low[::-1]) / 2
    high_squared = np.convolve(high, high[::-1]) / 2
    bank = np.eye(BANDS, 1)
    for band in range(1, BANDS):
        spread = np.zeros((BANDS, 2 * bank.shape[1] - 1))
        spread[:, ::2] = bank
        bank = np.stack([np.convolve(row, low_squared) for row in spread])
        start = (bank.shape[1] - high_squared.size) // 2
        bank[band, start : start + high_squared.size] += high_squared
    return bank
