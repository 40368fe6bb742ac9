"""Crops -> logits, clip by clip, so that a codec sees consecutive frames."""

from collections.abc import Callable, Iterator, Sequence

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
ReadClip = Callable[[Clip], Sequence[np.ndarray]]


def whole_clip(crops: CropSet) -> ReadClip:
    """Clips as they are."""
    return lambda rows: [crops.pixels(row) for row in rows]


def corrupted(read: ReadClip, corrupt: Callable[[Sequence[np.ndarray]], Sequence[np.ndarray]]) -> ReadClip:
    """Clips that `read` gives, after a codec."""
    return lambda rows: corrupt(read(rows))


def masked_face(crops: CropSet) -> ReadClip:
    """Clips with every face greyed out: what is left can betray a leak."""
    return lambda rows: [mask_face(crops.pixels(row), row.face) for row in rows]


def score_clips(
    model: nn.Module, clips: Sequence[Clip], read: ReadClip, *, condition: str, batch_size: int, workers: int
) -> Iterator[list[FrameScore]]:
    """Logits of every crop, a batch of clips at a time.

    Args:
        model: crops (B, 3, S, S) in [0, 1] -> logits (B,).
        clips: index rows of consecutive frames.
        read: gives the pixels of a clip as the model is to see them, uint8 RGB (S, S, 3).
        condition: name that the scores get.
        batch_size: crops at once; a clip is never torn.
        workers: threads that read and compress ahead of the model.
    """
    for group, pixels in read_groups(clips, read, batch_size=batch_size, workers=workers):
        yield score_crops(model, [row for clip in group for row in clip], pixels, condition=condition)


def validation_scores(model: nn.Module, crops: CropSet, read: ReadClip, *, batch_size: int) -> list[FrameScore]:
    """Logits of every crop of a set, on every rank; each rank computes a share of them.

    Args:
        model, read, batch_size: as for `score_clips`.
        crops: what is scored.
    """
    clips = share(crops.clips())
    batches = score_clips(model, clips, read, condition="val", batch_size=batch_size, workers=worker_count())
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
    clips: Sequence[Clip], read: ReadClip, *, batch_size: int, workers: int
) -> Iterator[tuple[list[Clip], np.ndarray]]:
    """Groups of whole clips of about `batch_size` crops, and their pixels, uint8 RGB (B, S, S, 3); read ahead."""
    groups = list(_group(clips, batch_size))
    yield from ahead(lambda group: (group, _stack(group, read)), groups, workers=workers)


def _group(clips: Sequence[Clip], batch_size: int) -> Iterator[list[Clip]]:
    group: list[Clip] = []
    for clip in clips:
        if group and sum(map(len, group)) + len(clip) > batch_size:
            yield group
            group = []
        group.append(clip)
    if group:
        yield group


def _stack(group: Sequence[Clip], read: ReadClip) -> np.ndarray:
    return np.stack([frame for clip in group for frame in read(clip)])
