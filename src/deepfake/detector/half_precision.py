"""A detector at half its size: float16 parameters, for a file that Git can carry."""

from dataclasses import replace

import torch
from torch import Tensor

from deepfake.detector.checkpoint import Checkpoint
from deepfake.errors import CheckpointError


def to_half_precision(checkpoint: Checkpoint) -> Checkpoint:
    """The same detector with its parameters rounded to float16; `Checkpoint.build` makes a float32 network of it.

    BatchNorm's statistics stay float32: there are few of them, and a variance has a range that float16 lacks (what is
    below 6e-8 would become 0, what is above 65504 infinite). Thresholds and temperature are not fitted again.

    Raises:
        CheckpointError: a tensor is not finite, before or after rounding, or is not one of the detector's.
    """
    parameters = {name for name, _ in checkpoint.build(torch.device("cpu")).named_parameters()}
    weights = {
        name: _finite(name, tensor.half() if name in parameters else tensor)
        for name, tensor in checkpoint.weights.items()
    }
    return replace(checkpoint, weights=weights)


def _finite(name: str, tensor: Tensor) -> Tensor:
    if count := int((~torch.isfinite(tensor)).sum()):
        raise CheckpointError(f"weights: {name}: {count} of {tensor.numel()} values are not finite in {tensor.dtype}")
    return tensor
