"""Closed forms of what shapes and what measures a perturbation."""

import numpy as np
import pytest
import torch

from deepfake.attacks.losses import high_frequency_power, total_variation
from deepfake.attacks.measures import measure, structural_similarity

EPS = 8 / 255
CHECKER = 1 - 2 * ((torch.arange(16)[:, None] + torch.arange(16)) % 2).float().expand(2, 3, 16, 16)


@pytest.mark.parametrize("eps", [EPS, 1 / 255])
def test_a_constant_is_smooth_and_a_checkerboard_of_full_budget_is_as_rough_as_can_be(eps: float) -> None:
    constant = torch.full((2, 3, 16, 16), eps)
    assert total_variation(constant, eps).item() == 0
    assert high_frequency_power(constant, eps).item() == pytest.approx(0, abs=1e-6)
    assert total_variation(eps * CHECKER, eps).item() == pytest.approx(2)
    assert high_frequency_power(eps * CHECKER, eps).item() == pytest.approx(1, abs=1e-5)


def test_the_power_of_a_wave_is_weighted_by_its_frequency() -> None:
    wave = torch.cos(2 * torch.pi * 2 * torch.arange(16) / 16).expand(1, 3, 16, 16) * EPS
    radial = (2 / 16) * 2**0.5
    assert high_frequency_power(wave, EPS).item() == pytest.approx(0.5 * radial, rel=1e-4)  # a cosine's power is 1/2


def test_both_have_a_gradient() -> None:
    delta = (EPS * torch.randn(2, 3, 16, 16)).requires_grad_()
    (total_variation(delta, EPS) + high_frequency_power(delta, EPS)).backward()
    assert delta.grad is not None
    assert delta.grad.abs().min() > 0


def test_measures_of_known_perturbations() -> None:
    x = torch.full((2, 3, 16, 16), 0.5)
    constant = measure(x + EPS, x, EPS)
    assert constant.linf.tolist() == pytest.approx([EPS] * 2)
    assert constant.l2.tolist() == pytest.approx([EPS * np.sqrt(3 * 256)] * 2, rel=1e-4)
    assert constant.psnr.tolist() == pytest.approx([-20 * np.log10(EPS)] * 2, rel=1e-4)
    assert constant.low_frequency.tolist() == pytest.approx([1, 1])
    checker = measure(x + EPS * CHECKER, x, EPS)
    assert checker.low_frequency.tolist() == pytest.approx([0, 0], abs=1e-5)
    assert checker.total_variation.tolist() == pytest.approx([2, 2], rel=1e-4)
    assert measure(x, x, EPS).psnr.tolist() == [100, 100]


def test_low_frequency_ends_at_a_quarter_of_nyquist() -> None:
    x = torch.full((1, 3, 32, 32), 0.5)
    waves = {k: torch.cos(2 * torch.pi * k * torch.arange(32) / 32).expand(1, 3, 32, 32) * EPS for k in (4, 5)}
    assert measure(x + waves[4], x, EPS).low_frequency.item() == pytest.approx(1, abs=1e-4)
    assert measure(x + waves[5], x, EPS).low_frequency.item() == pytest.approx(0, abs=1e-4)


def test_structural_similarity_is_one_for_the_same_picture_and_symmetric() -> None:
    a, b = torch.rand(2, 3, 32, 32), torch.rand(2, 3, 32, 32)
    assert structural_similarity(a, a).tolist() == pytest.approx([1, 1], abs=1e-4)
    assert torch.allclose(structural_similarity(a, b), structural_similarity(b, a), atol=1e-5)
    assert structural_similarity(a, b).max() < 0.2
    # For flat pictures only the luminance term is left (Wang et al. 2004, Eq. 6).
    low, high = torch.full((1, 3, 16, 16), 0.4), torch.full((1, 3, 16, 16), 0.6)
    assert structural_similarity(low, high).item() == pytest.approx((2 * 0.24 + 1e-4) / (0.16 + 0.36 + 1e-4), rel=1e-3)
