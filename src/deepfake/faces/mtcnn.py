"""Face detection by MTCNN (Zhang et al. 2016): frames -> detections."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch

from deepfake.faces.cascade import Cascade
from deepfake.params import FacesParams
from deepfake.records import Box, Detection


class FaceFinder:
    """MTCNN on one device; finds every face of every frame."""

    def __init__(self, params: FacesParams, device: torch.device) -> None:
        self._params = params
        self._cascade = Cascade(params.min_face, device)

    def find(self, frames: Sequence[np.ndarray]) -> list[list[Detection]]:
        """Faces in frames of one size, each frame's most probable first.

        Args:
            frames: uint8 RGB (H, W, 3), as `shrink` gives them.

        Returns:
            For each frame its detections, with boxes in pixels of the frames given; an empty list for no face.
        """
        return [self._detections(faces) for faces in self._cascade.detect(frames)]

    def _detections(self, faces: np.ndarray) -> list[Detection]:
        found = [Detection(Box(*map(float, box)), float(probability)) for *box, probability in faces]
        kept = [detection for detection in found if detection.probability >= self._params.min_probability]
        return sorted(kept, key=lambda detection: (-detection.probability, -detection.box.area))


def shrink(frame: np.ndarray, max_side: int) -> tuple[np.ndarray, float]:
    """A frame with its longer side at most `max_side`, and the factor that leads back to its own pixels."""
    height, width = frame.shape[:2]
    factor = max(height, width) / max_side
    if factor <= 1:
        return frame, 1.0
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA), factor
