import cv2
import numpy as np
import pytest

from deepfake.corruptions.jpeg import jpeg
from deepfake.crops.augmentation import augment, jitter_color, shift_crop, shrink_and_grow
from deepfake.params import AugmentParams

OFF = AugmentParams(
    flip=0,
    shift=0,
    shift_by=0.1,
    jpeg=0,
    jpeg_quality=(30, 30),
    rescale=0,
    rescale_to=(0.5, 0.5),
    blur=0,
    blur_sigma=(2, 2),
    color=0,
    color_strength=0.3,
    self_blended=False,
)


@pytest.fixture
def crop() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1)


def test_with_every_probability_zero_nothing_changes(crop: np.ndarray) -> None:
    assert np.array_equal(augment(crop, OFF, np.random.default_rng(0), compress=jpeg), crop)


@pytest.mark.parametrize("name", ["flip", "shift", "jpeg", "rescale", "blur", "color"])
def test_each_distortion_alone_changes_the_crop_and_keeps_its_shape(crop: np.ndarray, name: str) -> None:
    params = OFF.model_copy(update={name: 1.0})
    changed = augment(crop, params, np.random.default_rng(0), compress=jpeg)
    assert changed.shape == crop.shape
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, crop)


@pytest.mark.parametrize("name", ["jpeg", "rescale", "blur"])
def test_compression_and_blur_take_fine_detail_away(crop: np.ndarray, name: str) -> None:
    changed = augment(crop, OFF.model_copy(update={name: 1.0}), np.random.default_rng(0), compress=jpeg)
    assert cv2.Laplacian(changed, cv2.CV_64F).var() < cv2.Laplacian(crop, cv2.CV_64F).var()


def test_the_same_seed_gives_the_same_crop(crop: np.ndarray) -> None:
    params = OFF.model_copy(update={"flip": 0.5, "jpeg": 0.5, "color": 0.5})
    first, second = (augment(crop, params, np.random.default_rng(7), compress=jpeg) for _ in range(2))
    assert np.array_equal(first, second)


def test_switching_one_distortion_on_leaves_the_others_randomness_alone(crop: np.ndarray) -> None:
    half = OFF.model_copy(update={"flip": 0.5})
    flipped = [_is_mirrored(augment(crop, half, np.random.default_rng(n), compress=jpeg), crop) for n in range(20)]
    blurred = half.model_copy(update={"color": 1.0, "color_strength": 0.0})
    again = [_is_mirrored(augment(crop, blurred, np.random.default_rng(n), compress=jpeg), crop) for n in range(20)]
    assert flipped == again
    assert 0 < sum(flipped) < 20


def test_colour_factors_of_one_change_nothing(crop: np.ndarray) -> None:
    assert np.array_equal(jitter_color(crop, 1, 1, 1), crop)
    assert jitter_color(crop, 0.5, 1, 1).mean() == pytest.approx(crop.mean() / 2, abs=1)
    grey = jitter_color(crop, 1, 1, 0).astype(int)
    assert np.ptp(grey, axis=-1).max() <= 1


def test_a_shift_moves_the_pixels_and_repeats_the_border(crop: np.ndarray) -> None:
    moved = shift_crop(crop, 3, -2)
    assert np.array_equal(moved[:-2, 3:], crop[2:, :-3])
    assert (moved[:, :3] == moved[:, 3:4]).all()
    assert (moved[-2:] == moved[-3:-2]).all()
    assert np.array_equal(shift_crop(crop, 0, 0), crop)


def test_rescaling_to_full_size_changes_nothing(crop: np.ndarray) -> None:
    assert np.array_equal(shrink_and_grow(crop, 1.0), crop)


def _is_mirrored(changed: np.ndarray, crop: np.ndarray) -> bool:
    return bool(np.abs(changed.astype(int) - crop[:, ::-1]).mean() < np.abs(changed.astype(int) - crop).mean())
