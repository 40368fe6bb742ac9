"""Stage: fit a fresh U-Net against a frozen detector, on training crops, and keep what fools it best on validation.

The one that evaluation attacks with is fitted for `unet.epochs`, through a JPEG with a smoothed gradient. The one that
robust training opens with is fitted for `unet.opening_epochs` and through JPEG's own gradient, which training uses too.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import cast

import numpy as np
import torch
from torch import nn

from deepfake.attacks.learned import Learned, save_attacker
from deepfake.attacks.unet import PerturbationUNet
from deepfake.corruptions.differentiable_jpeg import differentiable_jpeg
from deepfake.crops.batches import TrainingBatches
from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import load_checkpoint
from deepfake.params import Params, UnetParams, load_params
from deepfake.ranks import joined
from deepfake.records import CropRow
from deepfake.runtime import derive_seed, is_first, worker_count
from deepfake.stage import run
from deepfake.training.attacker import Jpeg, attacker_step, smooth_jpeg
from deepfake.training.curves import open_curves
from deepfake.training.fit import Fit, open_training_device, prepare_fit
from deepfake.training.loop import Task, keeping_best, run_fit
from deepfake.training.selection import halve
from deepfake.training.watching import cut_slice
from deepfake.work import file_hash, loaded_code, work_folder, work_key

EVALUATION, TRAINING = "evaluation", "training"
MOST_WATCHED = 1000  # validation crops of each class that pick the epoch; they stay on the device


@joined()
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--model", required=True, type=Path, help="checkpoint to attack")
    parser.add_argument("--use", required=True, choices=[EVALUATION, TRAINING], help="what it is for")
    parser.add_argument("--out", required=True, type=Path, help="attacker to write")
    parser.add_argument("--curves", required=True, type=Path, help="folder for training curves")
    args = parser.parse_args(argv)

    params = load_params()
    crops = open_crops(args.crops)
    require_both_classes(crops, ["train", "val"], args.crops)
    device = open_training_device()
    detector = load_checkpoint(args.model).build(device)
    torch.manual_seed(derive_seed(params.seed, "attacker"))
    settings, jpeg = fitting(params.unet, args.use)
    unet = PerturbationUNet(settings.width).to(device)
    fit = prepare_fit(unet, settings)
    data = [file_hash(path) for path in [args.model, *sorted(args.crops.iterdir())]]
    told = (params.seed, settings, args.use, params.attack, params.baseline.augment)
    key = work_key(*told, data, str(device), code=loaded_code())
    state = work_folder("fit_attacker") / f"{key}.pt"
    task = Task(
        batches=_batches(crops.in_splits(["train"]), params, device).epoch,
        step=attacker_step(detector, settings, params.attack.eps, jpeg),
        validate=_validation(detector, crops.in_splits(["val"]), params, device),
        rank=lambda metrics: (-metrics["val/auc"], -metrics["val/logit"]),
    )
    save = partial(_save, fit=fit, unet=unet, eps=params.attack.eps)
    with keeping_best(fit, state, save), open_curves(args.curves) as log:
        run_fit(fit, task, settings, seed=params.seed, state=state, log=log)
    save(args.out)
    if is_first():
        state.unlink()


def fitting(unet: UnetParams, use: str) -> tuple[UnetParams, Jpeg]:
    """How a U-Net is fitted for a use, and through which JPEG."""
    if use == EVALUATION:
        return unet, smooth_jpeg
    return unet.model_copy(update={"epochs": unet.opening_epochs}), differentiable_jpeg


def _batches(crops: CropSet, params: Params, device: torch.device) -> TrainingBatches:
    """Crops as they will be attacked, mirrored or not: the attacker meets no other distortion."""

    def transform(crop: np.ndarray, _: CropRow, rng: np.random.Generator) -> np.ndarray:
        return np.ascontiguousarray(crop[:, ::-1]) if rng.random() < params.baseline.augment.flip else crop

    seed, unet = derive_seed(params.seed, "attacker"), params.unet
    return TrainingBatches(
        crops, unet.steps, unet.batch_size, transform, seed=seed, device=device, workers=worker_count()
    )


def _validation(
    detector: nn.Module, crops: CropSet, params: Params, device: torch.device
) -> Callable[[nn.Module], dict[str, float]]:
    pick, _ = halve(crops.seen)
    watched = cut_slice(crops, pick, MOST_WATCHED, seed=params.seed, device=device)

    def validate(average: nn.Module) -> dict[str, float]:
        attack = Learned(cast(PerturbationUNet, average), params.attack.eps)
        evasion = watched.evasion(detector, attack)
        return {"val/auc": evasion.auc, "val/logit": fmean(evasion.fakes)}

    return validate


def _save(path: Path, fit: Fit, unet: PerturbationUNet, eps: float) -> None:
    unet.load_state_dict(fit.best_weights)
    if not is_first():
        return
    save_attacker(path, unet, eps)
    best = fit.history[fit.best_epoch]
    print(f"kept epoch {fit.best_epoch + 1} of {len(fit.history)}: validation frame AUC {best['val/auc']:.3f}")


if __name__ == "__main__":
    sys.exit(run(main, on_all_ranks=True))
