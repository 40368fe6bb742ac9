"""The loss of undisturbed training."""

from torch import Tensor, nn
from torch.nn import functional as F

from deepfake.crops.batches import Batch
from deepfake.training.loop import Step


def clean_step(label_smoothing: float) -> Step:
    """A step whose one loss is binary cross-entropy on clean crops.

    Args:
        label_smoothing: targets are this far from 0 and 1.
    """

    def step(model: nn.Module, batch: Batch) -> dict[str, Tensor]:
        target = label_smoothing + (1 - 2 * label_smoothing) * batch.y
        return {"clean": F.binary_cross_entropy_with_logits(model(batch.x).float(), target)}

    return step
