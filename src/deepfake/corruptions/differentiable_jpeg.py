"""JPEG that gradients pass through: libjpeg's arithmetic in torch, rounding passed straight through.

After Shin and Song (2017) and ITU-T T.81; agrees with libjpeg at 4:2:0 up to its integer arithmetic.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

_BLOCK = 8

# ITU-T T.81, tables K.1 (luma) and K.2 (chroma).
_LUMA = [
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
]
_CHROMA = [
    [17, 18, 24, 47, 99, 99, 99, 99],
    [18, 21, 26, 66, 99, 99, 99, 99],
    [24, 26, 56, 99, 99, 99, 99, 99],
    [47, 66, 99, 99, 99, 99, 99, 99],
    *[[99] * 8] * 4,
]
# ITU-T T.871 (JFIF): RGB -> Y, Cb, Cr and back.
_TO_YCBCR = [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
_TO_RGB = [[1.0, 0.0, 1.402], [1.0, -0.344136, -0.714136], [1.0, 1.772, 0.0]]


def differentiable_jpeg(x: Tensor, *, quality: int) -> Tensor:
    """Pictures after JPEG compression, with a gradient.

    Args:
        x: pictures (B, 3, H, W) in [0, 1].
        quality: libjpeg's quality, 1 to 100.

    Returns:
        (B, 3, H, W) in [0, 1], whole grey levels divided by 255.
    """
    height, width = x.shape[2:]
    padding = (0, -width % (2 * _BLOCK), 0, -height % (2 * _BLOCK))
    padded = F.pad(_round(255 * x), padding, mode="replicate")
    with torch.autocast(x.device.type, enabled=False):  # bf16 has no 256 grey levels
        luma, chroma = (_mix(padded, _TO_YCBCR) - _like([128.0, 0.0, 0.0], x).view(1, 3, 1, 1)).split([1, 2], dim=1)
        luma = _quantise(luma, _table(_LUMA, quality, x))
        chroma = _quantise(F.avg_pool2d(chroma, 2), _table(_CHROMA, quality, x))
        chroma = F.interpolate(
            chroma, scale_factor=2, mode="bilinear", align_corners=False
        )  # libjpeg's fancy upsampling
        rgb = _mix(torch.cat([luma + 128, chroma], dim=1), _TO_RGB)[..., :height, :width]
    return _round(rgb.clamp(0, 255)) / 255


def _quantise(plane: Tensor, table: Tensor) -> Tensor:
    batch, channels, height, width = plane.shape
    shape = (batch, channels, height // _BLOCK, _BLOCK, width // _BLOCK, _BLOCK)
    blocks = plane.reshape(shape).transpose(3, 4)
    basis = _cosines(plane)
    levels = _round(basis @ blocks @ basis.T / table)
    return (basis.T @ (levels * table) @ basis).transpose(3, 4).reshape(plane.shape)


def _cosines(like: Tensor) -> Tensor:
    """The orthonormal 8-point DCT-II."""
    places = torch.arange(_BLOCK, device=like.device, dtype=like.dtype)
    rows = torch.cos((2 * places + 1) * places[:, None] * math.pi / (2 * _BLOCK)) / 2
    rows[0] /= 2**0.5
    return rows


def _table(base: list[list[int]], quality: int, like: Tensor) -> Tensor:
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return ((_like(base, like) * scale + 50) / 100).floor().clamp(1, 255)


def _mix(x: Tensor, matrix: list[list[float]]) -> Tensor:
    return torch.einsum("oc,bchw->bohw", _like(matrix, x), x)


def _like(values: object, x: Tensor) -> Tensor:
    return torch.tensor(values, device=x.device, dtype=x.dtype)


def _round(x: Tensor) -> Tensor:
    return x + (x.round() - x).detach()
