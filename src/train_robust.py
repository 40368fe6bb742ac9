"""Stage: fit the detector again, from the baseline's weights on, while PGD and a U-Net attack it.

With `--adversaries none` it is the control: as many further steps on the same crops, attacked by nobody.
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import nn

from deepfake.attacks.learned import Learned, load_attacker
from deepfake.attacks.pgd import PGD
from deepfake.crops.batches import Batch
from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from deepfake.evaluation.prediction import validation_scores, whole_clips
from deepfake.params import Params, load_params
from deepfake.ranks import joined
from deepfake.records import FrameScore
from deepfake.runtime import derive_seed, is_first
from deepfake.stage import run
from deepfake.training.adversarial import Adversaries, Opponents
from deepfake.training.curves import open_curves
from deepfake.training.fit import Fit, open_training_device, prepare_fit
from deepfake.training.free_pgd import replayed
from deepfake.training.loop import Task, keeping_best, run_fit
from deepfake.training.selection import calibrate, frame_loss, halve, robust_rank, video_auc
from deepfake.training.training_set import augmented_batches, trained_on
from deepfake.training.watching import cut_slice
from deepfake.work import file_hash, loaded_code, work_folder, work_key

OPPONENTS = {
    "both": Opponents(),
    "pgd": Opponents(unet=False),
    "unet": Opponents(pgd=False),
    "none": Opponents(pgd=False, unet=False),
}


@joined()
def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params = load_params()
    crops = open_crops(args.crops)
    require_both_classes(crops, ["train", "val"], args.crops)
    train, val = (crops.in_splits([split]) for split in ("train", "val"))

    device = open_training_device()
    baseline = load_checkpoint(args.baseline)
    torch.manual_seed(derive_seed(params.seed, "adversaries"))
    eps = params.robust.eps or params.attack.eps
    opponents = OPPONENTS[args.adversaries]
    unet = load_attacker(args.attacker, device).unet
    adversaries = Adversaries(params.robust, params.unet, opponents, unet, eps=eps)
    fit = prepare_fit(baseline.build(device).requires_grad_(), params.robust)
    fit.companions["adversaries"] = adversaries
    data = [file_hash(path) for path in [args.baseline, args.attacker, *sorted(args.crops.iterdir())]]
    settings = (params.seed, params.attack, params.unet, params.robust, params.baseline.augment, args.adversaries)
    state = work_folder("train_robust") / f"{work_key(*settings, data, str(device), code=loaded_code())}.pt"
    validate = _validation(val, params, adversaries, device)
    clean = video_auc(_score(fit.average.module, val, params.robust.batch_size), halve(val.seen)[0])
    task = Task(
        batches=_batches(train, params, device),
        step=adversaries.step,
        validate=lambda average: adversaries.observed() | validate(average),
        rank=robust_rank(clean - params.robust.max_clean_drop),
        review=adversaries.review,
    )
    save = partial(
        _save, fit=fit, params=params, baseline=baseline, train=train, val=val, adversaries=args.adversaries
    )  # fmt: skip
    with keeping_best(fit, state, save), open_curves(args.curves) as log:
        run_fit(fit, task, params.robust, seed=params.seed, state=state, log=log)
    save(args.out)
    if is_first():
        state.unlink()


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--baseline", required=True, type=Path, help="checkpoint to start from")
    parser.add_argument("--attacker", required=True, type=Path, help="U-Net to start from: one fitted against it")
    parser.add_argument("--out", required=True, type=Path, help="checkpoint to write")
    parser.add_argument("--curves", required=True, type=Path, help="folder for training curves")
    parser.add_argument("--adversaries", choices=OPPONENTS, default="both", help="who attacks in training")
    return parser.parse_args(argv)


def _batches(crops: CropSet, params: Params, device: torch.device) -> Callable[[int], Iterator[Batch]]:
    robust, seed = params.robust, derive_seed(params.seed, "robust")
    batches = augmented_batches(
        crops, params.baseline.augment, steps=robust.steps // robust.replays, batch_size=robust.batch_size, seed=seed,
        device=device,
    )  # fmt: skip
    return lambda epoch: replayed(batches.epoch(epoch), robust.replays)


def _validation(
    crops: CropSet, params: Params, adversaries: Adversaries, device: torch.device
) -> Callable[[nn.Module], dict[str, float]]:
    """Clean and attacked metrics of a detector on the validation people that pick the epoch."""
    pick, _ = halve(crops.seen)
    robust, eps = params.robust, params.attack.eps
    watched = cut_slice(crops, pick, robust.watch_frames, seed=params.seed, device=device)

    def validate(model: nn.Module) -> dict[str, float]:
        scores = _score(model, crops, robust.batch_size)
        metrics = {"val/auc": video_auc(scores, pick), "val/loss": frame_loss(scores, pick)}
        metrics["val/watch_auc"] = watched.evasion(model, PGD(eps, robust.watch_steps)).auc
        if adversaries.opponents.pgd:
            metrics["val/inner_auc"] = watched.evasion(model, replace(adversaries.inner_attack, eps=eps)).auc
        if adversaries.opponents.unet:
            metrics["val/unet_auc"] = watched.evasion(model, Learned(adversaries.unet, eps)).auc
        return metrics

    return validate


def _score(model: nn.Module, crops: CropSet, batch_size: int) -> list[FrameScore]:
    return validation_scores(model, crops, whole_clips(crops), batch_size=2 * batch_size)


def _save(
    path: Path, fit: Fit, params: Params, baseline: Checkpoint, train: CropSet, val: CropSet, adversaries: str
) -> None:
    model = fit.average.module
    model.load_state_dict(fit.best_weights)
    best = fit.history[fit.best_epoch]
    told = {"stage": "train_robust", "adversaries": adversaries, "seed": params.seed, "epoch": fit.best_epoch + 1}
    checkpoint = Checkpoint(
        detector=baseline.detector,
        faces=baseline.faces,
        crops=baseline.crops,
        weights=fit.best_weights,
        calibration=calibrate(_score(model, val, params.robust.batch_size), val.videos),
        training={**told, **trained_on(train, params.baseline.augment), **best},
    )
    if not is_first():
        return
    save_checkpoint(path, checkpoint)
    print(
        f"kept epoch {fit.best_epoch + 1} of {len(fit.history)}: validation video AUC {best['val/auc']:.3f}, "
        f"frame AUC under PGD {best['val/watch_auc']:.3f}"
    )


if __name__ == "__main__":
    sys.exit(run(main, on_all_ranks=True))
