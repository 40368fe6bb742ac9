"""The loops that a timm network alone would need: what no training or attack on it can be faster than."""

from collections.abc import Sequence

import timm
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deepfake.crops.batches import Batch
from deepfake.detector.backbone import Backbone
from deepfake.params import DetectorParams


class CutNetwork(nn.Module):
    """A timm network up to the detector's stride, and one logit from the mean of its map."""

    def __init__(self, params: DetectorParams) -> None:
        super().__init__()
        self.backbone = Backbone(params.backbone, params.stride)
        self.logit = nn.Linear(self.backbone.channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits (B, 1) of crops (B, 3, S, S)."""
        return self.logit(self.backbone(x).mean(dim=(2, 3)))


def whole_network(params: DetectorParams, device: torch.device) -> nn.Module:
    """All of the timm network of the detector, down to one logit, with random weights."""
    network: nn.Module = timm.create_model(params.backbone, num_classes=1)
    return network.to(device).to(memory_format=torch.channels_last)


def cut_network(params: DetectorParams, device: torch.device) -> nn.Module:
    """As much of it as the detector has."""
    return CutNetwork(params).to(device).to(memory_format=torch.channels_last)


def train_bare(network: nn.Module, batches: Sequence[Batch]) -> None:
    """Forward and backward of every batch; the weights stay as they are. bf16 on a GPU, as in our training."""
    network.train()
    for batch in batches:
        with torch.autocast(batch.x.device.type, torch.bfloat16, enabled=batch.x.is_cuda):
            loss = F.binary_cross_entropy_with_logits(network(batch.x).squeeze(1).float(), batch.y)
        network.zero_grad(set_to_none=True)
        loss.backward()


def attack_bare(network: nn.Module, x: Tensor, y: Tensor, eps: float, steps: int) -> Tensor:
    """PGD as textbooks have it: the last of `steps` steps from the clean crops, neither judged nor rounded."""
    network.eval().requires_grad_(False)
    x_adv = x
    for _ in range(steps):
        x_adv = x_adv.detach().requires_grad_()
        loss = F.binary_cross_entropy_with_logits(network(x_adv).squeeze(1), y)
        (gradient,) = torch.autograd.grad(loss, x_adv)
        x_adv = torch.clamp(x_adv + 2.5 / steps * eps * gradient.sign(), x - eps, x + eps).clamp(0, 1)
    return x_adv.detach()
