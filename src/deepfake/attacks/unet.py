"""A tiny U-Net that draws perturbations (Ronneberger et al. 2015; as an attacker: Poursaeed et al. 2018)."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

_LEVELS = 3
SOFT, HARD = 2.0, 8.0  # gain of the tanh while the U-Net is fitted, and when it attacks


class PerturbationUNet(nn.Module):
    """Crops and labels -> perturbations; one set of output channels for fakes and one for reals.

    Its finest level holds 2 × 2 pixels in the channels of one (Shi et al. 2016): a quarter of the cost, and no detail
    lost. What it draws is scaled to one RMS before the tanh, so that it spends the budget from the first step on and
    yet keeps a gradient while it is fitted (without that, nine tenths of it saturated within two epochs). When it
    attacks it has no need of a gradient, and spends more.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(_LEVELS)]
        self.down = nn.ModuleList(_block(low, high) for low, high in zip([12, *widths], widths, strict=False))
        self.up = nn.ModuleList(_block(low + high, low) for low, high in pairwise(widths))
        self.out = nn.Conv2d(width, 24, kernel_size=1)

    def forward(self, x: Tensor, y: Tensor, *, gain: float = SOFT) -> Tensor:
        """Perturbations (B, 3, S, S) in [-1, 1], in units of the budget.

        Args:
            x: crops (B, 3, S, S) in [0, 1], S even.
            y: labels (B,), 1 for fake.
            gain: of the tanh; the larger, the more of the budget is spent.
        """
        features, skips = F.pixel_unshuffle(2 * x - 1, 2), []
        for level, block in enumerate(self.down):
            features = block(F.avg_pool2d(features, 2, ceil_mode=True) if level else features)
            skips.append(features)
        for block, skip in zip(reversed(self.up), reversed(skips[:-1]), strict=True):
            grown = F.interpolate(features, size=skip.shape[2:], mode="bilinear", align_corners=False)
            features = block(torch.cat([skip, grown], dim=1))
        against_real, against_fake = F.pixel_shuffle(self.out(features), 2).chunk(2, dim=1)
        drawn = torch.where(y.view(-1, 1, 1, 1) > 0.5, against_fake, against_real)
        return (gain * F.rms_norm(drawn, drawn.shape[1:])).tanh()


def _block(channels_in: int, channels_out: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1),
        nn.GroupNorm(4, channels_out),  # not BatchNorm: a crop's perturbation must not depend on its neighbours
        nn.SiLU(),
        nn.Conv2d(channels_out, channels_out, kernel_size=3, padding=1),
        nn.SiLU(),
    )
