"""Fitting the learned attacker: what its U-Net minimises, against a detector that stands still."""

from functools import partial
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from deepfake.attacks.ball import project
from deepfake.attacks.losses import high_frequency_power, total_variation
from deepfake.attacks.protocol import objective
from deepfake.attacks.stand_ins import smoothed_if_lossy
from deepfake.corruptions.differentiable_jpeg import differentiable_jpeg
from deepfake.crops.batches import Batch
from deepfake.modes import frozen
from deepfake.params import UnetParams
from deepfake.training.loop import Losses, Step

MARGIN = 4.0  # logits on the wrong side, beyond which a crop counts as won and its gradient fades
EVASION = 0.75  # share of crops on which a fresh attacker learns to push toward real


class Jpeg(Protocol):
    """JPEG that gradients pass through, as `differentiable_jpeg`."""

    def __call__(self, x: Tensor, *, quality: int) -> Tensor:
        """Crops (B, 3, S, S) in [0, 1] -> such crops, compressed."""
        ...


def smooth_jpeg(x: Tensor, *, quality: int) -> Tensor:
    """`differentiable_jpeg`, its gradient low-passed where the quality is harsh."""
    return smoothed_if_lossy(partial(differentiable_jpeg, quality=quality), quality)(x)


def attacker_step(detector: nn.Module, params: UnetParams, eps: float, jpeg: Jpeg) -> Step:
    """A step that fits a U-Net against a detector; its losses, and what passes through `jpeg`, as in `unet_losses`.

    A crop is pushed to either side whatever it is: what makes a fake look real can be learned on a real crop too. Most
    are pushed toward real, for evasion is the threat that counts.
    """

    def step(unet: nn.Module, batch: Batch) -> Losses:
        pushed = Batch(batch.x, (torch.rand(batch.y.shape) < EVASION).to(batch.y), batch.rows)
        return unet_losses(unet, detector, pushed, params, eps, jpeg)

    return step


def unet_losses(
    unet: nn.Module, detector: nn.Module, batch: Batch, params: UnetParams, eps: float,
    jpeg: Jpeg = differentiable_jpeg,
) -> Losses:  # fmt: skip
    """Losses of the learned attacker on a batch.

    `attack` falls as logits move to the wrong side; nothing between the U-Net and the detector stops its gradient.
    `total_variation` and `frequency` are relative to the budget and carry their weights. A share of the batches is
    compressed before the detector sees it, so that the perturbation learns to survive that; which ones is drawn from
    torch's global generator.
    """
    delta = eps * unet(batch.x, batch.y)
    x_adv = project(batch.x + delta, batch.x, eps)
    low, high = params.jpeg_quality
    quality = int(torch.randint(low, high + 1, ()))
    seen = jpeg(x_adv, quality=quality) if torch.rand(()) < params.jpeg else x_adv
    with frozen(detector):
        won = objective(detector(seen), batch.y)
    return {
        "attack": F.softplus(MARGIN - won).mean(),
        "total_variation": params.total_variation * total_variation(delta, eps),
        "frequency": params.frequency * high_frequency_power(delta, eps),
    }
