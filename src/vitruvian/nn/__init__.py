"""Networks as plain torch modules, and the differentiable operations under them. Imports torch alone."""

from vitruvian.nn.stylegan1 import Generator as StyleGAN1Generator
from vitruvian.nn.stylegan1_discriminator import Discriminator as StyleGAN1Discriminator
from vitruvian.nn.stylegan2 import Generator as StyleGAN2Generator
from vitruvian.nn.stylegan2_discriminator import Discriminator as StyleGAN2Discriminator
from vitruvian.nn.stylegan3 import Generator as StyleGAN3Generator

__all__ = [
    "StyleGAN1Discriminator",
    "StyleGAN1Generator",
    "StyleGAN2Discriminator",
    "StyleGAN2Generator",
    "StyleGAN3Generator",
]
