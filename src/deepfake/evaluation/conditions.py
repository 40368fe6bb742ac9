"""Under which conditions a model is scored: a name, and what happens to a clip before the model sees it."""

from collections.abc import Callable, Iterable, Sequence
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

    def after(self, attack: str) -> str:
        """Name of this condition where an attack came before it: `pgd`, `pgd_jpeg50`."""
        return attack if self.name == CLEAN.name else f"{attack}_{self.name}"


CLEAN = Condition("clean", lambda clip: clip)


def compressed_conditions(params: EvaluateParams, *, with_video: bool) -> list[Condition]:
    """Clean, then every JPEG quality, then every H.264 rate, those that follow attacks included.

    Args:
        params: qualities and rates.
        with_video: False where a dataset holds single pictures only: H.264 is then left out and not faked.
    """
    qualities = dict.fromkeys(params.jpeg_quality + params.attacked_jpeg_quality)
    rates = dict.fromkeys(params.h264_crf + params.attacked_h264_crf)
    return _conditions(qualities, rates if with_video else [])


def attacked_conditions(params: EvaluateParams, *, with_video: bool) -> list[Condition]:
    """What may follow an attack: nothing, a JPEG quality, an H.264 rate; arguments as `compressed_conditions`."""
    return _conditions(params.attacked_jpeg_quality, params.attacked_h264_crf if with_video else [])


def _conditions(qualities: Iterable[int], rates: Iterable[int]) -> list[Condition]:
    pictures = [Condition(f"jpeg{quality}", partial(_each, partial(jpeg, quality=quality))) for quality in qualities]
    videos = [Condition(f"h264_crf{crf}", partial(h264, crf=crf)) for crf in rates]
    return [CLEAN, *pictures, *videos]


def _each(change: Callable[[np.ndarray], np.ndarray], clip: Clip) -> Clip:
    return [change(frame) for frame in clip]
