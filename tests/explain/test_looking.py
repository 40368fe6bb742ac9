"""A look and its numbers, end to end on a detector whose answer is known."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from deepfake.explain.looking import Face, Look, look_at, measure
from deepfake.records import CropRow

SIZE = 16


class RedAgainstGreen(nn.Module):
    """Red is evidence of fake and green of real; features are means of 4 × 4 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([4.0, -4.0, 0.0]))

    def forward_features(self, x: Tensor) -> Tensor:
        return nn.functional.avg_pool2d(x, 4)

    def forward_head(self, features: Tensor) -> Tensor:
        return features.mean(dim=(2, 3)) @ self.weights

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))


def crop(color: int) -> np.ndarray:
    """Black, but for its right half."""
    pixels = np.zeros((SIZE, SIZE, 3), dtype=np.uint8)
    pixels[:, SIZE // 2 :, color] = 255
    return pixels


def face_of(pixels: np.ndarray) -> Face:
    region = np.zeros((SIZE, SIZE), dtype=bool)
    region[:, SIZE // 2 :] = True
    return Face(CropRow("ffpp/FaceSwap/0_1", 0, 7, 0, 0, 0.0, 0.0, 16.0, 16.0), pixels, region)


def test_a_look_has_the_logit_and_the_signed_evidence_of_each_picture() -> None:
    red, green = look_at(RedAgainstGreen(), np.stack([crop(0), crop(1)]))
    assert (red.logit, green.logit) == (2.0, -2.0)
    expected = np.zeros((4, 4))
    expected[:, 2:] = 4 / 16
    assert red.evidence == pytest.approx(expected)
    assert green.evidence == pytest.approx(-expected)
    assert red.relevance.shape == (SIZE, SIZE)
    assert red.relevance.max() == pytest.approx(4 / 16)
    assert not green.relevance.any()


def test_the_numbers_are_those_of_the_face_that_was_looked_at() -> None:
    model, face = RedAgainstGreen(), face_of(crop(0))
    (look,) = look_at(model, face.crop[None])
    numbers = measure(model, face, look, look, seed=1)
    assert (numbers.video, numbers.frame, numbers.logit) == ("ffpp/FaceSwap/0_1", 7, 2.0)
    assert numbers.faithfulness > 0.5
    assert numbers.stability == 1
    assert 1.7 < numbers.overlap <= 2
    assert 0.4 <= numbers.breadth < 0.6


def test_a_face_without_evidence_of_fake_is_ranked_but_shares_nothing_out() -> None:
    model, face = RedAgainstGreen(), face_of(crop(0))
    clean, attacked = look_at(model, np.stack([crop(0), crop(1)]))
    numbers = measure(model, face, attacked, clean, seed=1)
    assert numbers.stability == pytest.approx(-1)
    assert numbers.faithfulness > 0.5
    assert math.isnan(numbers.breadth)
    assert math.isnan(numbers.overlap)


def test_a_face_whose_box_leaves_the_crop_is_measured_inside_of_it() -> None:
    row = CropRow("ffpp/FaceSwap/0_1", 0, 7, 0, 0, -3.2, -5.0, 19.0, 30.0)
    look = Look(crop(0), np.ones((4, 4), dtype=np.float32), 1.0)
    numbers = measure(RedAgainstGreen(), Face(row, crop(0), None), look, look, seed=1)
    assert numbers.breadth == pytest.approx(0.8, abs=0.01)
    assert math.isnan(numbers.overlap)
