"""What stands in a codec's place: its output, and a gradient that is of use to an attacker."""

from functools import partial

import pytest
import torch
from torch import Tensor
from toy_detectors import draw_crops

from deepfake.attacks.stand_ins import smoothed, smoothed_if_lossy, straight_through
from deepfake.corruptions.differentiable_jpeg import differentiable_jpeg
from deepfake.training.attacker import smooth_jpeg


def test_straight_through_is_the_codec_forward_and_the_identity_backward() -> None:
    x, _ = draw_crops(4, seed=7)
    point, weights = x.clone().requires_grad_(), torch.randn(x.shape, generator=torch.Generator().manual_seed(0))
    seen = straight_through(torch.round)(point)
    (seen * weights).sum().backward()
    assert torch.allclose(seen, x.round(), atol=1e-6)
    assert point.grad is not None
    assert torch.equal(point.grad, weights)


def test_smoothing_leaves_the_codec_and_damps_what_is_fine_in_its_gradient_chroma_more_than_luma() -> None:
    x, _ = draw_crops(1, seed=7)
    assert torch.allclose(smoothed(torch.round)(x), x.round(), atol=1e-6)
    luma, chroma = torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1), torch.tensor([1.0, -1.0, 0.0]).view(3, 1, 1)
    even, stripes = torch.ones(64, 64), torch.cos(torch.arange(64) * 2 * torch.pi / 8).expand(64, 64)
    grid = 1 - 2 * ((torch.arange(64)[:, None] + torch.arange(64)) % 2).float()
    assert share_left(luma * even) == pytest.approx(1, abs=1e-5)
    assert share_left(chroma * even) == pytest.approx(1, abs=1e-5)
    assert share_left(luma * stripes) == pytest.approx(0.82, abs=0.01)
    assert share_left(chroma * stripes) < 0.4
    assert share_left(luma * grid) < 0.1


@pytest.mark.parametrize(("quality", "is_smoothed"), [(30, True), (80, True), (81, False), (95, False)])
def test_a_harsh_jpeg_is_smoothed_and_a_mild_one_keeps_its_gradient(quality: int, is_smoothed: bool) -> None:
    x, _ = draw_crops(2, seed=7)
    plain = partial(differentiable_jpeg, quality=quality)
    wanted = smoothed(plain) if is_smoothed else plain
    for found in (smoothed_if_lossy(plain, quality), partial(smooth_jpeg, quality=quality)):
        gradients: list[Tensor] = []
        for codec in (found, wanted):
            point = x.clone().requires_grad_()
            (codec(point) ** 2).sum().backward()
            assert point.grad is not None
            gradients.append(point.grad)
        assert torch.equal(*gradients)
        assert torch.allclose(found(x), plain(x), atol=1e-6)


def share_left(gradient: Tensor) -> float:
    """Of the norm of a gradient (3, S, S) that a smoothed codec hands back, away from the border."""
    point = torch.rand(1, *gradient.shape).requires_grad_()
    (smoothed(torch.clone)(point) * gradient).sum().backward()
    assert point.grad is not None
    inside = (..., slice(8, -8), slice(8, -8))
    return float(point.grad[inside].norm() / gradient[inside].norm())
