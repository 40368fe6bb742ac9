"""The detector: normalisation, an EfficientNet's feature map, a small Vision Transformer, one logit.

A convolutional stem in front of a transformer learns from few pictures (Xiao et al. 2021); forgery cues are local
texture and global consistency, which is what the two halves are good at.
"""

from pathlib import Path

import torch
from timm.data import IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD
from torch import Tensor, nn

from deepfake.detector.backbone import Backbone, load_backbone_weights
from deepfake.detector.vit_head import ViTHead
from deepfake.params import DetectorParams


class HybridDetector(nn.Module):
    """Crops in [0, 1] -> logits; positive means fake.

    Normalisation is the first layer, so that a perturbation budget means the same everywhere. `forward_features`
    and `forward_head` are public: Grad-CAM and feature losses cut there.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, params: DetectorParams) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(IMAGENET_DEFAULT_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(IMAGENET_DEFAULT_STD).view(1, 3, 1, 1), persistent=False)
        self.backbone = Backbone(params.backbone, params.stride, pretrained=params.pretrained)
        if params.weights:
            load_backbone_weights(self.backbone, Path(params.weights))
        self.head = ViTHead(
            self.backbone.channels, dim=params.dim, depth=params.depth, heads=params.heads, dropout=params.dropout
        )

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B,) of crops (B, 3, S, S) in [0, 1]."""
        return self.forward_head(self.forward_features(x))

    def forward_features(self, x: Tensor) -> Tensor:
        """Feature map (B, C, h, w) of crops (B, 3, S, S) in [0, 1]."""
        return self.backbone((x - self.mean) / self.std)

    def forward_head(self, features: Tensor) -> Tensor:
        """Logits (B,) of feature maps (B, C, h, w)."""
        return self.head(features)
