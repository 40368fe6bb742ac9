"""What training against whom is worth under a learned attack and a codec: detectors, each with a U-Net of its own.

The report compares the robust detector with the baseline that it began as. This compares it with others that were
trained for as long: against PGD alone, or against nobody. A U-Net is fitted to each by `src/fit_attacker.py`, as to
those of the pipeline. A name that is given several times stands for several trainings, as many of each detector and in
one order, and the table has their means. From the repository's root, after `dvc repro`:

    PYTHONPATH=src python benchmarks/learned_attack.py --crops data/crops/train \
        --detector both models/release/robust.pt models/attacker_robust.pt \
        --detector nobody models/release/longer.pt models/attacker_longer.pt --out tmp/learned_attack
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from detector_files import open_attacker
from evaluation import scores_after
from learned_attack_table import Found, Line, Ranked, compare, rows, together
from timing import machine, write_markdown

from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.errors import SettingsError
from deepfake.evaluation.attacked import Threat
from deepfake.evaluation.conditions import CLEAN, attacked_conditions
from deepfake.evaluation.subset import holds_clips
from deepfake.evaluation.target import Target
from deepfake.metrics.bootstrap import Resamples, draw_resamples, resample
from deepfake.metrics.ranking import Ranking
from deepfake.params import Params, load_params
from deepfake.records import FAKE, FrameScore
from deepfake.reporting.pairing import paired_statistics
from deepfake.runtime import derive_seed, open_device, progress, worker_count
from deepfake.stage import run
from deepfake.tables import write_rows
from deepfake.training.selection import video_logits
from deepfake.work import file_hash

UNET = "unet"


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, device, files = load_params(), open_device(), trainings_by_name(args.detector)
    crops = open_crops(args.crops).in_splits(["test"])
    require_both_classes(crops, ["test"], args.crops)
    clusters = {video.cluster for video in crops.videos.values()}
    resamples = draw_resamples(clusters, params.report.resamples, derive_seed(params.seed, "learned attack"))
    found: dict[str, list[Found]] = {name: [] for name in files}
    each = [(name, *paths) for name, trainings in files.items() for paths in trainings]
    for name, checkpoint, attacker in progress(each, total=len(each), title="detectors"):
        model = load_checkpoint(checkpoint).build(device)
        learned = open_attacker(attacker, params.attack.eps, device)
        target = Target(model, crops, {}, params.evaluate.batch_size, worker_count())
        threat = Threat(UNET, learned, params.attack.eps, derive_seed(params.seed, "evaluate"))
        found[name].append(judge(target, threat, params, resamples))
    lines = list(compare({name: together(own) for name, own in found.items()}))
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    hashes = {name: ", ".join(file_hash(own)[:12] for own, _ in trainings) for name, trainings in files.items()}
    head = ["videos", "metric", *(f"{name} ({told})" for name, told in hashes.items())]
    count = len(next(iter(files.values())))
    write_markdown(args.out, head, rows(lines), [
        "in-domain test videos; in brackets the gain of the first detector over this one, with a paired 95 % interval "
        "over people" + (f"; means over {count} trainings of each, for the gain also its 95 % interval over trainings "
                         "by Student's t, as if people were fixed" if count > 1 else "; one training of each"),
        f"fakes attacked at a budget of {255 * params.attack.eps:g}/255, each detector by a U-Net fitted to it",
        f"attacked on {machine(device)}; torch {torch.__version__}",
    ])  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote, with test crops")
    parser.add_argument("--detector", required=True, nargs=3, action="append", metavar=("NAME", "FILE", "ATTACKER"),
                        help="what to call it, a checkpoint, and a U-Net that was fitted to it; can be repeated, "
                             "others are compared with the first, and one name stands for one detector")  # fmt: skip
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def trainings_by_name(given: Sequence[Sequence[str]]) -> dict[str, list[tuple[Path, Path]]]:
    """Checkpoint and attacker of every training by detector.

    Raises:
        SettingsError: not as many trainings of each, so that their means would not be paired.
    """
    files: dict[str, list[tuple[Path, Path]]] = {}
    for name, checkpoint, attacker in given:
        files.setdefault(name, []).append((Path(checkpoint), Path(attacker)))
    counts = {name: len(own) for name, own in files.items()}
    if len(set(counts.values())) > 1:
        told = ", ".join(f"{count} of {name}" for name, count in counts.items())
        raise SettingsError(f"--detector: {told}; as many trainings of each would be right")
    return files


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


def _rank(
    condition: str, scores: Sequence[FrameScore], crops: CropSet, params: Params, resamples: Resamples
) -> Iterator[tuple[tuple[str, str], Ranked]]:
    statistics = paired_statistics(params.report.max_false_positive_rate)
    means = dict(sorted(video_logits(scores).items()))  # in one order for all detectors: their resamples are paired
    videos = [crops.videos[key] for key in means]
    ranking = Ranking(np.array(list(means.values())), [video.label for video in videos])
    samples = resample(statistics, ranking, [video.cluster for video in videos], resamples)
    for metric, statistic in statistics.items():
        yield (condition, metric), Ranked(np.array([statistic(ranking.roc())]), samples[metric][None])


if __name__ == "__main__":
    sys.exit(run(main))
