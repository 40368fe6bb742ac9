"""Crops -> batches: the balanced sampler, and the one place where uint8 becomes [0, 1]."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from deepfake.crops.shards import CropSet
from deepfake.ranks import share_of_batch
from deepfake.records import CropRow
from deepfake.runtime import ahead, derive_seed, rank

Transform = Callable[[np.ndarray, CropRow, np.random.Generator], np.ndarray]


@dataclass(frozen=True)
class Batch:
    """What a training step sees.

    Attributes:
        x: crops (B, 3, S, S) in [0, 1].
        y: labels (B,), float, 1 for fake.
        rows: index row of each crop: its video, clip and frame.
    """

    x: Tensor
    y: Tensor
    rows: Sequence[CropRow]

    def first(self, count: int) -> "Batch":
        """The first crops of the batch; it is in random order."""
        return Batch(self.x[:count], self.y[:count], self.rows[:count])


def to_unit(pixels: np.ndarray, device: torch.device) -> Tensor:
    """uint8 RGB (B, S, S, 3) -> float32 (B, 3, S, S) in [0, 1], channels-last, on the device."""
    tensor = torch.from_numpy(pixels)
    if device.type == "cuda":
        tensor = tensor.pin_memory().to(device, non_blocking=True)
    return tensor.permute(0, 3, 1, 2).float().div_(255)  # the permuted view already is channels-last


def balanced_weights(crops: CropSet) -> np.ndarray:
    """Probability of each crop so that both classes, the methods of a class and the videos of a method are equal.

    Returns:
        (N,) in the order of `crops.rows`, summing to 1.
    """
    groups = [(crops.videos[row.video].label, crops.videos[row.video].method) for row in crops.rows]
    frames = Counter(row.video for row in crops.rows)
    videos = Counter({row.video: group for row, group in zip(crops.rows, groups, strict=True)}.values())
    methods = Counter(label for label, _ in videos)
    classes = len(methods)
    return np.array(
        [
            1 / (classes * methods[group[0]] * videos[group] * frames[row.video])
            for row, group in zip(crops.rows, groups, strict=True)
        ]
    )


def draw_epoch(weights: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw `count` crop numbers by weight, evenly (systematic sampling) and in random order.

    Every crop comes up floor or ceil of `count * weight` times, so an epoch is balanced exactly and not on average.
    """
    positions = (rng.random() + np.arange(count)) / count
    drawn = np.searchsorted(np.cumsum(weights), positions * weights.sum())
    return rng.permutation(np.minimum(drawn, len(weights) - 1))


@dataclass(frozen=True)
class TrainingBatches:
    """Balanced, augmented batches of an epoch; the same for the same seed and epoch, however many threads.

    Of several ranks, each gets its part of every batch.

    Attributes:
        crops: training crops.
        steps: batches in an epoch.
        batch_size: crops in a batch, over all ranks.
        transform: augmentation of one crop, with its index row and source of randomness.
        seed: of sampling and augmentation.
        device: where batches go.
        workers: threads that augment.
    """

    crops: CropSet
    steps: int
    batch_size: int
    transform: Transform
    seed: int
    device: torch.device
    workers: int

    def epoch(self, number: int) -> Iterator[Batch]:
        """The batches of one epoch."""
        rng = np.random.default_rng(derive_seed(self.seed, "sampler", number))
        drawn = draw_epoch(balanced_weights(self.crops), self.steps * self.batch_size, rng)
        batches = drawn.reshape(self.steps, self.batch_size).tolist()
        jobs = [(rank() * self.steps + step, share_of_batch(batch)) for step, batch in enumerate(batches)]
        for rows, pixels in ahead(lambda job: self._augmented(number, *job), jobs, workers=self.workers):
            # Not in the threads: torch would give each a pool of its own, to spin on the cores that train.
            labels = torch.tensor([float(self.crops.label(row)) for row in rows], device=self.device)
            yield Batch(to_unit(pixels, self.device), labels, rows)

    def _augmented(self, epoch: int, place: int, chosen: Sequence[int]) -> tuple[list[CropRow], np.ndarray]:
        """Rows and pixels of one batch; `place` is its number among those of all ranks in this epoch."""
        rng = np.random.default_rng(derive_seed(self.seed, "augment", epoch, place))
        rows = [self.crops.rows[number] for number in chosen]
        return rows, np.stack([self.transform(self.crops.pixels(row), row, rng) for row in rows])
