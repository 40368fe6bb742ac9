"""MTCNN's cascade (Zhang et al. 2016) on batches of frames, with the networks and weights of facenet-pytorch.

The boxes are those of facenet-pytorch's own `detect_face`, bit for bit on a CPU, in about half the time: every window
is averaged from one integral image of its frame, all windows at once, and pooling takes maxima of whole arrays.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from facenet_pytorch import ONet, PNet, RNet
from facenet_pytorch.models.utils.detect_face import batched_nms_numpy, bbreg, generateBoundingBox, rerec
from torch import Tensor, nn
from torchvision.ops import batched_nms

from deepfake.faces.averaging import cut, integral, shrunk, size_of

_SMALLEST = 12  # pixels: the first network looks at 12x12 windows, and a smaller picture has none
_FACTOR = 0.709  # from one scale of the pyramid to the next
_PROPOSED, _REFINED, _ACCEPTED = 0.6, 0.7, 0.7  # probability of a face that a window needs to get through each network
_PART = 24 * 24 * 128  # pixels of the windows that go through a network at once: what they become stays in the cache

Windows = tuple[Tensor, Tensor]  # (N, 5) of x0, y0, x1, y1, probability; (N,) number of the frame


class Cascade:
    """Three networks: the first proposes windows at every scale, the second sorts out, the third places the box."""

    def __init__(self, min_face: int, device: torch.device) -> None:
        self._scale, self._device = _SMALLEST / min_face, device
        self._propose, self._refine, self._accept = (
            _with_fast_pools(network, device) for network in (PNet(), RNet(), ONet())
        )

    @torch.no_grad()
    def detect(self, frames: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Faces in frames of one size.

        Args:
            frames: uint8 RGB (H, W, 3).

        Returns:
            For each frame (N, 5), float32: x0, y0, x1, y1 in pixels and the probability of a face. Frames that are
            smaller than the smallest face have none.
        """
        if not (scales := list(self._scales(min(frames[0].shape[:2])))):
            return [np.empty((0, 5), np.float32) for _ in frames]
        sums = integral(frames).to(self._device)
        windows = self._proposals(sums, scales)
        if len(windows[0]):
            windows = self._refined(sums, windows)
        if len(windows[0]):
            windows = self._accepted(sums, windows)
        boxes, owners = windows[0].cpu().numpy(), windows[1].cpu().numpy()
        return [boxes[owners == number] for number in range(len(frames))]

    def _proposals(self, sums: Tensor, scales: Sequence[float]) -> Windows:
        found = [self._proposals_at(scale, sums) for scale in scales]
        boxes, owners = (torch.cat(each) for each in zip(*found, strict=True))
        kept = batched_nms(boxes[:, :4], boxes[:, 4], owners, 0.7)
        boxes, owners = boxes[kept], owners[kept]
        sides = boxes[:, 2:4] - boxes[:, :2]
        moved = boxes[:, :4] + boxes[:, 5:] * sides.repeat(1, 2)
        return rerec(torch.cat([moved, boxes[:, 4:5]], dim=1)), owners

    def _scales(self, shorter: int) -> Iterator[float]:
        scale, side = self._scale, shorter * self._scale
        while side >= _SMALLEST:
            yield scale
            scale, side = scale * _FACTOR, side * _FACTOR

    def _proposals_at(self, scale: float, sums: Tensor) -> Windows:
        height, width = size_of(sums)
        moves, probabilities = self._propose(_normalised(shrunk(sums, int(height * scale + 1), int(width * scale + 1))))
        boxes, owners = generateBoundingBox(moves, probabilities[:, 1], scale, _PROPOSED)
        kept = batched_nms(boxes[:, :4], boxes[:, 4], owners, 0.5)
        return boxes[kept], owners[kept]

    def _refined(self, sums: Tensor, windows: Windows) -> Windows:
        moves, probabilities = _look(self._refine, sums, windows, 24)
        boxes, owners, moves = _likely(windows, moves, probabilities[:, 1], _REFINED)
        kept = batched_nms(boxes[:, :4], boxes[:, 4], owners, 0.7)
        return rerec(bbreg(boxes[kept], moves[kept])), owners[kept]

    def _accepted(self, sums: Tensor, windows: Windows) -> Windows:
        moves, _, probabilities = _look(self._accept, sums, windows, 48)
        boxes, owners, moves = _likely(windows, moves, probabilities[:, 1], _ACCEPTED)
        boxes = bbreg(boxes, moves)
        kept = batched_nms_numpy(boxes[:, :4], boxes[:, 4], owners, 0.7, "Min")
        return boxes[kept], owners[kept]


def _normalised(pixels: Tensor) -> Tensor:
    return (pixels - 127.5) * 0.0078125


def _look(network: nn.Module, sums: Tensor, windows: Windows, side: int) -> tuple[Tensor, ...]:
    """What a network says of each window at its size; of a window outside of the frame it sees the nearest pixels."""
    boxes, owners = windows
    corners = boxes[:, :4].trunc().long()
    size = torch.tensor(size_of(sums)[::-1], device=sums.device)
    last = corners[:, 2:].clamp(min=1).minimum(size)
    first = corners[:, :2].clamp(min=1).minimum(last)
    places = torch.cat([first - 1, last], dim=1)  # facenet-pytorch counts from 1, both ends included
    parts = -(-len(boxes) * side**2 // _PART)
    said = [
        network(_normalised(cut(sums, owner, place, side)))
        for owner, place in zip(owners.tensor_split(parts), places.tensor_split(parts), strict=True)
    ]
    return tuple(torch.cat(each) for each in zip(*said, strict=True))


def _likely(windows: Windows, moves: Tensor, probabilities: Tensor, least: float) -> tuple[Tensor, Tensor, Tensor]:
    (boxes, owners), passed = windows, probabilities > least
    return torch.cat([boxes[passed, :4], probabilities[passed, None]], dim=1), owners[passed], moves[passed]


def _with_fast_pools(network: nn.Module, device: torch.device) -> nn.Module:
    if device.type == "cpu":
        for name, layer in network.named_children():
            if isinstance(layer, nn.MaxPool2d) and isinstance(layer.kernel_size, int):
                setattr(network, name, MaxPool(layer.kernel_size))
    return network.eval().to(device)


class MaxPool(nn.Module):
    """`nn.MaxPool2d` with stride 2 and `ceil_mode`, in a third of the time on a CPU: it remembers no places."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self._size = size

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) -> (B, C, ceil((H - size) / 2) + 1, the same of W)."""
        return self._along(self._along(x, 2), 3)

    def _along(self, x: Tensor, dim: int) -> Tensor:
        length = -(-(x.shape[dim] - self._size) // 2) + 1
        before = (slice(None),) * dim
        layout = torch.channels_last if x.is_contiguous(memory_format=torch.channels_last) else torch.contiguous_format
        result = x[(*before, slice(0, None, 2))].narrow(dim, 0, length).clone(memory_format=layout)
        for offset in range(1, self._size):
            part = x[(*before, slice(offset, offset + 2 * length, 2))]  # the last window may have no such row
            covered = result.narrow(dim, 0, part.shape[dim])
            torch.maximum(covered, part, out=covered)
        return result
