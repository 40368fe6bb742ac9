"""What shapes a learned perturbation: its roughness and its spectrum, both relative to the budget.

Relative, because a weight must mean the same at every budget: in [0, 1] pixels a perturbation of 8/255 has a total
variation of some hundredths and a power of a thousandth, and any fixed weight would be numerically nothing.
"""

import torch
from torch import Tensor


def total_variation(delta: Tensor, eps: float) -> Tensor:
    """Roughness of perturbations: mean absolute step between neighbouring pixels, divided by the budget.

    Anisotropic form of Rudin, Osher and Fatemi (1992).

    Args:
        delta: perturbations (B, 3, S, S), within [-eps, eps].
        eps: budget.

    Returns:
        A scalar in [0, 2]; 0 for a constant perturbation, 2 for a checkerboard of full budget.
    """
    down = (delta[..., 1:, :] - delta[..., :-1, :]).abs().mean()
    right = (delta[..., :, 1:] - delta[..., :, :-1]).abs().mean()
    return (down + right) / (2 * eps)


def high_frequency_power(delta: Tensor, eps: float) -> Tensor:
    """Power of perturbations weighted by their frequency: what makes them look like noise and not like a picture.

    Pictures have most of their power at low frequencies (Field 1987).

    Args:
        delta: perturbations (B, 3, S, S), within [-eps, eps].
        eps: budget.

    Returns:
        A scalar in [0, 1]; 0 for a constant perturbation, 1 for a checkerboard of full budget.
    """
    spectrum = torch.fft.fft2(delta.float() / eps, norm="forward").abs().square()
    return (spectrum * radial_frequency(delta)).sum(dim=(-2, -1)).mean()


def radial_frequency(like: Tensor) -> Tensor:
    """Distance (S, S) of each bin of a 2-D spectrum of `like` (..., S, S) from zero, 1 at the highest frequency."""
    rows = torch.fft.fftfreq(like.shape[-2], device=like.device)
    columns = torch.fft.fftfreq(like.shape[-1], device=like.device)
    return torch.hypot(rows[:, None], columns[None, :]) * 2**0.5
