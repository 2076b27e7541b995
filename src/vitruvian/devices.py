"""From a device option to a torch device."""

from __future__ import annotations

import torch

from vitruvian.errors import OptionError


def pick_device(name: str) -> torch.device:
    """``auto`` takes CUDA, then Apple's MPS, then the CPU.

    Raises:
        OptionError: if the named device is not there.
    """
    has_mps = torch.backends.mps.is_available()
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if has_mps else "cpu"
    if (name == "cuda" and not torch.cuda.is_available()) or (name == "mps" and not has_mps):
        raise OptionError(f"--device {name}: torch {torch.__version__} sees no such device here; use --device cpu")
    return torch.device(name)
