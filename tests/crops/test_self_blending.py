"""Fakes made of training reals: where they differ, what they depend on, and how they are counted."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from crop_folders import write_crop_folder

from deepfake.crops.batches import balanced_weights
from deepfake.crops.self_blending import face_mask, is_self_blended, self_blend, with_self_blended
from deepfake.crops.shards import CropSet, open_crops
from deepfake.errors import SettingsError
from deepfake.records import FAKE, REAL, Box

SIZE = 64
FACE = Box(16.0, 12.0, 48.0, 52.0)


@pytest.fixture
def crop() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2)


@pytest.fixture
def crops(tmp_path: Path) -> CropSet:
    return open_crops(write_crop_folder(tmp_path / "crops", {"set/original/0": 3, "set/original/1": 1, "set/A/0": 2}))


def test_the_mask_is_soft_and_lies_in_the_face() -> None:
    for seed in range(20):
        mask = face_mask(SIZE, FACE, np.random.default_rng(seed))
        assert mask.shape == (SIZE, SIZE)
        assert mask.min() == 0
        assert 0.9 < mask[32, 32] <= mask.max() <= 1.0001
        assert mask[[0, 1, -2, -1]].max() < 0.01
        assert mask[:, [0, 1, -2, -1]].max() < 0.01
        assert ((mask > 0.05) & (mask < 0.95)).sum() > SIZE, "no hard edge"


def test_a_blend_changes_one_side_of_the_mask_and_not_the_other(crop: np.ndarray) -> None:
    sides = set()
    for seed in range(20):
        blended = self_blend(crop, FACE, np.random.default_rng(seed))
        assert blended.shape == crop.shape
        assert blended.dtype == np.uint8
        moved = np.abs(blended.astype(int) - crop).mean(axis=2)
        face, rim = moved[24:40, 24:40].mean(), moved[:6].mean()
        assert max(face, rim) > 0.5
        sides.add(rim == 0)
    assert sides == {True, False}, "either the face or what is around it keeps its colours"


def test_a_blend_depends_on_its_source_of_randomness_only(crop: np.ndarray) -> None:
    first, again, other = (self_blend(crop, FACE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_every_real_crop_comes_once_more_as_a_fake_of_a_method_of_its_own(crops: CropSet) -> None:
    more = with_self_blended(crops)
    assert more.rows[: len(crops.rows)] == crops.rows
    added = more.rows[len(crops.rows) :]
    assert [more.videos[row.video].method for row in added] == ["self-blended"] * 4
    assert {more.label(row) for row in added} == {FAKE}
    assert all(is_self_blended(row) for row in added)
    assert not any(is_self_blended(row) for row in crops.rows)
    reals = crops.of_label(REAL)
    for row, made in zip(reals.rows, added, strict=True):
        assert np.array_equal(more.pixels(made), crops.pixels(row))
        assert more.videos[made.video].cluster == crops.videos[row.video].cluster


def test_a_dataset_with_such_fakes_of_its_own_is_refused(tmp_path: Path) -> None:
    crops = open_crops(write_crop_folder(tmp_path / "own", {"set/original/0": 1, "set/self-blended/0": 1}))
    with pytest.raises(SettingsError, match="self-blended fakes of its own"):
        with_self_blended(crops)


def test_the_sampler_gives_them_the_share_of_a_method(crops: CropSet) -> None:
    more = with_self_blended(crops)
    share = {True: 0.0, False: 0.0}
    for row, weight in zip(more.rows, balanced_weights(more), strict=True):
        share[is_self_blended(row)] += weight
    assert share[True] == pytest.approx(0.25)
