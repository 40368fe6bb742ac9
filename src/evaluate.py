"""Stage: score validation and test videos of a dataset under every condition."""

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from torch import nn

from deepfake.crops.cutting import mask_face
from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.evaluation.conditions import Condition, compressed_conditions
from deepfake.evaluation.prediction import ReadClip, named, score_clips
from deepfake.params import EvaluateParams, load_params
from deepfake.records import CropRow, FaceVideo, FrameScore
from deepfake.runtime import open_device, progress_bar, replacing_folder, worker_count
from deepfake.stage import run
from deepfake.tables import write_rows


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--model", required=True, type=Path, help="checkpoint to score with")
    parser.add_argument("--control", required=True, type=Path, help="checkpoint that was trained on masked faces")
    parser.add_argument("--out", required=True, type=Path, help="folder for score tables")
    args = parser.parse_args(argv)

    params = load_params().evaluate
    crops = open_crops(args.crops).in_splits(["val", "test"])
    require_both_classes(crops, sorted({video.split for video in crops.videos.values()}), args.crops)
    device = open_device()
    checkpoint, control = load_checkpoint(args.model), load_checkpoint(args.control)
    with_video = all(video.kind == "video" for video in crops.videos.values())
    conditions = compressed_conditions(params, with_video=with_video)
    model, control_model = checkpoint.build(device), control.build(device)
    scores = [score for condition in conditions for score in _score(model, crops, condition, params)]
    control_scores = _score_masked(control_model, crops, params)
    with replacing_folder(args.out) as folder:
        write_rows(folder / "frames.csv", FrameScore, scores)
        write_rows(folder / "control.csv", FrameScore, control_scores)
        write_rows(folder / "videos.csv", FaceVideo, crops.videos.values())
        (folder / "calibration.json").write_text(json.dumps(asdict(checkpoint.calibration), indent=2) + "\n")


def _score(model: nn.Module, crops: CropSet, condition: Condition, params: EvaluateParams) -> list[FrameScore]:
    def read(rows: Sequence[CropRow]) -> Sequence[np.ndarray]:
        return condition.corrupt([crops.pixels(row) for row in rows])

    return _run(model, crops, read, condition.name, params)


def _score_masked(model: nn.Module, crops: CropSet, params: EvaluateParams) -> list[FrameScore]:
    def read(rows: Sequence[CropRow]) -> Sequence[np.ndarray]:
        return [mask_face(crops.pixels(row), row.face) for row in rows]

    return _run(model, crops, read, "face_masked", params)


def _run(model: nn.Module, crops: CropSet, read: ReadClip, name: str, params: EvaluateParams) -> list[FrameScore]:
    scores: list[FrameScore] = []
    with progress_bar(total=len(crops.rows), title=name) as bar:
        for batch in score_clips(model, crops.clips(), read, batch_size=params.batch_size, workers=worker_count()):
            scores += named(batch, name)
            bar.update(len(batch))
    return scores


if __name__ == "__main__":
    sys.exit(run(main))
