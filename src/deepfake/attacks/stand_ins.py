"""What stands in a codec's place for whoever attacks through it: its output, with a gradient that is of use."""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torchvision.transforms.functional import gaussian_blur

Codec = Callable[[Tensor], Tensor]
"""Crops (B, 3, S, S) in [0, 1] -> such crops, compressed."""

_BT601 = (0.299, 0.587, 0.114)  # luma of RGB
_LUMA_SIGMA, _CHROMA_SIGMA = 0.8, 2.0  # pixels; chosen on the sample's detectors behind JPEG-50 and H.264 at CRF 23
_LOSSY_QUALITY = 80  # of JPEG; with the sample's robust detector smoothing helps an attack at 70 and harms it at 90


def straight_through(codec: Codec) -> Codec:
    """A codec with the gradient of the identity: the backward pass does as if nothing were lost (BPDA)."""

    def compress(x: Tensor) -> Tensor:
        with torch.no_grad():
            change = codec(x) - x
        return x + change

    return compress


def smoothed(codec: Codec) -> Codec:
    """A codec whose gradient is low-passed, chroma more than luma.

    A codec quantises fine changes away. A gradient with rounding passed straight through does not know that; the
    identity, in H.264's place, knows no halved chroma either. So a step's sign spends budget on changes that are not
    there afterwards. (Dong et al. 2019 smooth gradients so that an attack transfers to other models.)
    """

    def compress(x: Tensor) -> Tensor:
        low = _low_pass(x)
        return codec(low + (x - low).detach())

    return compress


def smoothed_if_lossy(jpeg: Codec, quality: int) -> Codec:
    """A JPEG of that quality, `smoothed` if it loses enough for that to help."""
    return smoothed(jpeg) if quality <= _LOSSY_QUALITY else jpeg


def _low_pass(x: Tensor) -> Tensor:
    luma = (x * x.new_tensor(_BT601).view(1, 3, 1, 1)).sum(dim=1, keepdim=True)
    return _blur(luma, _LUMA_SIGMA) + _blur(x - luma, _CHROMA_SIGMA)


def _blur(x: Tensor, sigma: float) -> Tensor:
    side = 2 * math.ceil(3 * sigma) + 1
    return gaussian_blur(x, [side, side], [sigma, sigma])
