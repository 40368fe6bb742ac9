"""Stage: score test videos of a dataset under every attack and every codec, and validation videos clean."""

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from torch import nn

from deepfake.attacks.learned import load_attacker
from deepfake.attacks.pgd import PGD
from deepfake.crops.batches import to_unit
from deepfake.crops.choosing import evenly, few_per_video
from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.evaluation.attacked import Threat, complete, few_clips, score_attacked
from deepfake.evaluation.budgets import score_eps_curve
from deepfake.evaluation.conditions import CLEAN, attacked_conditions, compressed_conditions
from deepfake.evaluation.prediction import ReadClip, corrupted, masked_face, score_clips, whole_clip
from deepfake.evaluation.sanity import Suspect, sanity_checks
from deepfake.findings import EpsScore, Perturbation, SanityCheck
from deepfake.params import Params, load_params
from deepfake.records import FAKE, REAL, FaceVideo, FrameScore
from deepfake.runtime import derive_seed, open_device, progress_bar, replacing_folder, worker_count
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


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params = load_params()
    crops = open_crops(args.crops).in_splits(["val", "test"])
    require_both_classes(crops, sorted({video.split for video in crops.videos.values()}), args.crops)
    device = open_device()
    checkpoint, surrogate = load_checkpoint(args.model), load_checkpoint(args.surrogate)
    control, learned = load_checkpoint(args.control), load_attacker(args.attacker, device)
    with_video = all(video.kind == "video" for video in crops.videos.values())
    model = checkpoint.build(device)
    seed = derive_seed(params.seed, "evaluate")
    work = Evaluation(params, model, crops, crops.in_splits(["test"]), with_video, seed)

    eps = params.attack.eps
    frames = _score_compressed(work)
    perturbations: list[Perturbation] = []
    for threat in (_pgd(params, seed, eps), Threat("unet", learned, eps, seed)):
        scores, moved = _score_threat(work, threat, frames)
        frames, perturbations = frames + scores, perturbations + moved
    curve = _eps_curve(work, frames)
    checks = _sanity(work, surrogate.build(device), undefended=args.model == args.surrogate)
    masked = _scores(control.build(device), crops, masked_face(crops), "face_masked", params)
    with replacing_folder(args.out) as folder:
        write_rows(folder / "frames.csv", FrameScore, frames)
        write_rows(folder / "eps_curve.csv", EpsScore, curve)
        write_rows(folder / "perturbations.csv", Perturbation, perturbations)
        write_rows(folder / "sanity.csv", SanityCheck, checks)
        write_rows(folder / "control.csv", FrameScore, masked)
        write_rows(folder / "videos.csv", FaceVideo, crops.videos.values())
        (folder / "calibration.json").write_text(json.dumps(asdict(checkpoint.calibration), indent=2) + "\n")


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--model", required=True, type=Path, help="checkpoint to score with")
    parser.add_argument("--attacker", required=True, type=Path, help="attacker that was fitted against it")
    parser.add_argument("--surrogate", required=True, type=Path, help="undefended checkpoint to transfer attacks from")
    parser.add_argument("--control", required=True, type=Path, help="checkpoint that was trained on masked faces")
    parser.add_argument("--out", required=True, type=Path, help="folder for score tables")
    return parser.parse_args(argv)


def _score_compressed(work: Evaluation) -> list[FrameScore]:
    """Test videos under every codec; clean also those of validation, which thresholds come from."""
    scores: list[FrameScore] = []
    for condition in compressed_conditions(work.params.evaluate, with_video=work.with_video):
        crops = work.crops if condition is CLEAN else work.test
        scores += _scores(
            work.model, crops, corrupted(whole_clip(crops), condition.corrupt), condition.name, work.params
        )
    return scores


def _score_threat(
    work: Evaluation, threat: Threat, unattacked: Sequence[FrameScore]
) -> tuple[list[FrameScore], list[Perturbation]]:
    codecs = attacked_conditions(work.params.evaluate, with_video=work.with_video)
    crops = few_clips(work.test, REAL, work.params.evaluate.real_clips)
    scores, perturbations = [], []
    with progress_bar(total=len(crops.rows), title=threat.name) as bar:
        for done in score_attacked(
            work.model, crops, threat, codecs, batch_size=work.params.evaluate.batch_size, workers=worker_count()
        ):
            scores += done.scores
            perturbations += done.perturbations
            bar.update(len(done.scores) // len(codecs))
    names = {codec.name: codec.after(threat.name) for codec in codecs}
    reals: dict[str, list[FrameScore]] = defaultdict(list)
    for score in unattacked:
        if score.condition in names and score.video in work.test.videos:
            reals[names[score.condition]].append(score)
    return complete(scores, reals, work.test.videos), perturbations


def _eps_curve(work: Evaluation, frames: Sequence[FrameScore]) -> list[EpsScore]:
    """PGD at every budget; what was scored already is not attacked again."""
    attack, settings = work.params.attack, work.params.evaluate
    known = {
        eps: [score for score in frames if score.condition == condition and score.video in work.test.videos]
        for eps, condition in ((0.0, CLEAN.name), (attack.eps, "pgd"))
    }
    return score_eps_curve(
        work.model,
        few_per_video(work.test, settings.eps_frames),
        known,
        [_pgd(work.params, work.seed, eps) for eps in settings.eps_curve if eps != attack.eps],
        batch_size=settings.batch_size,
        workers=worker_count(),
    )


def _pgd(params: Params, seed: int, eps: float) -> Threat:
    return Threat("pgd", PGD(eps, params.attack.steps, params.attack.restarts), eps, seed)


def _sanity(work: Evaluation, surrogate: nn.Module, *, undefended: bool) -> list[SanityCheck]:
    device = next(work.model.parameters()).device
    pixels, seeds = {}, []
    for label in (REAL, FAKE):
        rows = evenly(work.test.of_label(label).rows, work.params.evaluate.sanity_frames)
        pixels[label] = to_unit(np.stack([work.test.pixels(row) for row in rows]), device)
        seeds = [derive_seed(work.seed, row.video, row.frame) for row in rows]
    suspect = Suspect(work.model, pixels[REAL], pixels[FAKE], seeds, None if undefended else surrogate, undefended)
    return sanity_checks(suspect, work.params.attack.eps, work.params.evaluate.eps_curve, workers=worker_count())


def _scores(model: nn.Module, crops: CropSet, read: ReadClip, name: str, params: Params) -> list[FrameScore]:
    scores: list[FrameScore] = []
    batch_size = params.evaluate.batch_size
    with progress_bar(total=len(crops.rows), title=name) as bar:
        for batch in score_clips(
            model, crops.clips(), read, condition=name, batch_size=batch_size, workers=worker_count()
        ):
            scores += batch
            bar.update(len(batch))
    return scores


if __name__ == "__main__":
    sys.exit(run(main))
