"""Stage: fit the hybrid detector on clean crops; with --mask-faces the control that must learn nothing."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from dvclive import Live
from torch import nn

from deepfake.corruptions.jpeg import jpeg
from deepfake.crops.augmentation import augment
from deepfake.crops.batches import TrainingBatches
from deepfake.crops.cutting import mask_face
from deepfake.crops.shards import CropSet, open_crops, require_both_classes
from deepfake.detector.checkpoint import Checkpoint, save_checkpoint
from deepfake.detector.hybrid import HybridDetector
from deepfake.evaluation.prediction import score_clips
from deepfake.params import Params, TrainingParams, load_params
from deepfake.records import CropRow, FrameScore
from deepfake.runtime import derive_seed, open_device, worker_count
from deepfake.stage import run
from deepfake.training.clean import clean_step
from deepfake.training.loop import Fit, Task, prepare_fit, run_fit
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
        validate=lambda average: _validate(average, crops.in_splits(["val"]), args.mask_faces),
        rank=lambda metrics: (metrics["val/auc"], -metrics["val/loss"]),
    )
    with Live(str(args.curves), dvcyaml=None, save_dvc_exp=False, report=None, monitor_system=False) as live:
        run_fit(fit, task, settings, seed=params.seed, state=state, log=lambda metrics: _log(live, metrics))
    _save(args.out, fit, params, crops.in_splits(["val"]), args.mask_faces)
    state.unlink()


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--out", required=True, type=Path, help="checkpoint to write")
    parser.add_argument("--curves", required=True, type=Path, help="folder for training curves")
    parser.add_argument("--mask-faces", action="store_true", help="grey out every face, in training and validation")
    return parser.parse_args(argv)


def _batches(
    crops: CropSet, settings: TrainingParams, seed: int, device: torch.device, mask_faces: bool
) -> TrainingBatches:
    def transform(crop: np.ndarray, row: CropRow, rng: np.random.Generator) -> np.ndarray:
        if mask_faces:
            crop = mask_face(crop, row.face)
        return augment(crop, settings.augment, rng, compress=jpeg)

    return TrainingBatches(
        crops, settings.steps, settings.batch_size, transform, seed=seed, device=device, workers=worker_count()
    )


def _validate(model: nn.Module, crops: CropSet, mask_faces: bool) -> dict[str, float]:
    pick, _ = halve(crops.videos)
    scores = _score(model, crops, mask_faces)
    return {"val/auc": video_auc(scores, pick), "val/loss": frame_loss(scores, pick)}


def _score(model: nn.Module, crops: CropSet, mask_faces: bool) -> list[FrameScore]:
    def read(rows: Sequence[CropRow]) -> list[np.ndarray]:
        return [mask_face(crops.pixels(row), row.face) if mask_faces else crops.pixels(row) for row in rows]

    batches = score_clips(model, crops.clips(), read, batch_size=64, workers=worker_count())
    return [score for batch in batches for score in batch]


def _log(live: Live, metrics: dict[str, float]) -> None:
    for name, value in metrics.items():
        live.log_metric(name, round(value, 5))
    live.next_step()


def _save(path: Path, fit: Fit, params: Params, crops: CropSet, mask_faces: bool) -> None:
    model = fit.average.module
    model.load_state_dict(fit.best_weights)
    best = fit.history[fit.best_epoch]
    checkpoint = Checkpoint(
        detector=params.detector,
        faces=params.faces,
        crops=params.crops,
        weights=fit.best_weights,
        calibration=calibrate(_score(model, crops, mask_faces), crops.videos),
        training={"stage": "train_baseline", "seed": params.seed, "epoch": fit.best_epoch + 1, **best},
    )
    save_checkpoint(path, checkpoint)
    print(f"kept epoch {fit.best_epoch + 1} of {len(fit.history)}: validation video AUC {best['val/auc']:.3f}")


if __name__ == "__main__":
    sys.exit(run(main))
