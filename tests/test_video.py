from __future__ import annotations

import resource
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from vitruvian.errors import OptionError
from vitruvian.video import check_video, partial_path, writing_video

COLOURS = [(200, 30, 40), (20, 180, 60), (30, 40, 220), (128, 128, 128)]


def flag(height: int = 64, width: int = 32, shift: int = 0) -> np.ndarray:
    """Four quarters of plain colour, or of the colours that follow."""
    picture = np.empty((height, width, 3), np.uint8)
    for index, colour in enumerate(COLOURS[shift % 4 :] + COLOURS[: shift % 4]):
        rows = slice(None, height // 2) if index < 2 else slice(height // 2, None)
        columns = slice(None, width // 2) if index % 2 == 0 else slice(width // 2, None)
        picture[rows, columns] = colour
    return picture


def write(path: Path, frames: int, *, fps: float = 30.0, height: int = 64, width: int = 32) -> Path:
    with writing_video(path, height, width, fps=fps, comment='{"program": "test"}') as append:
        for shift in range(frames):
            append(flag(height, width, shift))
    return path


def decode(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]  # pyright: ignore[reportReturnType]


def test_mp4_is_h264_that_every_player_shows(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mp4", 9, fps=29.97)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert (stream.frames, float(stream.average_rate or 0)) == (9, 29.97)
        assert container.metadata["comment"] == '{"program": "test"}'
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")  # starts to play before all of it is there


def test_mp4_colours_come_back(tmp_path: Path) -> None:
    """They are off by dozens if the file does not say by which matrix it was made."""
    for shift, frame in enumerate(decode(write(tmp_path / "film.mp4", 4))):
        for row, column in ((16, 8), (16, 24), (48, 8), (48, 24)):
            assert np.abs(frame[row, column].astype(int) - flag(shift=shift)[row, column]).max() <= 4


@pytest.mark.parametrize(("height", "width"), [(65, 33), (64, 33), (65, 32), (1, 1)])
def test_odd_sizes_are_continued_by_their_edge(tmp_path: Path, height: int, width: int) -> None:
    frame = decode(write(tmp_path / "film.mp4", 2, height=height, width=width))[0]
    assert frame.shape == (height + height % 2, width + width % 2, 3)
    assert np.abs(frame[-1, -1].astype(int) - flag(height, width)[-1, -1]).max() <= 4


@pytest.mark.parametrize(("height", "width"), [(64, 32), (65, 33), (300, 150)])
def test_gif_shows_frames_as_they_were(tmp_path: Path, height: int, width: int) -> None:
    path = write(tmp_path / "film.gif", 5, height=height, width=width)
    with Image.open(path) as gif:
        assert gif.n_frames == 5  # pyright: ignore[reportAttributeAccessIssue]
        assert gif.info["loop"] == 0
        assert gif.info["comment"] == b'{"program": "test"}'
        for shift in range(5):
            gif.seek(shift)
            assert np.array_equal(np.asarray(gif.convert("RGB")), flag(height, width, shift))


def test_gif_palettes_follow_each_frame(tmp_path: Path) -> None:
    """A rainbow of 60 frames has far more than 256 colours, each frame few enough."""
    ramp = np.arange(128, dtype=np.uint8)[:, None].repeat(64, axis=1)
    frames = [np.stack([ramp, ramp + 0, np.full_like(ramp, 4 * k)], axis=2) for k in range(60)]
    with writing_video(tmp_path / "film.gif", 128, 64, fps=30, comment="") as append:
        for frame in frames:
            append(frame)
    shown = decode(tmp_path / "film.gif")
    assert max(np.abs(a.astype(int) - b).max() for a, b in zip(shown, frames, strict=True)) <= 1


@pytest.mark.parametrize("fps", [15, 24, 30, 50, 7.5])
def test_gif_timing_is_right_on_the_whole(tmp_path: Path, fps: float) -> None:
    """The reference's GIFs of 15 frames a second ran at 16.7: every delay was cut to hundredths of a second."""
    frames = 31
    with Image.open(write(tmp_path / "film.gif", frames, fps=fps)) as gif:
        delays = []
        for index in range(frames):
            gif.seek(index)
            delays.append(gif.info["duration"] / 1000)
    assert sum(delays) == pytest.approx(frames / fps, abs=0.006)
    assert max(delays) - min(delays) <= 0.0101


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_an_interrupted_video_is_kept_apart_and_plays(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film.{suffix}"

    def interrupted() -> None:
        with writing_video(path, 64, 32, fps=30, comment="") as append:
            for shift in range(7):
                append(flag(shift=shift))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [found.name for found in tmp_path.iterdir()] == [f"film.partial.{suffix}"]
    assert len(decode(partial_path(path))) == 7
    write(path, 8)
    assert [found.name for found in tmp_path.iterdir()] == [f"film.{suffix}"]


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_an_interrupt_before_the_first_frame_leaves_nothing(tmp_path: Path, suffix: str) -> None:
    with pytest.raises(KeyboardInterrupt), writing_video(tmp_path / f"a.{suffix}", 8, 8, fps=30, comment=""):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_the_same_frames_give_the_same_film(tmp_path: Path) -> None:
    for suffix in ("mp4", "gif"):
        first, second = (write(tmp_path / f"{name}.{suffix}", 12).read_bytes() for name in "ab")
        assert first == second


@pytest.mark.parametrize(
    ("video_format", "height", "width", "fps", "words"),
    [
        ("gif", 64, 32, 60, "--fps 60: GIF plays at most 50"),
        ("mp4", 64, 32, 1000, "--fps 1000"),
        ("mp4", 64, 16386, 30, "frames would be 64x16386"),
        ("mp4", 8192, 8192, 30, "frames would be 8192x8192"),
        ("gif", 70000, 10, 30, "sides up to 65535"),
    ],
)
def test_what_a_format_cannot_hold_is_refused(video_format, height: int, width: int, fps: float, words: str) -> None:
    with pytest.raises(OptionError, match=words):
        check_video(video_format, height, width, fps)
    check_video("mp4", 4352, 8192, 30)


@pytest.mark.parametrize("suffix", ["mp4", "gif"])
def test_memory_does_not_grow_with_the_number_of_frames(tmp_path: Path, suffix: str) -> None:
    def film(frames: int) -> int:
        with writing_video(tmp_path / f"film.{suffix}", 256, 256, fps=30, comment="") as append:
            for shift in range(frames):
                append(flag(256, 256, shift))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    before = film(70)  # more than the encoder looks ahead
    grown_kib = film(220) - before
    assert grown_kib < 8 * 1024  # the 150 further frames alone are 29 MB
