"""Stage: fit the hybrid detector on clean crops; with --mask-faces the control that must learn nothing."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from deepfake.corruptions.jpeg import jpeg
from deepfake.crops.augmentation import augment
from deepfake.crops.batches import TrainingBatches
from deepfake.crops.cutting import mask_face
from deepfake.crops.self_blending import is_self_blended, self_blend, with_self_blended
from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import Checkpoint, save_checkpoint
from deepfake.detector.hybrid import HybridDetector
from deepfake.evaluation.prediction import masked_face, score_clips, whole_clip
from deepfake.params import BaselineParams, Params, load_params
from deepfake.records import CropRow, FrameScore
from deepfake.runtime import derive_seed, open_device, worker_count
from deepfake.stage import run
from deepfake.training.clean import clean_step
from deepfake.training.curves import open_curves
from deepfake.training.fit import Fit, prepare_fit
from deepfake.training.loop import Task, keeping_best, run_fit
from deepfake.training.selection import calibrate, frame_loss, halve, video_auc
from deepfake.work import file_hash, loaded_code, work_folder, work_key


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params = load_params()
    settings = params.baseline
    if args.mask_faces:
        settings = settings.model_copy(update={"epochs": params.control.epochs})
    crops = open_crops(args.crops)
    require_both_classes(crops, ["train", "val"], args.crops)
    val = crops.in_splits(["val"])

    device = open_device()
    torch.manual_seed(derive_seed(params.seed, "weights"))
    model = HybridDetector(params.detector).to(device).to(memory_format=torch.channels_last)
    fit = prepare_fit(model, settings)
    data = [file_hash(path) for path in sorted(args.crops.iterdir())]
    key = work_key(params.seed, params.detector, settings, args.mask_faces, data, str(device), code=loaded_code())
    state = work_folder("train_baseline") / f"{key}.pt"
    task = Task(
        batches=_batches(crops.in_splits(["train"]), settings, params.seed, device, args.mask_faces).epoch,
        step=clean_step(settings.label_smoothing),
        validate=lambda average: _validate(average, val, settings, args.mask_faces),
        rank=lambda metrics: (metrics["val/auc"], -metrics["val/loss"]),
    )
    save = partial(_save, fit=fit, params=params, crops=val, mask_faces=args.mask_faces)
    with keeping_best(fit, state, save), open_curves(args.curves) as log:
        run_fit(fit, task, settings, seed=params.seed, state=state, log=log)
    save(args.out)
    state.unlink()


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--out", required=True, type=Path, help="checkpoint to write")
    parser.add_argument("--curves", required=True, type=Path, help="folder for training curves")
    parser.add_argument("--mask-faces", action="store_true", help="grey out every face, in training and validation")
    return parser.parse_args(argv)


def _batches(
    crops: CropSet, settings: BaselineParams, seed: int, device: torch.device, mask_faces: bool
) -> TrainingBatches:
    def transform(crop: np.ndarray, row: CropRow, rng: np.random.Generator) -> np.ndarray:
        if is_self_blended(row):
            crop = self_blend(crop, row.face, rng)
        if mask_faces:
            crop = mask_face(crop, row.face)
        return augment(crop, settings.augment, rng, compress=jpeg)

    crops = with_self_blended(crops) if settings.augment.self_blended else crops
    return TrainingBatches(
        crops, settings.steps, settings.batch_size, transform, seed=seed, device=device, workers=worker_count()
    )


def _validate(model: nn.Module, crops: CropSet, settings: BaselineParams, mask_faces: bool) -> dict[str, float]:
    pick, _ = halve(crops.videos)
    scores = _score(model, crops, settings, mask_faces)
    return {"val/auc": video_auc(scores, pick), "val/loss": frame_loss(scores, pick)}


def _score(model: nn.Module, crops: CropSet, settings: BaselineParams, mask_faces: bool) -> list[FrameScore]:
    read = masked_face(crops) if mask_faces else whole_clip(crops)
    batch_size = 2 * settings.batch_size  # without gradients there is room for more
    batches = score_clips(
        model, crops.clips(), read, condition="val", batch_size=batch_size, workers=worker_count()
    )  # fmt: skip
    return [score for batch in batches for score in batch]


def _save(path: Path, fit: Fit, params: Params, crops: CropSet, mask_faces: bool) -> None:
    model = fit.average.module
    model.load_state_dict(fit.best_weights)
    best = fit.history[fit.best_epoch]
    checkpoint = Checkpoint(
        detector=params.detector,
        faces=params.faces,
        crops=params.crops,
        weights=fit.best_weights,
        calibration=calibrate(_score(model, crops, params.baseline, mask_faces), crops.videos),
        training={"stage": "train_baseline", "seed": params.seed, "epoch": fit.best_epoch + 1, **best},
    )
    save_checkpoint(path, checkpoint)
    print(f"kept epoch {fit.best_epoch + 1} of {len(fit.history)}: validation video AUC {best['val/auc']:.3f}")


if __name__ == "__main__":
    sys.exit(run(main))
