"""From encoded bytes to pixels, and the rule for what is taken.

The rule: the result is always eight-bit RGB.

- RGB is taken as it is; grey, black-and-white and palette pictures are converted, which loses nothing.
- A turn written in the EXIF tag is carried out, as every viewer does; colour profiles are left unread.
- Transparency is refused, because what lies behind it would be a guess; so are more than eight bits a channel
  and other colour models, because their conversion is a choice (Pillow would cut or clip without a word).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO

import numpy as np
from PIL import Image, ImageOps

_CONVERTIBLE = ("RGB", "L", "1", "P")
_EXIF_ORIENTATION = 0x0112
_QUARTER_TURNS = (5, 6, 7, 8)  # EXIF orientations that exchange height and width


class BadPictureError(Exception):
    """A picture that cannot be used: the message says what it is, to follow the words 'FILE is'."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a picture says about itself before its pixels are read; sizes as seen, after the EXIF turn."""

    height: int
    width: int
    mode: str


def read_header(stream: IO[bytes]) -> Header:
    """Read and judge the header of one picture; raises :class:`BadPictureError`."""
    with _open(stream) as picture:
        _refuse_unsuitable(picture)
        width, height = picture.size
        if _orientation(picture) in _QUARTER_TURNS:
            width, height = height, width
        return Header(height, width, picture.mode)


def decode(stream: IO[bytes]) -> np.ndarray:
    """Decode one picture to uint8, 3 x H x W, RGB; raises :class:`BadPictureError`."""
    with _open(stream) as picture:
        _refuse_unsuitable(picture)
        turned = _orientation(picture) != 1
        try:
            picture.load()
            upright = ImageOps.exif_transpose(picture) if turned else picture
            pixels = np.asarray(upright.convert("RGB"))
        except Exception as error:  # decoders raise a dozen kinds for damaged data
            raise BadPictureError(f"damaged ({error})") from error
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))  # HWC -> CHW


def _open(stream: IO[bytes]) -> Image.Image:
    try:
        return Image.open(stream)
    except Image.UnidentifiedImageError as error:
        raise BadPictureError("not a readable picture") from error
    except Exception as error:
        raise BadPictureError(f"not a readable picture ({error})") from error


def _refuse_unsuitable(picture: Image.Image) -> None:
    mode = picture.mode
    if mode.upper() in ("RGBA", "LA", "PA") or "transparency" in picture.info:
        raise BadPictureError("partly transparent (flatten it onto a background)")
    if mode.startswith(("I", "F")) or _has_sixteen_bits(picture):
        raise BadPictureError("of more than 8 bits a channel (convert it to 8 bits)")
    if mode not in _CONVERTIBLE:
        raise BadPictureError(f"in the colour model {mode} (convert it to RGB)")


def _has_sixteen_bits(picture: Image.Image) -> bool:
    # Pillow opens 16-bit colour PNGs as mode RGB and drops the low bytes; only the raw mode tells.
    return any(";16" in str(tile.args) for tile in getattr(picture, "tile", ()))


def _orientation(picture: Image.Image) -> int:
    # Looked up only when the header already holds the tag: asking a PNG for it would decode the whole file.
    return picture.getexif().get(_EXIF_ORIENTATION, 1) if "exif" in picture.info else 1
