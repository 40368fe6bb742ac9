"""What a detector says of a face: its mean logit, read by its calibration, and again after compression."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

import numpy as np

from deepfake.corruptions.h264 import h264
from deepfake.corruptions.jpeg import jpeg
from deepfake.errors import CheckpointError
from deepfake.metrics.calibration import probabilities
from deepfake.records import Calibration, CropRow, FrameScore, Kind
from deepfake.scoring.people import Person

Score = Callable[[Sequence[CropRow], np.ndarray], Sequence[FrameScore]]  # rows, uint8 RGB (B, S, S, 3)
Clip = Sequence[np.ndarray]

JPEG_QUALITY, H264_CRF = 50, 23
_BATCH = 32


@dataclass(frozen=True)
class Reading:
    """A mean logit and what it means.

    Attributes:
        logit: positive means fake.
        probability: calibrated, for a face that is as likely fake as real before it is seen.
        fake: whether the logit reaches the threshold.
    """

    logit: float
    probability: float
    fake: bool


@dataclass(frozen=True)
class Opinion:
    """What one detector says of one face: as it is, and after each codec, by `jpeg50` and `h264_crf23`."""

    clean: Reading
    compressed: Mapping[str, Reading]


@dataclass(frozen=True)
class Judge:
    """A detector that gives opinions.

    Attributes:
        name: what it is called.
        calibration: how its logits are to be read.
        score: gives the logits of crops.
    """

    name: str
    calibration: Calibration
    score: Score

    def opinion(self, person: Person, kind: Kind) -> Opinion:
        """The opinion about a face in a video, or in a picture, which H.264 has nothing to do with."""
        clips = [[person.crops[index] for index in clip] for clip in person.clips]
        codecs = {name: codec for name, codec in CODECS.items() if kind == "video" or name != _H264}
        after = {name: np.array([crop for clip in clips for crop in codec(clip)]) for name, codec in codecs.items()}
        return Opinion(
            self._read(self.logits(person.rows, person.crops), kind),
            {name: self._read(self.logits(person.rows, crops), kind) for name, crops in after.items()},
        )

    def logits(self, rows: Sequence[CropRow], crops: np.ndarray) -> list[float]:
        """Logit of every crop.

        Raises:
            CheckpointError: one of them is not finite.
        """
        logits = [
            score.logit
            for first in range(0, len(crops), _BATCH)
            for score in self.score(rows[first : first + _BATCH], crops[first : first + _BATCH])
        ]
        if not all(map(math.isfinite, logits)):
            raise CheckpointError(f"{self.name}: gives a score that is not finite; its weights are damaged")
        return logits

    def threshold(self, kind: Kind) -> float:
        """The logit from which on a video, or a picture, is called fake."""
        return self.calibration.video_threshold if kind == "video" else self.calibration.frame_threshold

    def probability(self, logit: float) -> float:
        """The calibrated probability that a logit stands for."""
        return float(probabilities(logit, self.calibration.temperature))

    def _read(self, logits: Sequence[float], kind: Kind) -> Reading:
        mean = fmean(logits)
        return Reading(mean, self.probability(mean), mean >= self.threshold(kind))


def _each_as_jpeg(clip: Clip) -> Clip:
    return [jpeg(crop, quality=JPEG_QUALITY) for crop in clip]


_H264 = f"h264_crf{H264_CRF}"
CODECS: Mapping[str, Callable[[Clip], Clip]] = {
    f"jpeg{JPEG_QUALITY}": _each_as_jpeg,
    _H264: partial(h264, crf=H264_CRF),
}
