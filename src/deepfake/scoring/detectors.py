"""Detectors from files that somebody handed over: nothing in them is run, and nothing in them is taken on trust."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from deepfake.detector.checkpoint import Checkpoint, load_checkpoint
from deepfake.errors import CheckpointError
from deepfake.scoring.judging import Judge, Score

ScoreWith = Callable[[nn.Module], Score]


@dataclass(frozen=True)
class Detector:
    """A model that judges, and the file that it came from."""

    path: str
    checkpoint: Checkpoint
    model: nn.Module
    judge: Judge


def open_detector(path: Path, device: torch.device, score_with: ScoreWith) -> Detector:
    """A detector on the device; it is called by its file's name without the suffix.

    Raises:
        CheckpointError: not a checkpoint, or damaged; one line that names the file.
    """
    checkpoint = load_checkpoint(path)
    model = checkpoint.build(device)
    judge = Judge(path.stem, checkpoint.calibration, score_with(model))
    return Detector(os.path.relpath(path), checkpoint, model, judge)


def open_beside(path: Path, first: Detector, device: torch.device, score_with: ScoreWith) -> Detector:
    """A second detector, to judge the same crops; called by its path where the first one has its name.

    Raises:
        CheckpointError: as `open_detector`, or it was trained to look at other frames or crops.
    """
    other = open_detector(path, device, score_with)
    if _looks_at(other.checkpoint) != _looks_at(first.checkpoint):
        raise CheckpointError(f"{path}: looks at other frames or crops than {first.path}; one beside it must not")
    if other.judge.name == first.judge.name:
        return replace(other, judge=replace(other.judge, name=other.path))
    return other


def _looks_at(checkpoint: Checkpoint) -> object:
    return checkpoint.faces.model_dump(exclude={"train_frames"}), checkpoint.crops.model_dump(exclude={"shards"})
