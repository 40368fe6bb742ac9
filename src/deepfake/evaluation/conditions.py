"""Under which conditions a model is scored: a name, and what happens to a clip before the model sees it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from torch import Tensor

from deepfake.attacks.stand_ins import Codec, smoothed, smoothed_if_lossy, straight_through
from deepfake.corruptions.differentiable_jpeg import differentiable_jpeg
from deepfake.corruptions.h264 import h264, h264_batch
from deepfake.corruptions.jpeg import jpeg
from deepfake.params import EvaluateParams

Clip = Sequence[np.ndarray]


@dataclass(frozen=True)
class Condition:
    """A condition that scores are made under.

    Attributes:
        name: as it stands in score tables and metrics.
        corrupt: clip -> clip, uint8 RGB (S, S, 3) frames.
        stand_ins: what an attacker who knows of it puts in its place, each with a gradient.
        whole_clips: whether the stand-ins take all that they are given for one clip.
    """

    name: str
    corrupt: Callable[[Clip], Clip]
    stand_ins: tuple[Codec, ...] = ()
    whole_clips: bool = False

    def after(self, attack: str) -> str:
        """Name of this condition where an attack came before it: `pgd`, `pgd_jpeg50`."""
        return attack if self.name == CLEAN.name else f"{attack}_{self.name}"


CLEAN = Condition("clean", lambda clip: clip)


def compressed_conditions(params: EvaluateParams, *, with_video: bool) -> list[Condition]:
    """Clean, then every JPEG quality, then every H.264 rate, those that follow attacks included.

    Args:
        params: qualities and rates.
        with_video: False where a dataset holds single frames only: H.264 is then left out and not faked.
    """
    qualities = params.jpeg_quality + params.attacked_jpeg_quality
    rates = params.h264_crf + params.attacked_h264_crf
    return _conditions(qualities, rates if with_video else [])


def attacked_conditions(params: EvaluateParams, *, with_video: bool) -> list[Condition]:
    """What may follow an attack: nothing, a JPEG quality, an H.264 rate; arguments as `compressed_conditions`."""
    return _conditions(params.attacked_jpeg_quality, params.attacked_h264_crf if with_video else [])


def _conditions(qualities: Iterable[int], rates: Iterable[int]) -> list[Condition]:
    return [CLEAN, *map(_jpeg, dict.fromkeys(qualities)), *map(_h264, dict.fromkeys(rates))]


def _jpeg(quality: int) -> Condition:
    """JPEG; an attacker who knows its quality has no need to average over others."""
    stand_in = smoothed_if_lossy(partial(differentiable_jpeg, quality=quality), quality)
    return Condition(f"jpeg{quality}", partial(_each, partial(jpeg, quality=quality)), (stand_in,))


def _h264(crf: int) -> Condition:
    """H.264; an attacker runs the encoder itself, with the gradient of the identity, smoothed (BPDA)."""

    def encode(x: Tensor) -> Tensor:
        return h264_batch(x, [len(x)], crf=crf)

    return Condition(f"h264_crf{crf}", partial(h264, crf=crf), (smoothed(straight_through(encode)),), whole_clips=True)


def _each(change: Callable[[np.ndarray], np.ndarray], clip: Clip) -> Clip:
    return [change(frame) for frame in clip]
