"""What training against whom is worth under a learned attack and a codec: detectors, each with a U-Net of its own.

The report compares the robust detector with the baseline that it began as. This compares it with others that were
trained for as long: against PGD alone, or against nobody. A U-Net is fitted to each by `src/fit_attacker.py`, as to
those of the pipeline. From the repository's root, after `dvc repro`:

    PYTHONPATH=src python benchmarks/learned_attack.py --crops data/crops/train \
        --detector both models/robust.pt models/attacker_robust.pt \
        --detector nobody models/longer.pt longer_attacker.pt --out benchmarks/results/learned_attack
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path

import numpy as np
import torch
from detector_files import files_by_name, open_attacker
from evaluation import scores_after
from timing import machine, write_markdown

from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.evaluation.attacked import Threat
from deepfake.evaluation.conditions import CLEAN, attacked_conditions
from deepfake.evaluation.subset import holds_clips
from deepfake.evaluation.target import Target
from deepfake.metrics.bootstrap import Resamples, draw_resamples, percentile_interval, resample
from deepfake.metrics.ranking import Floats, Ranking
from deepfake.params import Params, load_params
from deepfake.records import FAKE, FrameScore
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.pairing import paired_statistics
from deepfake.reporting.wording import bounds, condition_title, difference, metric_title, number
from deepfake.runtime import derive_seed, open_device, progress, worker_count
from deepfake.stage import run
from deepfake.tables import write_rows
from deepfake.training.selection import video_logits
from deepfake.work import file_hash

UNET = "unet"


@dataclass(frozen=True)
class Line:
    """One metric of one detector under one condition, of test videos.

    Attributes:
        detector, condition, metric: of what.
        value: in [0, 1].
        gain, low, high: of the first detector over this one, paired, with its 95 % interval over people; NaN for the
            first itself, NaN bounds where resamples agree.
    """

    detector: str
    condition: str
    metric: str
    value: float
    gain: float
    low: float
    high: float


@dataclass(frozen=True)
class Ranked:
    """A metric on the videos, and on every resample of their people (R,)."""

    value: float
    samples: Floats


Found = dict[tuple[str, str], Ranked]  # by condition and metric


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, device, files = load_params(), open_device(), files_by_name(args.detector)
    crops = open_crops(args.crops).in_splits(["test"])
    require_both_classes(crops, ["test"], args.crops)
    clusters = {video.cluster for video in crops.videos.values()}
    resamples = draw_resamples(clusters, params.report.resamples, derive_seed(params.seed, "learned attack"))
    found = {}
    for name, [checkpoint, attacker] in progress(files.items(), total=len(files), title="detectors"):
        model = load_checkpoint(checkpoint).build(device)
        learned = open_attacker(attacker, params.attack.eps, device)
        target = Target(model, crops, {}, params.evaluate.batch_size, worker_count())
        threat = Threat(UNET, learned, params.attack.eps, derive_seed(params.seed, "evaluate"))
        found[name] = judge(target, threat, params, resamples)
    lines = list(compare(found))
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    head = ["videos", "metric", *(f"{name} ({file_hash(paths[0])[:12]})" for name, paths in files.items())]
    write_markdown(args.out, head, _rows(lines, list(files)), [
        "in-domain test videos; in brackets the gain of the first detector over this one, with a paired 95 % interval "
        "over people; one training of each",
        f"fakes attacked at a budget of {255 * params.attack.eps:g}/255, each detector by a U-Net fitted to it",
        f"attacked on {machine(device)}; torch {torch.__version__}",
    ])  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote, with test crops")
    parser.add_argument("--detector", required=True, nargs=3, action="append", metavar=("NAME", "FILE", "ATTACKER"),
                        help="what to call it, a checkpoint, and a U-Net that was fitted to it; can be repeated, "
                             "others are compared with the first")  # fmt: skip
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def judge(target: Target, threat: Threat, params: Params, resamples: Resamples) -> Found:
    """Every metric of a detector: clean, under the attack, and under the attack and a codec; fakes are attacked."""
    codecs = attacked_conditions(params.evaluate, with_video=holds_clips(target.crops))
    plain = {codec.name: list(scores_after(target, codec)) for codec in codecs}
    target = replace(target, plain=plain)
    attacked = target.attack(target.crops.of_label(FAKE), threat, codecs).scores
    scores = {CLEAN.name: plain[CLEAN.name]}
    for codec in codecs:
        name = codec.after(threat.name)
        scores[name] = [*(score for score in attacked if score.condition == name), *target.reals(codec, name)]
    return {
        key: found for name, seen in scores.items() for key, found in _rank(name, seen, target.crops, params, resamples)
    }


def compare(found: dict[str, Found]) -> Iterator[Line]:
    """A line for every detector, condition and metric; the first detector is what the others are compared with."""
    first = next(iter(found.values()))
    for name, ranked in found.items():
        for (condition, metric), each in ranked.items():
            own = first[condition, metric]
            gain = (own.value - each.value, *percentile_interval(own.samples - each.samples))
            told = (nan, nan, nan) if ranked is first else gain
            yield Line(name, condition, metric, *(round(number, 6) for number in (each.value, *told)))


def _rank(
    condition: str, scores: Sequence[FrameScore], crops: CropSet, params: Params, resamples: Resamples
) -> Iterator[tuple[tuple[str, str], Ranked]]:
    statistics = paired_statistics(params.report.max_false_positive_rate)
    means = dict(sorted(video_logits(scores).items()))  # in one order for all detectors: their resamples are paired
    videos = [crops.videos[key] for key in means]
    ranking = Ranking(np.array(list(means.values())), [video.label for video in videos])
    samples = resample(statistics, ranking, [video.cluster for video in videos], resamples)
    for metric, statistic in statistics.items():
        yield (condition, metric), Ranked(float(statistic(ranking.roc())), samples[metric])


def _rows(lines: Sequence[Line], names: Sequence[str]) -> Iterator[list[str]]:
    by_place = {(line.detector, line.condition, line.metric): line for line in lines}
    for condition, metric in dict.fromkeys((line.condition, line.metric) for line in lines):
        cells = [_cell(by_place[name, condition, metric]) for name in names]
        yield [condition_title(condition), metric_title(f"..{metric}")[1], *cells]


def _cell(line: Line) -> str:
    if np.isnan(line.gain):
        return number(line.value)
    between = bounds(Estimate(line.gain, line.low, line.high))
    return f"{number(line.value)} ({difference(line.gain)}{f', {between}' if between else ''})"


if __name__ == "__main__":
    sys.exit(run(main))
