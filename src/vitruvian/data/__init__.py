"""Reading and writing picture sets."""

from vitruvian.data.pictures import Details, PictureSet
from vitruvian.data.sampler import InfiniteSampler
from vitruvian.data.writer import PictureSetWriter

__all__ = ["Details", "InfiniteSampler", "PictureSet", "PictureSetWriter"]
