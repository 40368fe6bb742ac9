"""Stage: score test videos of a dataset under every attack and every codec, and validation videos clean."""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from torch import nn

from deepfake.attacks.learned import load_attacker
from deepfake.attacks.pgd import PGD
from deepfake.attacks.protocol import Attack
from deepfake.crops.batches import to_unit
from deepfake.crops.choosing import evenly, few_per_video
from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.evaluation.attacked import Attacked, Threat
from deepfake.evaluation.budgets import AtBudget, score_eps_curve
from deepfake.evaluation.conditions import CLEAN, attacked_conditions, compressed_conditions
from deepfake.evaluation.prediction import Reading, corrupted, masked_face, score_clips, whole_clips
from deepfake.evaluation.remembered import Remembered
from deepfake.evaluation.sanity import Suspect, adaptive_checks, sanity_checks
from deepfake.evaluation.subset import few_test_videos, holds_clips
from deepfake.evaluation.suite import further_threats, score_adaptive, score_both_classes, score_further
from deepfake.evaluation.target import Target
from deepfake.findings import EpsScore, Perturbation, SanityCheck
from deepfake.params import Params, load_params
from deepfake.ranks import gather, joined, share
from deepfake.records import FAKE, REAL, FaceVideo, FrameScore
from deepfake.runtime import derive_seed, is_first, open_device, progress_bar, replacing_folder, worker_count
from deepfake.stage import run
from deepfake.tables import write_rows


@dataclass(frozen=True)
class Evaluation:
    """One detector on one dataset: what the steps below share."""

    params: Params
    model: nn.Module
    crops: CropSet
    test: CropSet
    with_video: bool
    seed: int


@joined()
def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params = load_params()
    crops = few_test_videos(open_crops(args.crops).in_splits(["val", "test"]), params.evaluate.suite.videos)
    require_both_classes(crops, sorted({video.split for video in crops.videos.values()}), args.crops)
    device = open_device()
    checkpoint, surrogate = load_checkpoint(args.model), load_checkpoint(args.surrogate)
    faceless, learned = load_checkpoint(args.faceless), load_attacker(args.attacker, device)
    model = checkpoint.build(device)
    seed = derive_seed(params.seed, "evaluate")
    mine = _share(crops)
    work = Evaluation(params, model, mine, mine.in_splits(["test"]), holds_clips(crops), seed)

    compressed = _score_compressed(work)
    target = _target(work, compressed)
    attacked = list(_attacks(work, target, learned))
    frames = [*compressed, *(score for done in attacked for score in done.scores)]
    curve = gather(_eps_curve(work, target, frames))
    masked = gather(_scores(faceless.build(device), mine, masked_face(mine), "face_masked", params))
    frames, perturbations = gather(frames), gather(moved for done in attacked for moved in done.perturbations)
    if not is_first():
        return
    whole = replace(work, crops=crops, test=crops.in_splits(["test"]))
    checks = _sanity(whole, surrogate.build(device), undefended=args.model == args.surrogate)
    checks += adaptive_checks(frames, {key for key, video in whole.test.videos.items() if video.label == FAKE})
    with replacing_folder(args.out) as folder:
        write_rows(folder / "frames.csv", FrameScore, frames)
        write_rows(folder / "eps_curve.csv", EpsScore, curve)
        write_rows(folder / "perturbations.csv", Perturbation, perturbations)
        write_rows(folder / "sanity.csv", SanityCheck, checks)
        write_rows(folder / "faceless.csv", FrameScore, masked)
        write_rows(folder / "videos.csv", FaceVideo, crops.videos.values())
        (folder / "calibration.json").write_text(json.dumps(asdict(checkpoint.calibration), indent=2) + "\n")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--model", required=True, type=Path, help="checkpoint to score with")
    parser.add_argument("--attacker", required=True, type=Path, help="attacker that was fitted against it")
    parser.add_argument("--surrogate", required=True, type=Path, help="undefended checkpoint to transfer attacks from")
    parser.add_argument("--faceless", required=True, type=Path, help="checkpoint that was trained on masked faces")
    parser.add_argument("--out", required=True, type=Path, help="folder for score tables; replaced whole")
    return parser.parse_args(argv)


def _share(crops: CropSet) -> CropSet:
    """The crops of every n-th video, for each of n ranks, and all videos."""
    mine = set(share(list(crops.videos)))
    return crops.with_rows([row for row in crops.rows if row.video in mine])


