import cv2
import numpy as np
import pytest
import torch

from deepfake.corruptions.h264 import h264, h264_batch
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


def test_a_batch_is_its_clips_each_compressed_by_itself(clip: list[np.ndarray]) -> None:
    x = torch.from_numpy(np.stack([*clip, *clip[:2]])).permute(0, 3, 1, 2).float() / 255
    decoded = h264_batch(x + 0.4 / 255, [4, 2], crf=23)
    expected = np.stack([*h264(clip, crf=23), *h264(clip[:2], crf=23)])
    assert decoded.dtype == x.dtype
    assert np.array_equal((255 * decoded).permute(0, 2, 3, 1).round().numpy(), expected)
    assert not torch.equal(decoded[:2], decoded[4:])
