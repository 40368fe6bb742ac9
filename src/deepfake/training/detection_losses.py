"""What a detector minimises: its loss on clean crops, and on what adversaries made of them."""

from torch import Tensor, nn
from torch.nn import functional as F

from deepfake.crops.batches import Batch
from deepfake.params import RobustParams
from deepfake.training.loop import Losses, Step


def clean_step(label_smoothing: float) -> Step:
    """A step whose one loss is `detection_loss` on clean crops."""

    def step(model: nn.Module, batch: Batch) -> Losses:
        return {"clean": detection_loss(model(batch.x), batch.y, label_smoothing)}

    return step


def adversarial_losses(logits: dict[str, Tensor], y: Tensor, params: RobustParams) -> Losses:
    """Weighted losses by what was met: the `clean` crops (B,), PGD's (B,), the `unet`'s of the first ones (<= B,)."""
    smoothing = params.label_smoothing
    losses = {"clean": params.clean_weight * detection_loss(logits["clean"], y, smoothing)}
    if "pgd" in logits:
        trades = params.pgd_loss == "trades"
        loss = divergence(logits["clean"], logits["pgd"]) if trades else detection_loss(logits["pgd"], y, smoothing)
        losses["pgd"] = params.pgd_weight * loss
    if "unet" in logits:
        attacked = y[: len(logits["unet"])]
        losses["unet"] = params.unet_weight * detection_loss(logits["unet"], attacked, smoothing)
    return losses


def detection_loss(logits: Tensor, y: Tensor, label_smoothing: float) -> Tensor:
    """Mean binary cross-entropy, in nats, of logits (B,) with targets `label_smoothing` away from labels (B,)."""
    target = label_smoothing + (1 - 2 * label_smoothing) * y
    return F.binary_cross_entropy_with_logits(logits.float(), target)


def divergence(logits: Tensor, other: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence, in nats, of what `other` predicts from what `logits` predict, both (B,)."""
    p = logits.float().sigmoid()
    cross = F.binary_cross_entropy_with_logits(other.float(), p)
    return cross - F.binary_cross_entropy_with_logits(logits.float(), p)
