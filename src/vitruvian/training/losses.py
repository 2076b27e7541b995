"""The StyleGAN2 losses (Karras et al. 2020a): non-saturating logistic loss, R1 and path length regularisation.

Each function takes one micro-batch, back-propagates its own loss and returns what is worth reporting. The
generator is always called with fresh noise, as in the official training.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from vitruvian.nn.stylegan2 import Generator

Reported = dict[str, Tensor]
"""Name of a statistic to its per-sample values, detached."""


@dataclass(frozen=True, kw_only=True)
class LossOptions:
    r1_gamma: float = 10.0
    """Weight of the R1 penalty; 0 leaves it out."""
    style_mixing_prob: float = 0.9
    pl_weight: float = 2.0
    """Weight of the path length penalty; 0 leaves it out."""
    pl_decay: float = 0.01
    pl_batch_shrink: int = 2
    """The penalty is measured on this fraction of the micro-batch."""


class StyleGAN2Loss:
    """The four training phases of one generator and one discriminator.

    Args:
        augment: applied to every picture the discriminator sees; the identity by default.
    """

    def __init__(self, G: Generator, D: nn.Module, options: LossOptions, augment: nn.Module | None = None) -> None:
        self.G, self.D, self.options = G, D, options
        self.augment = augment
        self.pl_mean = torch.zeros([], device=next(G.parameters()).device)
        """Running mean of the path length, part of the training state."""

    def generator_main(self, z: Tensor, c: Tensor, *, generator: torch.Generator) -> Reported:
        """mean f(-D(G(z))), f = softplus."""
        logits = self._judge(self._paint(z, c, generator)[0], c)
        loss = F.softplus(-logits)
        loss.mean().backward()
        return {
            "Loss/scores/fake": logits.detach(),
            "Loss/signs/fake": logits.detach().sign(),
            "Loss/G/loss": loss.detach(),
        }

    def generator_regularisation(self, z: Tensor, c: Tensor, *, generator: torch.Generator, gain: float) -> Reported:
        """Path length (StyleGAN2, section 3.2), measured on the first rows of the micro-batch."""
        rows = max(1, len(z) // self.options.pl_batch_shrink)
        img, ws = self._paint(z[:rows], c[:rows], generator)
        noise = torch.randn(img.shape, generator=generator, device=img.device)
        noise = noise / math.sqrt(img.shape[2] * img.shape[3])
        (gradient,) = torch.autograd.grad((img * noise).sum(), ws, create_graph=True)  # N x L x K
        lengths = gradient.square().sum(dim=2).mean(dim=1).sqrt()
        mean = self.pl_mean.lerp(lengths.mean(), self.options.pl_decay)
        # The penalty uses the mean with its gradient; only the stored copy is cut off.
        self.pl_mean = mean.detach()
        penalty = (lengths - mean).square()
        loss = penalty * self.options.pl_weight
        loss.mean().mul(gain).backward()
        return {"Loss/pl_penalty": penalty.detach(), "Loss/G/reg": loss.detach()}

    def discriminator_main(
        self, real: Tensor, real_c: Tensor, z: Tensor, c: Tensor, *, generator: torch.Generator
    ) -> Reported:
        """mean f(D(G(z))) + mean f(-D(real)); moves the running mean of w."""
        with torch.no_grad():
            fake, _ = self._paint(z, c, generator, update_emas=True)
        fake_logits = self._judge(fake, c)
        fake_loss = F.softplus(fake_logits)
        fake_loss.mean().backward()
        real_logits = self._judge(real, real_c)
        real_loss = F.softplus(-real_logits)
        real_loss.mean().backward()
        return {
            "Loss/scores/fake": fake_logits.detach(),
            "Loss/signs/fake": fake_logits.detach().sign(),
            "Loss/scores/real": real_logits.detach(),
            "Loss/signs/real": real_logits.detach().sign(),
            "Loss/D/loss": (fake_loss + real_loss).detach(),
        }

    def discriminator_regularisation(self, real: Tensor, real_c: Tensor, *, gain: float) -> Reported:
        """R1 (Mescheder et al. 2018): gamma / 2 times the squared gradient of D at the unaugmented pictures."""
        real = real.detach().requires_grad_()
        logits = self._judge(real, real_c)
        (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
        penalty = gradient.square().sum(dim=(1, 2, 3))
        loss = penalty * (self.options.r1_gamma / 2)
        loss.mean().mul(gain).backward()
        return {"Loss/r1_penalty": penalty.detach(), "Loss/D/reg": loss.detach()}

    def _paint(
        self, z: Tensor, c: Tensor, generator: torch.Generator, *, update_emas: bool = False
    ) -> tuple[Tensor, Tensor]:
        ws = self.G.mapping(z, c, update_emas=update_emas)
        if self.options.style_mixing_prob > 0:
            ws = self._mix_styles(ws, c, generator)
        return self.G.synthesis(ws, noise_mode="random", generator=generator), ws

    def _mix_styles(self, ws: Tensor, c: Tensor, generator: torch.Generator) -> Tensor:
        """From a random row on, the w of other codes; one crossover for the micro-batch."""
        device = ws.device
        rows = ws.shape[1]
        cutoff = int(torch.randint(1, rows, [], generator=generator, device=device))
        if float(torch.rand([], generator=generator, device=device)) >= self.options.style_mixing_prob:
            return ws
        z = torch.randn(len(ws), self.G.z_dim, generator=generator, device=device)
        return torch.cat([ws[:, :cutoff], self.G.mapping(z, c)[:, cutoff:]], dim=1)

    def _judge(self, img: Tensor, c: Tensor) -> Tensor:
        return self.D(self.augment(img) if self.augment is not None else img, c)
