"""The budget: an L-infinity ball around the clean crop, cut by the [0, 1] cube."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_ROUNDING = 1e-3  # of a grey level: 7.99998 is 8 levels, written in float32


def project(x_adv: Tensor, x: Tensor, eps: float | Tensor) -> Tensor:
    """The nearest crops to `x_adv` within `eps` of the *clean* crops `x` and within [0, 1], all (B, 3, S, S).

    A budget (B, 1, 1, 1) for each crop is one, too.
    """
    return torch.minimum(torch.maximum(x_adv, x - eps), x + eps).clamp(0, 1)


def uniform_noise(x: Tensor, eps: float, seeds: Sequence[int]) -> Tensor:
    """Noise like `x` (B, 3, S, S), uniform in [-eps, eps]; a row's noise is a function of its seed."""
    rows = [torch.rand(x.shape[1:], generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return (2 * torch.stack(rows) - 1).to(x.device) * eps


def random_point(x: Tensor, eps: float, seeds: Sequence[int]) -> Tensor:
    """A point of the ball around each of the clean crops `x` (B, 3, S, S), with the noise of `uniform_noise`."""
    return project(x + uniform_noise(x, eps, seeds), x, eps)


def to_uint8(x_adv: Tensor, x: Tensor) -> np.ndarray:
    """Attacked crops as pictures: rounded toward the clean crop, so that no pixel leaves the ball.

    Args:
        x_adv: attacked crops (B, 3, S, S) in [0, 1].
        x: clean crops (B, 3, S, S), whole grey levels divided by 255.

    Returns:
        uint8 RGB (B, S, S, 3).
    """
    clean = (255 * x).round()
    change = 255 * x_adv - clean
    levels = clean + torch.trunc(change + _ROUNDING * change.sign())
    return levels.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
