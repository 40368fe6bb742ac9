"""An attack that is computed once for every crop."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from toy_detectors import EPS, Small, draw_crops, train_small

from deepfake.attacks.ball import to_uint8
from deepfake.attacks.pgd import PGD
from deepfake.crops.batches import to_unit
from deepfake.evaluation.remembered import Remembered


class Counted:
    """PGD, and of how many crops."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, model: nn.Module, x: Tensor, y: Tensor, seeds: Sequence[int]) -> Tensor:
        self.count += len(x)
        return PGD(EPS, 3)(model, x, y, seeds)


def test_it_is_computed_once_and_is_what_was_scored_in_any_batch() -> None:
    model: Small = train_small()
    x, y = draw_crops(6, seed=3)
    seeds = [5, 8, 2, 9, 4, 7]
    counted = Counted()
    attack = Remembered(counted)
    first = attack(model, x, y, seeds)
    order = [3, 0, 5]
    again = attack(model, x[order], y[order], [seeds[place] for place in order])
    assert counted.count == 6
    assert torch.equal(again, first[order])
    assert torch.equal(first, to_unit(to_uint8(PGD(EPS, 3)(model, x, y, seeds), x), x.device))
    assert (first - x).abs().max() <= EPS + 1e-6


def test_a_batch_with_a_crop_that_is_new_is_computed() -> None:
    model = train_small()
    x, y = draw_crops(4, seed=3)
    counted = Counted()
    attack = Remembered(counted)
    attack(model, x[:2], y[:2], [1, 2])
    whole = attack(model, x, y, [1, 2, 3, 4])
    assert counted.count == 6
    assert torch.equal(whole, Remembered(PGD(EPS, 3))(model, x, y, [1, 2, 3, 4]))
