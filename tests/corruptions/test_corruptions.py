import cv2
import numpy as np
import pytest

from deepfake.corruptions.h264 import h264
from deepfake.corruptions.jpeg import jpeg


@pytest.fixture
def clip() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    texture = cv2.GaussianBlur(rng.integers(0, 256, (64, 96, 3), dtype=np.uint8), (0, 0), 1.5)
    return [np.ascontiguousarray(texture[:, 2 * n : 2 * n + 64]) for n in range(4)]


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((a.astype(float) - b) ** 2)))


def test_jpeg_is_what_libjpeg_writes(clip: list[np.ndarray]) -> None:
    _, data = cv2.imencode(".jpg", clip[0][..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 50])
    assert np.array_equal(jpeg(clip[0], quality=50)[..., ::-1], np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)))


def test_lower_quality_loses_more(clip: list[np.ndarray]) -> None:
    quality = [psnr(jpeg(clip[0], quality=q), clip[0]) for q in (90, 70, 50, 30)]
    assert quality == sorted(quality, reverse=True)
    assert quality[0] > 30


def test_h264_keeps_the_number_and_shape_of_frames(clip: list[np.ndarray]) -> None:
    for length in (1, 2, 4):
        decoded = h264(clip[:length], crf=23)
        assert [frame.shape for frame in decoded] == [(64, 64, 3)] * length


def test_a_higher_crf_loses_more(clip: list[np.ndarray]) -> None:
    assert psnr(np.array(h264(clip, crf=23)), np.array(clip)) > psnr(np.array(h264(clip, crf=40)), np.array(clip)) + 3


def test_frames_of_a_clip_are_compressed_together(clip: list[np.ndarray]) -> None:
    """A frame's result depends on its neighbours: there is motion compensation, unlike in one-frame clips."""
    alone = h264(clip[2:3], crf=40)[0]
    together = h264(clip, crf=40)[2]
    assert not np.array_equal(alone, together)
