"""How far an attack moved a crop, and in what way."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from deepfake.attacks.losses import radial_frequency

LOW_FREQUENCY = 0.25  # of the Nyquist frequency
_WINDOW, _SIGMA = 11, 1.5  # Wang et al. (2004)


@dataclass(frozen=True)
class Measures:
    """Sizes of perturbations, each (B,).

    Attributes:
        linf: largest change of a channel, in [0, 1].
        l2: Euclidean length of the change.
        psnr: peak signal-to-noise ratio in dB; 100 where nothing changed.
        ssim: mean structural similarity of the luma, at most 1.
        total_variation: mean absolute step between neighbouring pixels of the change, relative to the budget.
        low_frequency: share of the change's power below a quarter of the Nyquist frequency; 1 where nothing changed.
    """

    linf: Tensor
    l2: Tensor
    psnr: Tensor
    ssim: Tensor
    total_variation: Tensor
    low_frequency: Tensor


def measure(x_adv: Tensor, x: Tensor, eps: float) -> Measures:
    """Measures of attacked crops against clean ones, both (B, 3, S, S) in [0, 1]."""
    delta = x_adv - x
    flat = delta.flatten(1)
    steps = [(delta[..., 1:, :] - delta[..., :-1, :]).abs(), (delta[..., :, 1:] - delta[..., :, :-1]).abs()]
    power = torch.fft.fft2(delta, norm="ortho").abs().square().sum(dim=1)
    low = radial_frequency(delta) <= LOW_FREQUENCY / 2**0.5  # radial 1 is the corner: sqrt(2) times Nyquist
    total = power.sum(dim=(1, 2))
    return Measures(
        linf=flat.abs().amax(dim=1),
        l2=flat.norm(dim=1),
        psnr=(-10 * flat.square().mean(dim=1).clamp_min(1e-10).log10()),
        ssim=structural_similarity(x_adv, x),
        total_variation=torch.stack([step.flatten(1).mean(dim=1) for step in steps]).mean(dim=0) / eps,
        low_frequency=torch.where(total > 0, (power * low).sum(dim=(1, 2)) / total.clamp_min(1e-12), 1.0),
    )


def structural_similarity(a: Tensor, b: Tensor) -> Tensor:
    """Mean SSIM (B,) of the luma of crops (B, 3, S, S) in [0, 1] (Wang et al. 2004, Gaussian window)."""
    weights = torch.tensor([0.299, 0.587, 0.114], device=a.device).view(1, 3, 1, 1)  # ITU-R BT.601
    a, b = (a * weights).sum(1, keepdim=True), (b * weights).sum(1, keepdim=True)
    offsets = torch.arange(_WINDOW, device=a.device) - _WINDOW // 2
    bell = torch.exp(-(offsets.float() ** 2) / (2 * _SIGMA**2))
    bell = bell / bell.sum()
    window = (bell[:, None] * bell[None, :])[None, None]
    mean_a, mean_b = F.conv2d(a, window), F.conv2d(b, window)
    var_a, var_b = F.conv2d(a * a, window) - mean_a**2, F.conv2d(b * b, window) - mean_b**2
    covariance = F.conv2d(a * b, window) - mean_a * mean_b
    c1, c2 = 0.01**2, 0.03**2
    similarity = (2 * mean_a * mean_b + c1) * (2 * covariance + c2)
    return (similarity / ((mean_a**2 + mean_b**2 + c1) * (var_a + var_b + c2))).mean(dim=(1, 2, 3))
