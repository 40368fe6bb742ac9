"""Crops -> logits, clip by clip, so that a codec sees consecutive frames."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from deepfake.crops.batches import to_unit
from deepfake.crops.cutting import mask_face
from deepfake.crops.shards import CropSet
from deepfake.modes import evaluating
from deepfake.ranks import gather, share
from deepfake.records import CropRow, FrameScore
from deepfake.runtime import ahead, worker_count

Clip = Sequence[CropRow]


@dataclass(frozen=True)
class Reading:
    """How the pixels of clips are come by.

    Attributes:
        pixels: gives those of all crops of some clips, as the model is to see them, uint8 RGB (B, S, S, 3).
        is_work: whether threads do it ahead of the model. A copy from the page cache is over before a thread has taken
            it on; one from a cold disk keeps the model waiting.
    """

    pixels: Callable[[Sequence[Clip]], np.ndarray]
    is_work: bool = True


def whole_clips(crops: CropSet) -> Reading:
    """Clips as they are."""
    return Reading(lambda clips: crops.stacked(_rows(clips)), is_work=False)


def corrupted(reading: Reading, corrupt: Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]) -> Reading:
    """Clips after a codec, each by itself."""
    return Reading(lambda clips: np.stack([frame for clip in clips for frame in corrupt([*reading.pixels([clip])])]))


def masked_face(crops: CropSet) -> Reading:
    """Clips with every face greyed out: what is left can betray a leak."""
    return Reading(lambda clips: np.stack([mask_face(crops.pixels(row), row.face) for row in _rows(clips)]))


def score_clips(
    model: nn.Module, clips: Sequence[Clip], reading: Reading, *, condition: str, batch_size: int, workers: int
) -> Iterator[list[FrameScore]]:
    """Logits of every crop, a batch of clips at a time.

    Args:
        model: crops (B, 3, S, S) in [0, 1] -> logits (B,).
        clips: index rows of consecutive frames.
        reading: where their pixels come from.
        condition: name that the scores get.
        batch_size: crops at once; a clip is never torn.
        workers: threads that compress ahead of the model.
    """
    for group, pixels in read_groups(clips, reading, batch_size=batch_size, workers=workers):
        yield score_crops(model, _rows(group), pixels, condition=condition)


def validation_scores(model: nn.Module, crops: CropSet, reading: Reading, *, batch_size: int) -> list[FrameScore]:
    """Logits of every crop of a set, on every rank; each rank computes a share of them.

    Args:
        model, reading, batch_size: as for `score_clips`.
        crops: what is scored.
    """
    clips = share(crops.clips())
    batches = score_clips(model, clips, reading, condition="val", batch_size=batch_size, workers=worker_count())
    return gather(score for batch in batches for score in batch)


@torch.no_grad()
def score_crops(model: nn.Module, rows: Clip, pixels: np.ndarray, *, condition: str) -> list[FrameScore]:
    """Logits of a batch of crops, uint8 RGB (B, S, S, 3), in float32."""
    with evaluating(model):
        logits = model(to_unit(pixels, next(model.parameters()).device)).float().cpu().tolist()
    return [
        FrameScore(condition, row.video, row.clip, row.frame, round(logit, 6))
        for row, logit in zip(rows, logits, strict=True)
    ]


def read_groups(
    clips: Sequence[Clip], reading: Reading, *, batch_size: int, workers: int
) -> Iterator[tuple[list[Clip], np.ndarray]]:
    """Groups of whole clips of about `batch_size` crops, and their pixels, uint8 RGB (B, S, S, 3)."""
    groups = list(_group(clips, batch_size))
    pixels = ahead(reading.pixels, groups, workers=workers) if reading.is_work else map(reading.pixels, groups)
    yield from zip(groups, pixels, strict=True)


def _group(clips: Sequence[Clip], batch_size: int) -> Iterator[list[Clip]]:
    group: list[Clip] = []
    crops = 0
    for clip in clips:
        if group and crops + len(clip) > batch_size:
            yield group
            group, crops = [], 0
        group.append(clip)
        crops += len(clip)
    if group:
        yield group


def _rows(clips: Sequence[Clip]) -> list[CropRow]:
    return [row for clip in clips for row in clip]
