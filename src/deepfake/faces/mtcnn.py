"""Face detection by MTCNN (Zhang et al. 2016), with facenet-pytorch's weights; nothing else knows that package."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN

from deepfake.params import FacesParams
from deepfake.records import Box, Detection

_SMALLEST_PYRAMID = 12  # MTCNN's first network sees 12x12 windows; a smaller frame has none


class FaceFinder:
    """MTCNN on one device; finds every face of every frame."""

    def __init__(self, params: FacesParams, device: torch.device) -> None:
        self._params = params
        self._mtcnn = MTCNN(keep_all=True, min_face_size=params.min_face, device=device)

    def find(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """Faces in frames of one size, each frame's most probable first.

        Args:
            frames: uint8 RGB (H, W, 3), as `shrink` gives them.

        Returns:
            For each frame its detections, with boxes in pixels of the frames given; an empty list for no face.
        """
        height, width = frames[0].shape[:2]
        # The first scale of MTCNN's pyramid is 12 / min_face.
        if min(height, width) * _SMALLEST_PYRAMID / self._params.min_face < _SMALLEST_PYRAMID:
            return [[] for _ in frames]
        boxes, probabilities = self._mtcnn.detect(np.stack(frames))
        return [self._detections(b, p) for b, p in zip(boxes, probabilities, strict=True)]

    def _detections(self, boxes: np.ndarray | None, probabilities: np.ndarray) -> list[Detection]:
        if boxes is None:  # what MTCNN says instead of an empty list
            return []
        pairs = zip(boxes.tolist(), probabilities.tolist(), strict=True)
        found = [Detection(Box(*box), probability) for box, probability in pairs]
        kept = [detection for detection in found if detection.probability >= self._params.min_probability]
        return sorted(kept, key=lambda detection: -detection.probability)


def shrink(frame: np.ndarray, max_side: int) -> tuple[np.ndarray, float]:
    """A frame with its longer side at most `max_side`, and the factor that leads back to its own pixels."""
    height, width = frame.shape[:2]
    factor = max(height, width) / max_side
    if factor <= 1:
        return frame, 1.0
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA), factor
