"""A person without a video, and judges without a network."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from deepfake.records import Box, Calibration, CropRow, Detection, FaceBox, FrameScore
from deepfake.scoring.judging import Judge
from deepfake.scoring.people import Person

CALIBRATION = Calibration(frame_threshold=2.0, video_threshold=1.0, temperature=2.0)


def portrait(seed: int = 0, size: int = 64) -> np.ndarray:
    """A colourful crop with detail of every scale."""
    noise = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    coarse = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 6), None, 0, 160, cv2.NORM_MINMAX)
    return coarse + noise // 4


def person(*, side: float = 100.0, crops: Sequence[np.ndarray] = (), found: int = 4, clips: int = 1) -> Person:
    """Somebody in clips of four frames, in so many of which the face was really found."""
    box, frames = Box(10, 10, 10 + 0.8 * side, 10 + side), range(4 * clips)
    return Person(
        track={frame: Detection(box, 0.99) for frame in frames[:found]},
        boxes=tuple(FaceBox("", frame // 4, frame, *box, 0.99) for frame in frames),
        rows=tuple(CropRow("a.mp4", frame // 4, frame, 0, frame, 8, 8, 56, 56) for frame in frames),
        crops=np.stack(crops or [portrait(frame) for frame in frames]),
    )


def judge(score: Callable[[np.ndarray], float], *, name: str = "robust") -> Judge:
    """A judge that finds this in a crop."""

    def score_all(rows: Sequence[CropRow], crops: np.ndarray) -> list[FrameScore]:
        return [
            FrameScore("clean", row.video, row.clip, row.frame, score(crop))
            for row, crop in zip(rows, crops, strict=True)
        ]

    return Judge(name, CALIBRATION, score_all)
