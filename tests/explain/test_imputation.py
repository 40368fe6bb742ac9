"""Imputation: what is left stays, what is gone is interpolated, and a hole tells nothing."""

import numpy as np
import pytest

from deepfake.explain.imputation import NOISE, impute

SIZE = 12


def hole(rows: slice, columns: slice) -> np.ndarray:
    removed = np.zeros((SIZE, SIZE), dtype=bool)
    removed[rows, columns] = True
    return removed


def ramp() -> np.ndarray:
    y, x = np.mgrid[:SIZE, :SIZE]
    return np.stack([x, y, x + y], axis=-1) / (2 * SIZE) + 0.01


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_pixels_that_are_left_stay_and_the_picture_itself_is_not_touched() -> None:
    picture, removed = ramp(), hole(slice(3, 8), slice(2, 9))
    before = picture.copy()
    filled = impute(picture, removed, rng())
    assert np.array_equal(filled[~removed], picture[~removed].astype(np.float32))
    assert np.array_equal(picture, before)


def test_an_inner_hole_in_a_ramp_is_filled_with_the_ramp_but_for_the_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepfake.explain.imputation.NOISE", 0.0)
    filled = impute(ramp(), hole(slice(3, 8), slice(2, 9)), rng())
    assert np.allclose(filled, ramp(), atol=1e-6)


@pytest.mark.parametrize("removed", [hole(slice(0, 4), slice(0, 12)), ~hole(slice(5, 6), slice(5, 6))])
def test_a_constant_is_continued_over_the_border_of_the_picture_and_from_a_single_pixel(removed: np.ndarray) -> None:
    filled = impute(np.full((SIZE, SIZE, 3), 0.4), removed, rng())
    assert np.abs(filled - 0.4).max() < 5 * NOISE
    assert filled[removed].std() == pytest.approx(NOISE, rel=0.2)


def test_the_filling_is_a_picture_and_depends_on_the_seed_alone() -> None:
    picture, removed = np.ones((SIZE, SIZE, 3)), hole(slice(2, 9), slice(2, 9))
    filled = impute(picture, removed, rng())
    assert filled.dtype == np.float32
    assert filled.max() <= 1
    assert np.array_equal(filled, impute(picture, removed, rng()))


def test_nothing_removed_changes_nothing_and_everything_removed_is_refused() -> None:
    nothing = np.zeros((SIZE, SIZE), dtype=bool)
    assert np.array_equal(impute(ramp(), nothing, rng()), ramp().astype(np.float32))
    with pytest.raises(ValueError, match="no pixel is left"):
        impute(ramp(), ~nothing, rng())
