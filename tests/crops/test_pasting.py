import numpy as np
import pytest

from deepfake.crops.cutting import cut_face, face_square
from deepfake.crops.pasting import paste_change
from deepfake.records import Box

SIZE, MARGIN = 64, 1.3
INSIDE = Box(110, 60, 185, 150)  # a square of 117 pixels
SMALL = Box(110, 60, 140, 90)  # 39: the crop is larger than what it shows
LEAVING = [Box(-30, -30, 50, 50), Box(270, 170, 340, 240), Box(-100, -100, 500, 400)]
boxes = pytest.mark.parametrize("box", [INSIDE, SMALL, *LEAVING], ids=str)


def grey(height: int = 200, width: int = 300) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def textured() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (200, 300, 3), dtype=np.uint8)


def smooth_change() -> np.ndarray:
    """A wave each way and another in every channel, of up to 40 grey levels."""
    y, x = np.mgrid[:SIZE, :SIZE] / SIZE
    return 40 * np.stack([np.sin(5 * x), np.cos(4 * y), np.sin(3 * (x + y))], axis=-1)


@boxes
def test_no_change_changes_nothing(box: Box) -> None:
    frame = textured()
    assert np.array_equal(paste_change(frame, np.zeros((SIZE, SIZE, 3)), box, margin=MARGIN), frame)


@pytest.mark.parametrize("box", [INSIDE, SMALL], ids=str)
def test_cutting_again_gives_the_crop_and_its_change(box: Box) -> None:
    crop, _ = cut_face(grey(), box, size=SIZE, margin=MARGIN)
    pasted = paste_change(grey(), smooth_change(), box, margin=MARGIN)
    again, _ = cut_face(pasted, box, size=SIZE, margin=MARGIN)
    assert np.abs(again - (crop + smooth_change())).max() < 2.5, "grey levels of 40"


def test_at_its_own_scale_cutting_is_the_exact_inverse() -> None:
    box, change = Box(110, 60, 150, 100), np.random.default_rng(1).integers(-8, 9, (60, 60, 3))
    again, _ = cut_face(paste_change(grey(), change, box, margin=1.5), box, size=60, margin=1.5)
    assert np.array_equal(again.astype(int) - 128, change)


def test_where_the_square_leaves_the_frame_cutting_again_gives_the_change_inside() -> None:
    box = LEAVING[0]
    left, top, side = face_square(box, margin=MARGIN)
    again, _ = cut_face(paste_change(grey(), smooth_change(), box, margin=MARGIN), box, size=SIZE, margin=MARGIN)
    y, x = (int(np.ceil(-start * SIZE / side)) + 1 for start in (top, left))
    assert np.abs(again - (128 + smooth_change()))[y:, x:].max() < 2.5


@boxes
def test_nothing_outside_the_square_changes_and_all_of_it_inside_does(box: Box) -> None:
    changed = paste_change(grey(), np.full((SIZE, SIZE, 3), 5), box, margin=MARGIN) != 128
    expected = np.zeros((200, 300), bool)
    left, top, side = face_square(box, margin=MARGIN)
    expected[max(0, top) : top + side, max(0, left) : left + side] = True
    assert np.array_equal(changed, np.repeat(expected[..., None], 3, axis=-1))


def test_a_square_beside_the_frame_changes_nothing() -> None:
    for box in (Box(-200, 50, -100, 150), Box(400, 50, 500, 150)):
        assert np.array_equal(paste_change(grey(), np.full((SIZE, SIZE, 3), 5), box, margin=MARGIN), grey())


@boxes
def test_the_frame_changes_by_no_more_than_the_crop(box: Box) -> None:
    change = np.random.default_rng(2).choice([-8, 8], (SIZE, SIZE, 3))
    assert np.abs(paste_change(grey(), change, box, margin=MARGIN).astype(int) - 128).max() <= 8


def test_black_and_white_are_not_left() -> None:
    frame = np.where(np.arange(300)[:, None] < 150, 0, 255).astype(np.uint8) * np.ones((200, 1, 3), np.uint8)
    for change in (-9, 9):
        pasted = paste_change(frame, np.full((SIZE, SIZE, 3), change), INSIDE, margin=MARGIN)
        assert set(np.unique(pasted)) <= {0, 9, 246, 255}


def test_of_a_change_that_alternates_most_survives_being_cut_again() -> None:
    box, change = Box(60, 20, 187, 147), np.random.default_rng(3).choice([-8, 8], (80, 80, 3))
    again, _ = cut_face(paste_change(grey(), change, box, margin=MARGIN), box, size=80, margin=MARGIN)
    kept = ((again.astype(float) - 128) * change).sum() / (change**2).sum()
    assert kept == pytest.approx(0.7, abs=0.03), "bilinear interpolation would keep .54"
