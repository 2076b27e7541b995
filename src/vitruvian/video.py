"""Frames to a video file, one after another, in constant memory.

Frames are uint8 ``H x W x 3``, RGB. A file appears under its name whole or not at all; what was encoded of one that was
interrupted is kept, playable, as ``NAME.partial.mp4``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
from PIL import Image

from vitruvian.errors import OptionError
from vitruvian.files import replacing

VideoFormat = Literal["mp4", "gif"]

# H.264 has no level for more, and players refuse what encoders still write (ITU-T H.264, table A-1, level 6.2).
LARGEST_MP4_SIDE, LARGEST_MP4_PIXELS = 16384, 139_264 * 16 * 16
LARGEST_GIF_SIDE = 65535
LARGEST_GIF_FPS = 50  # browsers play anything faster at 10 frames a second
LARGEST_MP4_FPS = 240

CRF = 16  # constant quality of x264; flat backgrounds show no blocks, and few can tell it from the original
PALETTE_SAMPLE = 1 << 14  # pixels of a frame that choose its palette; with all of a 1024x512 one that takes 9 s


class _Writer(Protocol):
    frames: int

    def write(self, pixels: np.ndarray) -> None: ...

    def close(self) -> None: ...


def check_video(video_format: VideoFormat, height: int, width: int, fps: float) -> None:
    """Refuse what the format cannot hold.

    Raises:
        OptionError: naming the size or the rate, and the way out.
    """
    if video_format == "gif" and fps > LARGEST_GIF_FPS:
        raise OptionError(f"--fps {fps:g}: GIF plays at most {LARGEST_GIF_FPS} frames a second; use --format mp4")
    if video_format == "mp4" and fps > LARGEST_MP4_FPS:
        raise OptionError(f"--fps {fps:g}: expected at most {LARGEST_MP4_FPS} frames a second")
    side = LARGEST_GIF_SIDE if video_format == "gif" else LARGEST_MP4_SIDE
    too_many = video_format == "mp4" and height * width > LARGEST_MP4_PIXELS
    if max(height, width) > side or too_many:
        limit = f"sides up to {side}" + (f" and {LARGEST_MP4_PIXELS:,} pixels" if video_format == "mp4" else "")
        raise OptionError(
            f"--format {video_format}: frames would be {height}x{width}, this format holds {limit};"
            " use --format frames, or a smaller network or sheet"
        )


def partial_path(path: Path) -> Path:
    """Where the beginning of an interrupted video is kept: ``film.mp4`` to ``film.partial.mp4``."""
    return path.with_suffix(f".partial{path.suffix}")


@contextmanager
def writing_video(
    path: Path, height: int, width: int, *, fps: float, comment: str
) -> Iterator[Callable[[np.ndarray], None]]:
    """Yields the function that appends a frame to ``path``, whose suffix (.mp4 or .gif) is the format.

    If the block is left by an exception, :func:`partial_path` gets the frames so far.

    Args:
        comment: kept in the file.

    Raises:
        OptionError: if the folder cannot be written to.
    """
    partial = partial_path(path)
    kind = _GifWriter if path.suffix == ".gif" else _Mp4Writer
    with replacing(path) as temporary:
        writer: _Writer = kind(temporary, height, width, fps, comment)
        try:
            yield writer.write
        except BaseException:
            with suppress(Exception):  # the reason that it stopped is what the user has to read, such as a full disk
                writer.close()
                if writer.frames:
                    os.replace(temporary, partial)
            raise
        writer.close()
    partial.unlink(missing_ok=True)


class _Mp4Writer:
    """H.264 in 4:2:0, which every player knows; an odd side is continued by one row or column."""

    def __init__(self, path: Path, height: int, width: int, fps: float, comment: str) -> None:
        import av
        from av.codec.codec import UnknownCodecError
        from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

        self.frames = 0
        self._rate = Fraction(fps).limit_denominator(1001)
        self._odd = (height % 2, width % 2)
        self._colours = {"dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._container.metadata.update({"comment": comment})
        try:
            stream = self._container.add_stream(
                "libx264", rate=self._rate, options={"crf": str(CRF), "preset": "medium"}
            )
        except UnknownCodecError:
            raise OptionError("--format mp4: the installed PyAV has no x264; use --format gif or frames") from None
        stream.height, stream.width = height + height % 2, width + width % 2
        stream.pix_fmt = "yuv420p"
        # Said in the file, or players guess from the size and shift the colours.
        context = stream.codec_context
        context.colorspace, context.color_range = Colorspace.ITU709, ColorRange.MPEG
        context.color_primaries, context.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        self._stream = stream

    def write(self, pixels: np.ndarray) -> None:
        from av import VideoFrame

        if any(self._odd):
            pixels = np.pad(pixels, ((0, self._odd[0]), (0, self._odd[1]), (0, 0)), mode="edge")
        frame = VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format="rgb24")
        frame = frame.reformat(format="yuv420p", **self._colours)
        frame.pts, frame.time_base = self.frames, 1 / self._rate
        self._container.mux(self._stream.encode(frame))
        self.frames += 1

    def close(self) -> None:
        if self.frames:
            self._container.mux(self._stream.encode(None))
        self._container.close()


class _GifWriter:
    """An endless GIF in which every frame has a palette of its own.

    Pillow compresses each frame alone and the file is put together here: its own writer keeps all frames in memory and
    cuts every delay to whole hundredths of a second, so that 15 frames a second become 16.7.
    """

    def __init__(self, path: Path, height: int, width: int, fps: float, comment: str) -> None:
        self.frames = 0
        self._fps = fps
        self._file = path.open("wb")
        self._file.write(b"GIF89a" + _u16(width) + _u16(height) + b"\x00\x00\x00")
        self._file.write(b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")  # play for ever
        if comment:
            self._file.write(b"\x21\xfe" + _sub_blocks(comment.encode()))

    def write(self, pixels: np.ndarray) -> None:
        # Ends of frames are rounded, not durations, so the errors do not add up.
        delay = round(100 * (self.frames + 1) / self._fps) - round(100 * self.frames / self._fps)
        self._file.write(b"\x21\xf9\x04\x04" + _u16(min(delay, 0xFFFF)) + b"\x00\x00" + _gif_image(pixels))
        self.frames += 1

    def close(self) -> None:
        self._file.write(b"\x3b")
        self._file.close()


def _gif_image(pixels: np.ndarray) -> bytes:
    """Image descriptor, local palette and compressed data of one frame."""
    buffer = BytesIO()
    _with_palette(pixels).save(buffer, format="GIF", interlace=False)
    data = buffer.getvalue()
    bits = data[10] & 0x07
    start = 13 + 3 * (2 << bits)
    palette = data[13:start]
    while data[start] == 0x21:  # extensions: label, then sub-blocks up to an empty one
        start += 2
        while data[start]:
            start += data[start] + 1
        start += 1
    position, compressed = data[start : start + 9], data[start + 10 : -1]
    return position + bytes([0x80 | bits]) + palette + compressed


def _with_palette(pixels: np.ndarray) -> Image.Image:
    """256 colours without dither, whose grain would change from frame to frame."""
    height, width, _ = pixels.shape
    stride = max(1, round((height * width / PALETTE_SAMPLE) ** 0.5))
    sample = Image.fromarray(np.ascontiguousarray(pixels[::stride, ::stride]))
    palette = sample.quantize(256, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    if stride == 1:
        return palette
    return Image.fromarray(pixels).quantize(palette=palette, dither=Image.Dither.NONE)


def _u16(value: int) -> bytes:
    return value.to_bytes(2, "little")


def _sub_blocks(data: bytes) -> bytes:
    blocks = [data[start : start + 255] for start in range(0, len(data), 255)]
    return b"".join(bytes([len(block)]) + block for block in blocks) + b"\x00"
