"""Stage: write a trained detector with float16 weights, small enough for Git; this is what is evaluated and shipped.

Its thresholds and temperature are fitted again: rounded weights move logits, and a threshold stands beside a logit.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deepfake.crops.shards import open_crops, require_both_classes
from deepfake.detector.checkpoint import load_checkpoint, save_checkpoint
from deepfake.detector.half_precision import to_half_precision
from deepfake.evaluation.prediction import validation_scores, whole_clips
from deepfake.runtime import open_device
from deepfake.stage import run
from deepfake.training.selection import calibrate

_BATCH_SIZE = 64


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, type=Path, help="checkpoint that training wrote")
    parser.add_argument(
        "--crops", required=True, type=Path, help="folder of crops that it was trained on and validated"
    )
    parser.add_argument("--out", required=True, type=Path, help="checkpoint to write")
    args = parser.parse_args(argv)

    exported = to_half_precision(load_checkpoint(args.model))
    val = open_crops(args.crops).in_splits(["val"])
    require_both_classes(val, ["val"], args.crops)
    scores = validation_scores(exported.build(open_device()), val, whole_clips(val), batch_size=_BATCH_SIZE)
    save_checkpoint(args.out, replace(exported, calibration=calibrate(scores, val.videos)))
    before, after = (path.stat().st_size / 1e6 for path in (args.model, args.out))
    print(f"{args.out}: {after:.1f} MB, {before:.1f} MB with float32 weights")


if __name__ == "__main__":
    sys.exit(run(main))
