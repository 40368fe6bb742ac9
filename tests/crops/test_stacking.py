"""Several crops at once, whatever shards they lie in."""

import random

import numpy as np
import pytest

from deepfake.crops.shards import CropSet
from deepfake.records import CropRow


@pytest.fixture
def crops() -> CropSet:
    """Two shards of twelve crops."""
    pixels = np.random.default_rng(1).integers(0, 256, (2, 12, 16, 16, 3), dtype=np.uint8)
    places = [(shard, row) for shard in range(2) for row in range(12)]
    rows = [CropRow(f"set/original/{shard}", row, row, shard, row, 2.0, 2.0, 14.0, 14.0) for shard, row in places]
    return CropSet({}, rows, dict(enumerate(pixels)))


def orders(rows: list[CropRow]) -> dict[str, list[CropRow]]:
    return {
        "as they lie": rows,
        "backwards": rows[::-1],
        "every other": rows[::2],
        "one twice": [rows[3], rows[3], rows[4]],
        "only one": rows[5:6],
        "shuffled": random.Random(1).sample(rows, len(rows)),
    }


@pytest.mark.parametrize("order", ["as they lie", "backwards", "every other", "one twice", "only one", "shuffled"])
def test_every_crop_stands_in_its_place(crops: CropSet, order: str) -> None:
    rows = orders(crops.rows)[order]
    stacked = crops.stacked(rows)
    assert stacked.dtype == np.uint8
    assert np.array_equal(stacked, [crops.pixels(row) for row in rows])


def test_a_stack_is_a_copy_that_may_be_written_to(crops: CropSet) -> None:
    before = crops.pixels(crops.rows[0]).copy()
    crops.stacked(crops.rows[:1])[:] = 0
    assert before.any()
    assert np.array_equal(crops.pixels(crops.rows[0]), before)


def test_no_crops_are_refused(crops: CropSet) -> None:
    with pytest.raises(ValueError, match="no crops"):
        crops.stacked([])
