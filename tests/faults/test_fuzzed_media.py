"""Media files with bytes overwritten, cut out and doubled: a picture, frames, or one line; never anything else."""

from pathlib import Path

import numpy as np
import pytest
from bad_media import encode, encode_picture
from fuzzing import assert_one_line, damaged, fuzz
from hypothesis import given
from hypothesis import strategies as st

from deepfake.video.decoding import encoded_frame_count, read_frames
from deepfake.video.pictures import read_image

RNG = np.random.default_rng(0)
CLIP = [np.full((48, 64, 3), 20 * number, np.uint8) for number in range(8)]
VIDEOS = {
    "mp4": encode(CLIP), "mkv": encode(CLIP, container="matroska"), "avi": encode(CLIP, "mpeg4", "avi"),
    "webm": encode(CLIP, "libvpx-vp9", "webm"),
}  # fmt: skip
NOISE = RNG.integers(0, 256, (24, 24, 3), dtype=np.uint8)
PICTURES = {suffix: encode_picture(NOISE, f".{suffix}") for suffix in ("png", "jpg", "webp", "bmp", "tif")}


@pytest.mark.parametrize("suffix", VIDEOS)
@fuzz(40)
@given(data=st.data())
def test_a_damaged_video_gives_frames_or_one_line(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data.draw(damaged(VIDEOS[suffix])))
    assert_one_line(lambda: encoded_frame_count(path), path.name)
    read = assert_one_line(lambda: read_frames(path, {0, 5}), path.name)
    if read is not None:
        frames, decoded = read
        assert set(frames) == {number for number in (0, 5) if number < decoded}
        assert {(frame.dtype, frame.ndim, frame.shape[2]) for frame in frames.values()} == {(np.dtype(np.uint8), 3, 3)}


@pytest.mark.parametrize("suffix", PICTURES)
@fuzz(40)
@given(data=st.data())
def test_a_damaged_picture_gives_pixels_or_one_line(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(data.draw(damaged(PICTURES[suffix])))
    picture = assert_one_line(lambda: read_image(path), path.name)
    assert picture is None or (picture.dtype, picture.ndim, picture.shape[2]) == (np.uint8, 3, 3)
