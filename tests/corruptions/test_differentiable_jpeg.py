"""The JPEG with a gradient against libjpeg."""

import cv2
import numpy as np
import pytest
import torch

from deepfake.corruptions.differentiable_jpeg import differentiable_jpeg
from deepfake.corruptions.jpeg import jpeg


@pytest.fixture
def picture() -> np.ndarray:
    """Blobs, edges and some noise; its sides are no multiples of a block."""
    rng = np.random.default_rng(0)
    canvas = cv2.resize(rng.integers(0, 256, (6, 7, 3), dtype=np.uint8), (90, 84), interpolation=cv2.INTER_CUBIC)
    cv2.circle(canvas, (40, 40), 20, (230, 180, 160), -1)
    return np.clip(canvas + rng.normal(0, 4, canvas.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("quality", [30, 40, 50, 70, 80, 90, 95])
def test_it_agrees_with_libjpeg(picture: np.ndarray, quality: int) -> None:
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255
    mine = 255 * differentiable_jpeg(x, quality=quality)[0].permute(1, 2, 0).numpy()
    assert np.abs(mine - mine.round()).max() < 1e-3
    error = np.mean((mine - jpeg(picture, quality=quality).astype(float)) ** 2)
    assert 10 * np.log10(255**2 / error) >= 35


@pytest.mark.parametrize("quality", [30, 95])
def test_its_gradient_is_finite_and_reaches_nearly_every_pixel(picture: np.ndarray, quality: int) -> None:
    x = (torch.from_numpy(picture).permute(2, 0, 1)[None].float() / 255).requires_grad_()
    weights = torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    (differentiable_jpeg(x, quality=quality) * weights).sum().backward()
    assert x.grad is not None
    assert torch.isfinite(x.grad).all()
    assert (x.grad != 0).float().mean() > 0.95
