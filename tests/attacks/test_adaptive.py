"""Attacks that know the compression that follows, scored after the real codec."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from toy_detectors import EPS, SIZE, Linear, draw_crops, objective_of

from deepfake.attacks.adaptive import Adaptive
from deepfake.attacks.ball import to_uint8
from deepfake.attacks.pgd import PGD
from deepfake.attacks.protocol import Attack
from deepfake.attacks.stand_ins import Codec, smoothed, straight_through
from deepfake.corruptions.differentiable_jpeg import differentiable_jpeg
from deepfake.corruptions.h264 import h264_batch
from deepfake.corruptions.jpeg import jpeg

GRID = 1 - 2 * ((torch.arange(SIZE)[:, None] + torch.arange(SIZE)) % 2).float()


class Gridded(nn.Module):
    """Calls a crop fake for its bright middle, and far more readily real for a grid, which H.264 takes away.

    Before the codec the gradient is that of the grid; after it there is no grid, and the middle's gradient is left.
    """

    def forward(self, x: Tensor) -> Tensor:
        grid = (x * GRID).mean(dim=(1, 2, 3))
        middle = x[..., 4:12, 4:12].mean(dim=(1, 2, 3)) - x.mean(dim=(1, 2, 3))
        return 10 * middle - 100 * torch.relu(grid - 0.015)


def test_expecting_jpeg_is_stronger_after_libjpeg_than_not_to_expect_it(linear: Linear) -> None:
    x, y = draw_crops(24, seed=7)
    codecs = [partial(differentiable_jpeg, quality=quality) for quality in (40, 50, 60)]
    plain, adaptive = compared(linear, x, y, PGD(EPS, steps=20), codecs, libjpeg)
    assert (adaptive > plain).float().mean() > 0.9
    assert adaptive.mean() > plain.mean() + 1.5


def test_expecting_h264_is_stronger_after_it_than_not_to_expect_it() -> None:
    x, y = draw_crops(24, seed=7)
    codec = partial(h264_batch, lengths=[4, 4, 4], crf=35)
    plain, adaptive = compared(Gridded(), x[y == 1], y[y == 1], PGD(EPS, steps=10), [straight_through(codec)], codec)
    assert adaptive.mean() > plain.mean() + 0.2


def test_a_smoothed_codec_makes_a_stronger_attack_than_its_own_gradient(linear: Linear) -> None:
    x, y = draw_crops(24, seed=7)
    encode = partial(h264_batch, lengths=[4] * 6, crf=30)
    pairs: list[tuple[Codec, Codec]] = [
        (libjpeg, partial(differentiable_jpeg, quality=50)),
        (encode, straight_through(encode)),
    ]
    for codec, stand_in in pairs:
        _, rough = compared(linear, x, y, PGD(EPS, steps=10), [stand_in], codec)
        _, smooth = compared(linear, x, y, PGD(EPS, steps=10), [smoothed(stand_in)], codec)
        assert (smooth > rough).float().mean() > 0.6
        assert smooth.mean() > rough.mean() + 1.5


def test_the_objective_is_the_mean_over_the_codecs(linear: Linear) -> None:
    """Of codecs that pass a change on or turn it round, the majority decides which way it goes."""
    x, y = draw_crops(8, seed=7)

    def flip(crops: Tensor) -> Tensor:
        return 2 * x - crops

    along = Adaptive(PGD(EPS, steps=2), EPS, 8, [torch.clone, torch.clone, flip])(linear, x, y, range(8))
    moved = Adaptive(PGD(EPS, steps=2), EPS, 8, [torch.clone, flip, flip])(linear, x, y, range(8))
    assert (objective_of(linear, along, y) > objective_of(linear, x, y) + 1).all()
    assert (objective_of(linear, moved, y) < objective_of(linear, x, y) - 1).all(), "the majority flips"


def test_through_no_codec_is_refused() -> None:
    with pytest.raises(ValueError, match="no codecs"):
        Adaptive(PGD(EPS), EPS, 1, [])


def test_it_never_loses_to_the_attack_that_it_starts_from(linear: Linear) -> None:
    """Not even where its steps lead astray: here their gradient points the wrong way."""

    class Astray(torch.autograd.Function):
        @staticmethod
        def forward(_: object, x: Tensor) -> Tensor:
            return x.clone()

        @staticmethod
        def backward(_: object, gradient: Tensor) -> Tensor:
            return -gradient

    x, y = draw_crops(8, seed=7)
    start = PGD(EPS, steps=5)
    found = Adaptive(start, EPS, 5, [Astray.apply])(linear, x, y, range(8))
    assert torch.equal(found, start(linear, x, y, range(8)))


def test_frames_of_one_clip_are_taken_from_the_same_step(linear: Linear) -> None:
    """What a frame becomes depends on the others: frames of several steps together were never encoded."""
    x, y = draw_crops(4, seed=7)
    seen: list[Tensor] = []

    def record(crops: Tensor) -> Tensor:
        seen.append(crops.detach())
        return crops * torch.tensor([1.0, -1.0, 1.0, -1.0]).view(-1, 1, 1, 1).roll(len(seen))

    found = Adaptive(PGD(EPS, steps=2), EPS, 6, [record], one_clip=True)(linear, x, torch.ones_like(y), range(4))
    assert any(torch.equal(found, crops) for crops in seen)


def compared(
    model: nn.Module, x: Tensor, y: Tensor, attack: Attack, codecs: Sequence[Codec], real: Codec
) -> tuple[Tensor, Tensor]:
    """Objectives after rounding and the real codec, of the attack alone and of the one that expects `codecs`."""
    seeds = list(range(len(x)))
    found = [tried(model, x, y, seeds) for tried in (attack, Adaptive(attack, EPS, 20, codecs))]
    plain, adaptive = (objective_of(model, real(to_unit(to_uint8(x_adv, x))), y) for x_adv in found)
    return plain, adaptive


def libjpeg(x: Tensor) -> Tensor:
    pixels = (255 * x).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return to_unit(np.stack([jpeg(picture, quality=50) for picture in pixels]))


def to_unit(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float() / 255
