import numpy as np
import pytest

from deepfake.crops.cutting import cut_face, mask_face, whole_picture
from deepfake.records import Box


def gradient(height: int = 200, width: int = 300) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.stack([x * 255 // width, y * 255 // height, np.zeros_like(x)], axis=-1).astype(np.uint8)


def test_a_crop_at_its_own_scale_is_the_pixels_themselves() -> None:
    frame = gradient()
    crop, face = cut_face(frame, Box(110, 60, 150, 100), size=60, margin=1.5)
    assert np.array_equal(crop, frame[50:110, 100:160])
    assert face == Box(10, 10, 50, 50)


def test_the_longer_side_of_the_box_sets_the_scale() -> None:
    _, face = cut_face(gradient(), Box(100, 50, 140, 130), size=80, margin=1.0)
    assert face.y1 - face.y0 == pytest.approx(80)
    assert face.x1 - face.x0 == pytest.approx(40)
    assert (face.x0 + face.x1) / 2 == pytest.approx(40)


@pytest.mark.parametrize("box", [Box(-30, -30, 50, 50), Box(270, 170, 340, 240), Box(-100, -100, 500, 400)], ids=str)
def test_a_box_that_leaves_the_frame_repeats_its_border(box: Box) -> None:
    frame = gradient()
    crop, _ = cut_face(frame, box, size=64, margin=1.3)
    assert crop.shape == (64, 64, 3)
    assert crop.min() >= frame.min()
    assert crop[..., 2].max() == 0, "nothing but the frame's own pixels"


def test_masking_greys_the_grown_box_and_nothing_else() -> None:
    crop = np.full((80, 80, 3), 200, np.uint8)
    masked = mask_face(crop, Box(20, 30, 60, 70), grow=0.1)
    assert (masked[28:72, 18:62] == 128).all()
    masked[28:72, 18:62] = 200
    assert (masked == 200).all()
    assert (crop == 200).all(), "the crop itself is left alone"


def test_a_picture_cut_elsewhere_keeps_its_frame_and_guesses_its_face() -> None:
    crop, face = whole_picture(gradient(224, 224), size=80, margin=1.25)
    assert crop.shape == (80, 80, 3)
    assert face == Box(8, 8, 72, 72)
