"""What every generator has in common, whatever its architecture: tasks know no more than this."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from torch import Tensor


class MappingNetwork(Protocol):
    """z and a label to rows of w."""

    w_avg: Tensor
    """``K``: the mean of w, which truncation pulls towards."""

    def __call__(
        self,
        z: Tensor | None,
        c: Tensor | None = None,
        truncation_psi: float = 1.0,
        truncation_cutoff: int | None = None,
        update_emas: bool = False,
    ) -> Tensor:
        """``z: N x z_dim`` and ``c: N x c_dim`` to ``N x num_ws x w_dim``."""
        ...


class SynthesisNetwork(Protocol):
    """Rows of w to pictures."""

    def __call__(self, ws: Tensor, **settings: Any) -> Tensor:
        """``ws: N x num_ws x w_dim`` to ``N x img_channels x height x width`` around [-1, 1].

        Settings that an architecture does not have (``noise_mode`` of StyleGAN3, ``force_fp32``) are accepted.
        """
        ...


@runtime_checkable
class GeneratorLike(Protocol):
    """A generator of any architecture, with the official call signatures of its two halves."""

    z_dim: int
    c_dim: int
    w_dim: int
    num_ws: int
    img_channels: int
    height: int
    width: int
    mapping: Any  # a MappingNetwork
    synthesis: Any  # a SynthesisNetwork

    def __call__(self, z: Tensor, c: Tensor | None = None, **settings: Any) -> Tensor: ...
