from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from crop_folders import write_crop_folder

from deepfake.crops.batches import TrainingBatches, balanced_weights, draw_epoch, to_unit
from deepfake.crops.shards import CropSet, open_crops

CPU = torch.device("cpu")


def unchanged(crop: np.ndarray, *_: object) -> np.ndarray:
    return crop


@pytest.fixture
def crops(tmp_path: Path) -> CropSet:
    """3 originals with 4 crops, 9 fakes of method A with 4, 1 of method B with 2."""
    videos = {f"set/original/r{n}": 4 for n in range(3)} | {f"set/A/a{n}": 4 for n in range(9)} | {"set/B/b": 2}
    return open_crops(write_crop_folder(tmp_path / "crops", videos))


def test_classes_and_methods_come_up_equally_often(crops: CropSet) -> None:
    weights = balanced_weights(crops)
    by_method: Counter[str] = Counter()
    for row, weight in zip(crops.rows, weights, strict=True):
        by_method[crops.videos[row.video].method] += weight
    assert weights.sum() == pytest.approx(1)
    assert by_method == pytest.approx({"original": 0.5, "A": 0.25, "B": 0.25})


def test_an_epoch_is_balanced_exactly_and_not_on_average(crops: CropSet) -> None:
    weights = balanced_weights(crops)
    for seed in range(5):
        drawn = Counter(draw_epoch(weights, 200, np.random.default_rng(seed)).tolist())
        for number, weight in enumerate(weights):
            assert abs(drawn[number] - 200 * weight) < 1 + 1e-9


def test_batches_do_not_depend_on_the_number_of_threads(crops: CropSet) -> None:
    runs = []
    for workers in (1, 3):
        batches = TrainingBatches(crops, 4, 8, unchanged, seed=1, device=CPU, workers=workers)
        runs.append([(batch.x, [row.video for row in batch.rows]) for batch in batches.epoch(0)])
    for (x, rows), (other_x, other_rows) in zip(*runs, strict=True):
        assert torch.equal(x, other_x)
        assert rows == other_rows


def test_epochs_differ_and_seeds_differ(crops: CropSet) -> None:
    def order(seed: int, epoch: int) -> list[str]:
        batches = TrainingBatches(crops, 4, 8, unchanged, seed=seed, device=CPU, workers=1)
        return [row.video for batch in batches.epoch(epoch) for row in batch.rows]

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_a_batch_carries_its_labels_and_pixels(crops: CropSet) -> None:
    batches = TrainingBatches(crops, 1, 16, unchanged, seed=1, device=CPU, workers=1)
    (batch,) = batches.epoch(0)
    assert batch.y.tolist() == [float(crops.label(row)) for row in batch.rows]
    for x, row in zip(batch.x, batch.rows, strict=True):
        assert np.array_equal((x * 255).round().byte().permute(1, 2, 0).numpy(), crops.pixels(row))


def test_pixels_become_unit_floats_in_channels_last_order() -> None:
    pixels = np.zeros((2, 4, 4, 3), np.uint8)
    pixels[0, 1, 2] = (255, 51, 0)
    x = to_unit(pixels, CPU)
    assert x.shape == (2, 3, 4, 4)
    assert x.is_contiguous(memory_format=torch.channels_last)
    assert x[0, :, 1, 2].tolist() == pytest.approx([1, 0.2, 0])
