"""Low-pass filters by the window method, as StyleGAN3 designs them (Karras et al. 2021, section 3 and appendix C).

A filter is the ideal low-pass response, cut to a number of taps by a Kaiser window whose shape parameter follows from
how wide the transition from pass band to stop band may be. Designed in float64.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

Array = NDArray[np.float64]


def kaiser_beta(taps: int, *, width: float, rate: float) -> float:
    """Shape parameter of the Kaiser window of that many taps (Kaiser's empirical formula).

    Args:
        taps: at least 2.
        width: of the transition band, in the unit of ``rate``.
        rate: sampling rate that the filter runs at.
    """
    attenuation = 2.285 * (taps - 1) * math.pi * width / (rate / 2) + 7.95
    if attenuation > 50:
        return 0.1102 * (attenuation - 8.7)
    if attenuation > 21:
        return 0.5842 * (attenuation - 21) ** 0.4 + 0.07886 * (attenuation - 21)
    return 0.0


def lowpass_filter(taps: int, *, cutoff: float, width: float, rate: float, radial: bool = False) -> Array:
    """A symmetric low-pass filter that sums to 1.

    Args:
        taps: at least 2.
        cutoff: frequency of half response, at most ``rate / 2``.
        width: of the transition band around it, in the same unit.
        rate: sampling rate that the filter runs at.
        radial: a filter of two dimensions whose response is the same in every direction.

    Returns:
        ``[taps]``, to be applied along one axis after the other; with ``radial``, ``[taps, taps]``.
    """
    offsets = np.arange(taps) - (taps - 1) / 2
    window = np.kaiser(taps, kaiser_beta(taps, width=width, rate=rate))
    if radial:
        distance = np.hypot(*np.meshgrid(offsets, offsets)) / rate
        response = _jinc(cutoff, distance) * np.outer(window, window)
    else:
        response = np.sinc(offsets * cutoff / (rate / 2)) * window
    return response / response.sum()


def _jinc(cutoff: float, distance: Array) -> Array:
    """The ideal circular low-pass response ``J1(2 pi cutoff r) / (pi r)``."""
    angle = torch.from_numpy(2 * math.pi * cutoff * distance)
    # J1(a) / a tends to 1/2 where the middle tap of an odd filter sits.
    ratio = torch.where(angle == 0, 0.5, torch.special.bessel_j1(angle) / angle.clamp(min=1e-30))
    return 2 * cutoff * cutoff * ratio.numpy()
