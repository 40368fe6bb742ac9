"""Pictures and windows of them at another size, by averaging; all of them at once, from integral images."""

from collections.abc import Iterable

import cv2
import numpy as np
import torch
from torch import Tensor


def integral(pictures: Iterable[np.ndarray]) -> Tensor:
    """Sums over all that is above and to the left, of pictures of one size.

    Args:
        pictures: uint8 (H, W, 3).

    Returns:
        int32 (B, H + 1, W + 1, 3). Large pictures run over in 32 bits; differences, which are sums over a window, are
        right all the same.
    """
    return torch.from_numpy(np.stack([cv2.integral(picture) for picture in pictures]))


def size_of(sums: Tensor) -> tuple[int, int]:
    """Height and width of the pictures whose integral images these are."""
    return sums.shape[1] - 1, sums.shape[2] - 1


def shrunk(sums: Tensor, height: int, width: int) -> Tensor:
    """Whole pictures of another size by averaging, as `interpolate(mode="area")` does.

    Args:
        sums: integral images, int32 (B, H + 1, W + 1, 3).
        height, width: of the result.

    Returns:
        float32 (B, 3, height, width) in [0, 255], channels-last.
    """
    (top, bottom), (left, right) = (
        _edges(torch.tensor(size, device=sums.device), parts)
        for size, parts in zip(size_of(sums), (height, width), strict=True)
    )
    bands = sums.index_select(1, bottom) - sums.index_select(1, top)
    cells = bands.index_select(2, right) - bands.index_select(2, left)
    return (cells.float() / (bottom - top)[:, None, None] / (right - left)[:, None]).permute(0, 3, 1, 2)


def cut(sums: Tensor, owners: Tensor, boxes: Tensor, side: int) -> Tensor:
    """Windows of pictures at one size, by averaging.

    Args:
        sums: integral images, int32 (B, H + 1, W + 1, 3).
        owners: (N,), number of the picture of each window.
        boxes: int64 (N, 4) of x0, y0, x1, y1, within the pictures and not empty.
        side: of the result.

    Returns:
        float32 (N, 3, side, side) in [0, 255].
    """
    first, length = boxes[:, :2, None], (boxes[:, 2:] - boxes[:, :2])[:, :, None]
    start, end = (first + edge for edge in _edges(length, side))
    (left, top), (right, bottom) = start.unbind(1), end.unbind(1)
    _, rows, columns, _ = sums.shape
    pixels = sums.view(-1, 3)

    def corner(y: Tensor, x: Tensor) -> Tensor:
        places = (owners[:, None] * rows + y)[:, :, None] * columns + x[:, None]
        return pixels[places.view(-1)].view(len(owners), side, side, 3)

    cells = corner(bottom, right) - corner(top, right) - corner(bottom, left) + corner(top, left)
    means = cells.float() / (bottom - top)[:, :, None, None] / (right - left)[:, None, :, None]
    return means.permute(0, 3, 1, 2).contiguous()


def _edges(length: Tensor, parts: int) -> tuple[Tensor, Tensor]:
    """Where the parts of a length begin and end, in whole pixels; neighbours may share one."""
    number = torch.arange(parts, device=length.device)
    return number * length // parts, ((number + 1) * length + parts - 1) // parts
