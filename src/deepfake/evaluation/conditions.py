"""Under which conditions a model is scored: a name, and what happens to a clip before the model sees it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from deepfake.corruptions.h264 import h264
from deepfake.corruptions.jpeg import jpeg
from deepfake.params import EvaluateParams

Clip = Sequence[np.ndarray]


@dataclass(frozen=True)
class Condition:
    """A condition that scores are made under.

    Attributes:
        name: as it stands in score tables and metrics.
        corrupt: clip -> clip, uint8 RGB (S, S, 3) frames.
    """

    name: str
    corrupt: Callable[[Clip], Clip]


CLEAN = Condition("clean", lambda clip: clip)


def compressed_conditions(params: EvaluateParams, *, with_video: bool) -> list[Condition]:
    """Clean, then every JPEG quality, then every H.264 rate.

    Args:
        params: qualities and rates.
        with_video: False where a dataset holds single pictures only: H.264 is then left out and not faked.
    """
    pictures = [
        Condition(f"jpeg{quality}", partial(_each, partial(jpeg, quality=quality))) for quality in params.jpeg_quality
    ]
    videos = [Condition(f"h264_crf{crf}", partial(h264, crf=crf)) for crf in params.h264_crf]
    return [CLEAN, *pictures, *(videos if with_video else [])]


def _each(change: Callable[[np.ndarray], np.ndarray], clip: Clip) -> Clip:
    return [change(frame) for frame in clip]
