"""The forged region is cut from the mask as the crop was cut from the video."""

from pathlib import Path

import numpy as np
import pytest

from deepfake.crops.cutting import cut_face
from deepfake.errors import DataError
from deepfake.explain.regions import forged_region
from deepfake.records import Box, FaceBox
from deepfake.video.encoding import write_h264

HEIGHT, WIDTH, FRAMES = 64, 96, 4
BOX = Box(30.0, 10.0, 62.0, 50.0)


def mask_frame(number: int) -> np.ndarray:
    frame = np.zeros((HEIGHT, WIDTH, 3), dtype=np.uint8)
    frame[20:44, 30 + 8 * number : 46 + 8 * number] = 255
    return frame


def write_videos(folder: Path, *, mask_frames: int = FRAMES, height: int = HEIGHT) -> tuple[Path, Path]:
    write_h264(folder / "mask.mp4", [mask_frame(n) for n in range(mask_frames)], crf=18, preset="veryfast")
    write_h264(folder / "fake.mp4", [np.full((height, WIDTH, 3), 90, np.uint8)] * FRAMES, crf=18, preset="veryfast")
    return folder / "mask.mp4", folder / "fake.mp4"


def face(frame: int) -> FaceBox:
    return FaceBox("ffpp/FaceSwap/0_1", 0, frame, *BOX, 0.99)


@pytest.mark.parametrize("frame", [0, 3])
def test_it_is_the_mask_of_the_same_frame_cut_by_the_same_square(tmp_path: Path, frame: int) -> None:
    region = forged_region(*write_videos(tmp_path), face(frame), size=40, margin=1.3)
    expected, _ = cut_face(mask_frame(frame), BOX, size=40, margin=1.3)
    assert region is not None
    assert region.dtype == bool
    assert region.shape == (40, 40)
    assert (region == (expected[..., 0] >= 128)).mean() > 0.99
    assert 0 < region.mean() < 1


def test_a_mask_that_ends_too_early_says_nothing(tmp_path: Path) -> None:
    mask, fake = write_videos(tmp_path, mask_frames=2)
    assert forged_region(mask, fake, face(3), size=40, margin=1.3) is None


def test_a_mask_of_another_size_is_refused(tmp_path: Path) -> None:
    mask, fake = write_videos(tmp_path, height=48)
    with pytest.raises(DataError, match=r"mask\.mp4: 96×64 pixels, and .*fake\.mp4 has 96×48"):
        forged_region(mask, fake, face(0), size=40, margin=1.3)