def _score_compressed(work: Evaluation) -> list[FrameScore]:
    """Test videos under every codec; clean also those of validation, which thresholds come from."""
    scores: list[FrameScore] = []
    for condition in compressed_conditions(work.params.evaluate, with_video=work.with_video):
        crops = work.crops if condition is CLEAN else work.test
        reading = whole_clips(crops)
        if condition is not CLEAN:
            reading = corrupted(reading, condition.corrupt)
        scores += _scores(work.model, crops, reading, condition.name, work.params)
    return scores


def _target(work: Evaluation, compressed: Sequence[FrameScore]) -> Target:
    plain: dict[str, list[FrameScore]] = defaultdict(list)
    for score in compressed:
        if score.video in work.test.videos:
            plain[score.condition].append(score)
    return Target(work.model, work.test, plain, work.params.evaluate.batch_size, worker_count())


def _attacks(work: Evaluation, target: Target, learned: Attack) -> Iterator[Attacked]:
    """PGD, what others find beyond it, the learned attacker, and attackers who know the codec."""
    settings, eps, seed = work.params.evaluate, work.params.attack.eps, work.seed
    codecs = attacked_conditions(settings, with_video=work.with_video)
    first = _pgd(work, eps)
    first = replace(first, attack=Remembered(first.attack))
    pgd = score_both_classes(target, first, codecs, real_clips=settings.real_clips)
    yield pgd
    yield from score_further(
        target, further_threats(settings.suite, eps, seed), [score for score in pgd.scores if score.condition == "pgd"]
    )
    yield score_both_classes(target, Threat("unet", learned, eps, seed), codecs, real_clips=settings.real_clips)
    if settings.suite.adaptive_steps:
        yield from score_adaptive(target, codecs, first, settings.suite.adaptive_steps)


def _eps_curve(work: Evaluation, target: Target, frames: Sequence[FrameScore]) -> list[EpsScore]:
    """PGD and what stands after it, at every budget; what was scored already is not attacked again."""
    settings, own = work.params.evaluate, work.params.attack.eps
    scores: dict[str, list[FrameScore]] = defaultdict(list)
    for score in frames:
        if score.video in work.test.videos:
            scores[score.condition].append(score)
    clean, pgd = scores[CLEAN.name], scores["pgd"]
    known = {0.0: AtBudget(clean, clean), own: AtBudget(pgd, scores["apgd"] if settings.suite.apgd_steps else pgd)}
    ladders = {eps: _ladder(work, eps) for eps in settings.eps_curve if eps != own}
    return score_eps_curve(target, few_per_video(work.test, settings.eps_frames), known, ladders)


def _ladder(work: Evaluation, eps: float) -> list[Threat]:
    """The attacks of one budget of the curve: the costliest ones are left to the budget of the evaluation."""
    suite = work.params.evaluate.suite.model_copy(update={"pgd_steps": 0, "square_queries": 0})
    return [_pgd(work, eps), *further_threats(suite, eps, work.seed)]


def _pgd(work: Evaluation, eps: float) -> Threat:
    return Threat("pgd", PGD(eps, work.params.attack.steps, work.params.attack.restarts), eps, work.seed)


def _sanity(work: Evaluation, surrogate: nn.Module, *, undefended: bool) -> list[SanityCheck]:
    device = next(work.model.parameters()).device
    rows = {label: evenly(work.test.of_label(label).rows, work.params.evaluate.sanity_frames) for label in (REAL, FAKE)}
    reals, fakes = (to_unit(work.test.stacked(rows[label]), device) for label in (REAL, FAKE))
    seeds = [derive_seed(work.seed, row.video, row.frame) for row in rows[FAKE]]
    suspect = Suspect(work.model, reals, fakes, seeds, None if undefended else surrogate, undefended)
    return sanity_checks(suspect, work.params.attack.eps, work.params.evaluate.eps_curve, workers=worker_count())


def _scores(model: nn.Module, crops: CropSet, reading: Reading, name: str, params: Params) -> list[FrameScore]:
    scores: list[FrameScore] = []
    batch_size = params.evaluate.batch_size
    with progress_bar(total=len(crops.rows), title=name) as bar:
        for batch in score_clips(
            model, crops.clips(), reading, condition=name, batch_size=batch_size, workers=worker_count()
        ):
            scores += batch
            bar.update(len(batch))
    return scores


if __name__ == "__main__":
    sys.exit(run(main, on_all_ranks=True))
