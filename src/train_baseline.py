"""Stage: fit the hybrid detector on clean crops; with --mask-faces one that must learn nothing."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import torch
from torch import nn

from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import Checkpoint, save_checkpoint
from deepfake.detector.hybrid import HybridDetector
from deepfake.evaluation.prediction import masked_face, validation_scores, whole_clips
from deepfake.params import BaselineParams, Params, load_params
from deepfake.ranks import joined
from deepfake.records import FrameScore
from deepfake.runtime import derive_seed, is_first
from deepfake.stage import run
from deepfake.training.compiling import asked_mode, compile_in
from deepfake.training.curves import open_curves
from deepfake.training.detection_losses import clean_step
from deepfake.training.fit import Fit, open_training_device, prepare_fit
from deepfake.training.loop import Task, keeping_best, run_fit
from deepfake.training.selection import calibrate, frame_loss, halve, video_auc
from deepfake.training.training_set import augmented_batches, trained_on
from deepfake.work import file_hash, loaded_code, work_folder, work_key


@joined()
def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params = load_params()
    settings = params.baseline
    if args.mask_faces:
        settings = settings.model_copy(update={"epochs": params.faceless.epochs})
    crops = open_crops(args.crops)
    require_both_classes(crops, ["train", "val"], args.crops)
    train, val = (crops.in_splits([split]) for split in ("train", "val"))

    device = open_training_device()
    torch.manual_seed(derive_seed(params.seed, "weights"))
    model = HybridDetector(params.detector).to(device).to(memory_format=torch.channels_last)
    fit = prepare_fit(model, settings)
    mode = asked_mode()
    compile_in(fit.model, mode)
    data = [file_hash(path) for path in sorted(args.crops.iterdir())]
    computing = [str(device), mode]
    key = work_key(params.seed, params.detector, settings, args.mask_faces, data, computing, code=loaded_code())
    state = work_folder("train_baseline") / f"{key}.pt"
    batches = augmented_batches(
        train, settings.augment, steps=settings.steps, batch_size=settings.batch_size, seed=params.seed, device=device,
        mask_faces=args.mask_faces,
    )  # fmt: skip
    task = Task(
        batches=batches.epoch,
        step=clean_step(settings.label_smoothing),
        validate=lambda average: _validate(average, val, settings, args.mask_faces),
        rank=lambda metrics: (metrics["val/auc"], -metrics["val/loss"]),
    )
    save = partial(_save, fit=fit, params=params, train=train, val=val, mask_faces=args.mask_faces)
    with keeping_best(fit, state, save), open_curves(args.curves) as log:
        run_fit(fit, task, settings, seed=params.seed, state=state, log=log)
    save(args.out)
    if is_first():
        state.unlink()


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--out", required=True, type=Path, help="checkpoint to write")
    parser.add_argument("--curves", required=True, type=Path, help="folder for training curves")
    parser.add_argument("--mask-faces", action="store_true", help="grey out every face, in training and validation")
    return parser.parse_args(argv)


def _validate(model: nn.Module, crops: CropSet, settings: BaselineParams, mask_faces: bool) -> dict[str, float]:
    pick, _ = halve(crops.seen)
    scores = _score(model, crops, settings, mask_faces)
    return {"val/auc": video_auc(scores, pick), "val/loss": frame_loss(scores, pick)}


def _score(model: nn.Module, crops: CropSet, settings: BaselineParams, mask_faces: bool) -> list[FrameScore]:
    reading = masked_face(crops) if mask_faces else whole_clips(crops)
    return validation_scores(model, crops, reading, batch_size=2 * settings.batch_size)  # no gradients: there is room


def _save(path: Path, fit: Fit, params: Params, train: CropSet, val: CropSet, mask_faces: bool) -> None:
    model = fit.average.module
    model.load_state_dict(fit.best_weights)
    best = fit.history[fit.best_epoch]
    told = {"stage": "train_baseline", "seed": params.seed, "epoch": fit.best_epoch + 1}
    checkpoint = Checkpoint(
        detector=params.detector,
        faces=params.faces,
        crops=params.crops,
        weights=fit.best_weights,
        calibration=calibrate(_score(model, val, params.baseline, mask_faces), val.videos),
        training={**told, **trained_on(train, params.baseline.augment), **best},
    )
    if not is_first():
        return
    save_checkpoint(path, checkpoint)
    print(f"kept epoch {fit.best_epoch + 1} of {len(fit.history)}: validation video AUC {best['val/auc']:.3f}")


if __name__ == "__main__":
    sys.exit(run(main, on_all_ranks=True))
