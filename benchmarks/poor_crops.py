"""How often a detector calls real people fake when their crops are poor: what the limits of predict.py rest on.

The sample's clean validation reals, made worse on purpose. From the repository's root, after `dvc repro`:

    PYTHONPATH=src python benchmarks/poor_crops.py --crops data/crops/train --model models/release/robust.pt \
        --out benchmarks/results/poor_crops
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import nan
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import torch
from timing import machine, write_markdown
from torch import nn

from deepfake.crops.augmentation import jitter_color, shrink_and_grow
from deepfake.crops.shards import CropSet, open_crops
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.evaluation.prediction import corrupted, score_clips, whole_clips
from deepfake.params import load_params
from deepfake.records import REAL
from deepfake.reporting.wording import percent
from deepfake.runtime import open_device, progress
from deepfake.scoring.quality import MIN_SHARPNESS, sharpness
from deepfake.stage import run
from deepfake.tables import write_rows
from deepfake.training.selection import video_logits
from deepfake.work import file_hash

Change = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Line:
    """One change of the crops.

    Attributes:
        change: in words.
        videos, alarms: of real people, and those of them that are called fake.
        sharp, sharp_alarms: the same of videos whose median crop is sharp enough for a verdict.
    """

    change: str
    videos: int
    alarms: int
    sharp: int
    sharp_alarms: int


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, device = load_params(), open_device()
    checkpoint = load_checkpoint(args.model)
    model, threshold = checkpoint.build(device), checkpoint.calibration.video_threshold
    reals = open_crops(args.crops).in_splits(["val"]).of_label(REAL)
    made = changes()
    lines = [
        count(name, model, threshold, reals, change, params.evaluate.batch_size)
        for name, change in progress(made.items(), total=len(made), title="changes")
    ]
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    head = ["change of the crop", "real videos", "called fake", "of those sharp enough", "called fake"]
    write_markdown(args.out, head, map(_cells, lines), [
        f"real validation videos at the threshold of {args.model.name} ({file_hash(args.model)[:12]}), fitted on "
        "them as they are, for 1 % false alarms",
        f"sharp enough: the median crop's sharpness is at least {MIN_SHARPNESS}",
        f"on {machine(device)}; torch {torch.__version__}",
    ])  # fmt: skip


def changes() -> Mapping[str, Change]:
    """What happens to a crop, uint8 RGB (S, S, 3), by its name."""
    shrunk = {
        f"shrunk to 1/{times} and enlarged": partial(shrink_and_grow, scale=1 / times) for times in (2, 3, 4)
    }  # fmt: skip
    blurred = {f"blur, sigma {sigma:g}": partial(_blur, sigma=sigma) for sigma in (0.5, 1, 1.5, 2)}
    drained = {
        name: partial(jitter_color, brightness=1, contrast=1, saturation=left)
        for name, left in (("half of the colour", 0.5), ("no colour", 0))
    }
    return {"none": np.copy, **shrunk, **blurred, **drained}


def count(name: str, model: nn.Module, threshold: float, reals: CropSet, change: Change, batch_size: int) -> Line:
    """How many of the videos whose crops are changed are called fake."""
    reading = corrupted(whole_clips(reals), lambda clip: [change(crop) for crop in clip])
    score = partial(score_clips, condition=name, batch_size=batch_size, workers=1)
    logits = video_logits(one for batch in score(model, reals.clips(), reading) for one in batch)
    sharp = {video for video, value in _sharpness(reals, change) if value >= MIN_SHARPNESS}
    alarms = {video for video, logit in logits.items() if logit >= threshold}
    return Line(name, len(logits), len(alarms), len(sharp), len(sharp & alarms))


def _sharpness(reals: CropSet, change: Change) -> Iterator[tuple[str, float]]:
    """Of every video, as predict.py measures it."""
    found: dict[str, list[float]] = defaultdict(list)
    for row in reals.rows:
        found[row.video].append(sharpness(change(reals.pixels(row))))
    for video, values in found.items():
        yield video, median(values)


def _blur(crop: np.ndarray, sigma: float) -> np.ndarray:
    return cv2.GaussianBlur(crop, (0, 0), sigma)


def _cells(line: Line) -> list[str]:
    def share(part: int, whole: int) -> str:
        return percent(part / whole if whole else nan, 0)

    return [
        line.change, str(line.videos), share(line.alarms, line.videos), str(line.sharp),
        share(line.sharp_alarms, line.sharp),
    ]  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", required=True, type=Path, help="folder with the crops of the training dataset")
    parser.add_argument("--model", required=True, type=Path, help="the detector's checkpoint")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(run(main))
