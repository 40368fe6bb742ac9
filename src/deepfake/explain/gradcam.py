"""Grad-CAM: where a detector sees evidence (Selvaraju et al. 2017).

The detector is cut in two at its last convolutional map, so that the gradient is asked for there and nowhere else:
no hook is placed, no parameter receives a gradient, and nothing has to be cleared away.
"""

from typing import Protocol, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deepfake.modes import frozen


class CutDetector(Protocol):
    """A detector in two halves: `forward_head(forward_features(x))` is its logit."""

    def forward_features(self, x: Tensor) -> Tensor:
        """Feature map (B, C, h, w) of crops (B, 3, S, S)."""

    def forward_head(self, features: Tensor) -> Tensor:
        """Logits (B,) of feature maps (B, C, h, w)."""


def gradcam(model: nn.Module, x: Tensor, *, sign: int = 1, rectify: bool = True) -> tuple[Tensor, Tensor]:
    """Maps of the evidence for a class, and the logits.

    Args:
        model: a CutDetector; it is frozen and in eval mode meanwhile and afterwards as it was.
        x: crops (B, 3, S, S) in [0, 1].
        sign: 1 for evidence of fake (the target is the logit), -1 for evidence of real.
        rectify: cut the maps at 0, as the paper does; without it evidence against the class is negative.

    Returns:
        Maps (B, h, w) at the resolution of the features, not normalised, so that maps of one detector can be
        compared; and logits (B,).
    """
    detector = cast(CutDetector, model)
    with frozen(model):
        with torch.no_grad():
            features = detector.forward_features(x)
        features = features.detach().requires_grad_()
        with torch.enable_grad():
            logits = detector.forward_head(features)
            (gradient,) = torch.autograd.grad(sign * logits.sum(), features)
    weights = gradient.mean(dim=(2, 3), keepdim=True)  # Eq. 1
    maps = (weights * features.detach()).sum(dim=1)  # Eq. 2, before its ReLU
    return maps.relu() if rectify else maps, logits.detach()


def upsample(relevance: np.ndarray, size: int) -> np.ndarray:
    """A map (h, w) at the size of the crop (S, S), bilinear."""
    tensor = torch.from_numpy(relevance)[None, None]
    return F.interpolate(tensor, size=(size, size), mode="bilinear", align_corners=False)[0, 0].numpy()
