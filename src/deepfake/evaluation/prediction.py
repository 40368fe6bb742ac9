"""Crops -> logits, clip by clip, so that a codec sees consecutive frames."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from deepfake.crops.batches import to_unit
from deepfake.modes import evaluating
from deepfake.records import CropRow, FrameScore
from deepfake.runtime import ahead

ReadClip = Callable[[Sequence[CropRow]], Sequence[np.ndarray]]


@torch.no_grad()
def score_clips(
    model: nn.Module, clips: Sequence[Sequence[CropRow]], read: ReadClip, *, batch_size: int, workers: int
) -> Iterator[list[FrameScore]]:
    """Logits of every crop, in float32, a batch of clips at a time; the condition's name is left empty.

    Args:
        model: crops (B, 3, S, S) in [0, 1] -> logits (B,).
        clips: index rows of consecutive frames.
        read: gives the pixels of a clip as the model is to see them, uint8 RGB (S, S, 3).
        batch_size: crops at once; a clip is never torn.
        workers: threads that read and compress ahead of the model.
    """
    device = next(model.parameters()).device
    groups = list(_group(clips, batch_size))
    with evaluating(model):
        for rows, pixels in ahead(lambda group: _read_group(group, read), groups, workers=workers):
            logits = model(to_unit(pixels, device)).float().cpu().tolist()
            yield [
                FrameScore("", row.video, row.clip, row.frame, round(logit, 6))
                for row, logit in zip(rows, logits, strict=True)
            ]


def named(scores: Sequence[FrameScore], condition: str) -> list[FrameScore]:
    """The scores, under the name of the condition they were made in."""
    return [replace(score, condition=condition) for score in scores]


def _group(clips: Sequence[Sequence[CropRow]], batch_size: int) -> Iterator[list[Sequence[CropRow]]]:
    group: list[Sequence[CropRow]] = []
    for clip in clips:
        if group and sum(map(len, group)) + len(clip) > batch_size:
            yield group
            group = []
        group.append(clip)
    if group:
        yield group


def _read_group(group: Sequence[Sequence[CropRow]], read: ReadClip) -> tuple[list[CropRow], np.ndarray]:
    rows = [row for clip in group for row in clip]
    return rows, np.stack([frame for clip in group for frame in read(clip)])
