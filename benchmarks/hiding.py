"""Is the evidence in the face or around it? Test crops as they are, without the face, and without all else.

Grad-CAM shows where evidence lies in the last convolutional map; a transformer after it may have carried it there.
Greying out parts of the crop asks the detector itself. From the repository's root, after `dvc repro`:

    PYTHONPATH=src python benchmarks/hiding.py --crops data/crops \
        --detector baseline models/release/baseline.pt --detector robust models/release/robust.pt \
        --out benchmarks/results/hiding
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from detector_files import add_detectors, files_by_name
from timing import machine, write_markdown
from torch import nn
from video_space_table import Seen, judge_videos

from deepfake.crops.cutting import mask_face
from deepfake.crops.shards import CropSet, open_crops
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.evaluation.prediction import Clip, Reading, masked_face, score_clips, whole_clips
from deepfake.metrics.bootstrap import Resamples, draw_resamples, percentile_interval
from deepfake.params import Params, load_params
from deepfake.records import Box
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.wording import bounds, number, role_name
from deepfake.runtime import derive_seed, open_device
from deepfake.stage import run
from deepfake.tables import write_rows

WHOLE, NO_FACE, FACE_ALONE = "whole crops", "face greyed out", "all but the face greyed out"


@dataclass(frozen=True)
class Line:
    """One detector on one dataset, with a part of its crops hidden.

    Attributes:
        role, detector, shown: on what, which, and what it was shown.
        auc, low, high: of clean test videos, with a 95 % interval over people; NaN bounds where there is none.
    """

    role: str
    detector: str
    shown: str
    auc: float
    low: float
    high: float


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, device = load_params(), open_device()
    roles = [role for role, dataset in params.datasets if dataset]
    detectors = {name: load_checkpoint(file).build(device) for name, [file] in files_by_name(args.detector).items()}
    lines = [line for role in roles for line in compare(role, open_crops(args.crops / role), detectors, params)]
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    rows = [[role_name(line.role), line.detector, line.shown, _cell(line)] for line in lines]
    write_markdown(args.out, ["videos", "detector", "shown", "AUC (95 %)"], rows, [
        "clean test videos; intervals over people",
        "the face: its box, a tenth wider and higher; what is hidden is of one grey, which no training crop had",
        f"on {machine(device)}; torch {torch.__version__}",
    ])  # fmt: skip


def compare(role: str, crops: CropSet, detectors: Mapping[str, nn.Module], params: Params) -> Iterator[Line]:
    """A line for every detector and everything that it is shown."""
    test = crops.in_splits(["test"])
    clusters = {video.cluster for video in test.videos.values()}
    resamples = draw_resamples(clusters, params.report.resamples, derive_seed(params.seed, "hiding", role))
    shown = {WHOLE: whole_clips(test), NO_FACE: masked_face(test), FACE_ALONE: _face_alone(test)}
    for name, detector in detectors.items():
        for what, reading in shown.items():
            value, low, high = _auc(detector, test, reading, resamples, params.evaluate.batch_size)
            yield Line(role, name, what, *(round(each, 4) for each in (value, low, high)))


def hide_surroundings(crop: np.ndarray, face: Box) -> np.ndarray:
    """A copy of a crop (S, S, 3) with all that `mask_face` leaves in that one's grey."""
    masked = mask_face(np.zeros_like(crop), face)
    return np.where(masked != 0, crop, masked.max())


def _face_alone(crops: CropSet) -> Reading:
    def pixels(clips: Sequence[Clip]) -> np.ndarray:
        return np.stack([hide_surroundings(crops.pixels(row), row.face) for clip in clips for row in clip])

    return Reading(pixels, is_work=False)


def _auc(
    detector: nn.Module, crops: CropSet, reading: Reading, resamples: Resamples, batch_size: int
) -> tuple[float, float, float]:
    score = partial(score_clips, condition="", batch_size=batch_size, workers=1)
    scores = [each for batch in score(detector, crops.clips(), reading) for each in batch]
    _, value, drawn = judge_videos(Seen(scores, crops.videos), resamples)
    return value, *percentile_interval(drawn)


def _cell(line: Line) -> str:
    between = bounds(Estimate(line.auc, line.low, line.high))
    return number(line.auc) + (f" ({between})" if between else "")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", required=True, type=Path, help="folder with the crops of each dataset role")
    add_detectors(parser)
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(run(main))
