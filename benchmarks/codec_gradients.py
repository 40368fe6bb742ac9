"""What should stand for a codec's gradient? Adaptive attacks with its own, and with the same low-passed, by codec.

The own one is rounding passed straight through a JPEG, and the identity in H.264's place. From the repository's root,
after `dvc repro`:

    PYTHONPATH=src python benchmarks/codec_gradients.py --crops data/crops/train \
        --detector baseline models/release/baseline.pt --detector robust models/release/robust.pt \
        --out benchmarks/results/codec_gradients
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from detector_files import add_detectors, files_by_name
from evaluation import scores_after
from timing import machine, write_markdown
from torch import Tensor

from deepfake.attacks.pgd import PGD
from deepfake.attacks.stand_ins import Codec, smoothed, straight_through
from deepfake.corruptions.differentiable_jpeg import differentiable_jpeg
from deepfake.corruptions.h264 import h264_batch
from deepfake.crops.shards import open_crops, require_both_classes
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.evaluation.attacked import Threat
from deepfake.evaluation.conditions import Condition, attacked_conditions
from deepfake.evaluation.remembered import Remembered
from deepfake.evaluation.subset import few_test_videos, holds_clips
from deepfake.evaluation.suite import score_adaptive
from deepfake.evaluation.target import Target
from deepfake.params import EvaluateParams, Params, load_params
from deepfake.reporting.wording import condition_title
from deepfake.runtime import derive_seed, open_device, progress, worker_count
from deepfake.stage import run
from deepfake.tables import write_rows
from deepfake.training.selection import video_auc


@dataclass(frozen=True)
class Line:
    """Video AUC of one detector under adaptive attacks, in [0, 1].

    Attributes:
        detector, codec: whose, behind what.
        own, smoothed: by the gradient that stood for the codec's.
    """

    detector: str
    codec: str
    own: float
    smoothed: float


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, device, files = load_params(), open_device(), files_by_name(args.detector)
    crops = few_test_videos(open_crops(args.crops).in_splits(["test"]), args.videos)
    require_both_classes(crops, ["test"], args.crops)
    codecs = codecs_of(params.evaluate, args.jpeg_quality, args.h264_crf if holds_clips(crops) else [])
    lines: list[Line] = []
    for name, [file] in files.items():
        target = Target(load_checkpoint(file).build(device), crops, {}, params.evaluate.batch_size, worker_count())
        lines += progress(compare(name, target, codecs, params), total=len(codecs), title=name)
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    rows = [[line.detector, condition_title(line.codec), f"{line.own:.4f}", f"{line.smoothed:.4f}"] for line in lines]
    write_markdown(args.out, ["detector", "codec", "AUC, its own gradient", "AUC, smoothed"], rows, [
        f"adaptive PGD-{params.evaluate.suite.adaptive_steps} at the default budget, from where PGD ends, on at most "
        f"{args.videos} test videos of each class; the lower AUC is the better attack",
        f"on {machine(device)}; torch {torch.__version__}",
    ])  # fmt: skip


def codecs_of(
    evaluate: EvaluateParams, qualities: Sequence[int], rates: Sequence[int]
) -> list[tuple[Condition, Codec]]:
    """Conditions, each with a stand-in that has the codec's own gradient."""
    settings = evaluate.model_copy(update={"attacked_jpeg_quality": qualities, "attacked_h264_crf": rates})
    _, *conditions = attacked_conditions(settings, with_video=True)
    own: list[Codec] = [partial(differentiable_jpeg, quality=quality) for quality in dict.fromkeys(qualities)]
    own += [straight_through(partial(_one_clip, crf=crf)) for crf in dict.fromkeys(rates)]
    return list(zip(conditions, own, strict=True))


def compare(name: str, target: Target, codecs: Sequence[tuple[Condition, Codec]], params: Params) -> Iterator[Line]:
    """A line for every codec; both attacks start from the same PGD."""
    eps, seed = params.attack.eps, derive_seed(params.seed, "evaluate")
    start = Threat("pgd", Remembered(PGD(eps, params.attack.steps, params.attack.restarts)), eps, seed)
    for codec, own in codecs:
        seen = replace(target, plain={codec.name: list(scores_after(target, codec))})
        aucs = []
        for stand_in in (own, smoothed(own)):
            attacked = replace(codec, stand_ins=(stand_in,))
            [done] = score_adaptive(seen, [attacked], start, params.evaluate.suite.adaptive_steps)
            aucs.append(round(video_auc(done.scores, target.crops.videos), 4))
        yield Line(name, codec.name, *aucs)


def _one_clip(x: Tensor, *, crf: int) -> Tensor:
    return h264_batch(x, [len(x)], crf=crf)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", required=True, type=Path, help="crops of one dataset")
    add_detectors(parser)
    parser.add_argument("--videos", type=int, default=25, help="test videos of each class (default: 25)")
    parser.add_argument(
        "--jpeg-quality", type=int, nargs="*", default=[30, 50, 70, 80, 90, 95], help="(default: 30 to 95)"
    )
    parser.add_argument("--h264-crf", type=int, nargs="*", default=[10, 23, 40], help="(default: 10 23 40)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(run(main))
