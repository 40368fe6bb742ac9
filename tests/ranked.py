"""A script for tests to start by itself or in several ranks: a few steps of training, or what goes wrong in one."""

import argparse
import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from deepfake.attacks.unet import PerturbationUNet
from deepfake.crops.batches import Batch, TrainingBatches
from deepfake.crops.shards import open_crops
from deepfake.detector.hybrid import HybridDetector
from deepfake.errors import DataError
from deepfake.params import DetectorParams, TrainingParams, load_params
from deepfake.ranks import gather, joined
from deepfake.runtime import is_first
from deepfake.stage import run
from deepfake.training.adversarial import Adversaries, Opponents
from deepfake.training.detection_losses import clean_step
from deepfake.training.fit import prepare_fit
from deepfake.training.loop import Losses, Task, run_fit

PARAMS = TrainingParams(
    epochs=1, steps=1, batch_size=8, learning_rate=1e-3, warmup=0.3, weight_decay=0.01, label_smoothing=0.05,
    average_halflife=0.5, max_gradient_norm=1e9,
)  # fmt: skip
DETECTOR = DetectorParams(
    backbone="efficientnet_lite0", stride=8, dim=16, depth=1, heads=2, dropout=0.0, pretrained=False, weights=None
)


@joined()
def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--crops", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--attacked", action="store_true", help="robust training in float32, and nothing else")
    parser.add_argument("--fail", action="store_true", help="the last rank meets an error, the first waits for it")
    parser.add_argument("--ill", action="store_true", help="the loss is infinite on the last rank, once")
    parser.add_argument("--epochs", type=int, default=1, help="of one step each")
    parser.add_argument("--end-in", type=int, default=0, metavar="EPOCH", help="all ranks meet an error in this one")
    args = parser.parse_args(argv)
    if args.fail:
        if not is_first():
            raise DataError("crops.csv: this rank met bad data")
        gather([])
    if args.attacked:
        train_attacked(args.crops, args.out, epochs=args.epochs)
        return
    train(args.crops, args.out, ill=args.ill, epochs=args.epochs, end_in=args.end_in)


def train_attacked(crops: Path, out: Path, *, epochs: int) -> None:
    """Epochs of a step against PGD and a U-Net; writes the U-Net's and the detector's weights of every rank."""
    torch.manual_seed(0)
    shipped = load_params(Path(__file__).parents[1] / "params.yaml")
    robust = shipped.robust.model_copy(update={"epochs": epochs, "steps": 1, "replays": 1, "batch_size": 8})
    fit = prepare_fit(HybridDetector(DETECTOR), robust)
    adversaries = Adversaries(robust, shipped.unet, Opponents(), PerturbationUNet(4), eps=8 / 255)
    fit.companions["adversaries"] = adversaries
    batches = TrainingBatches(
        open_crops(crops), 1, robust.batch_size, lambda crop, *_: crop, seed=0, device=torch.device("cpu"), workers=1
    )
    began = flat(adversaries.unet)
    withstands = {"val/inner_auc": 1.0, "val/watch_auc": 1.0}
    task = Task(batches.epoch, adversaries.step, lambda _: withstands, rank=lambda _: (0.0,), review=adversaries.review)
    run_fit(fit, task, robust, seed=0, state=out.with_suffix(".state"), log=lambda _: None)
    told = {"began": began, "unets": gather([flat(adversaries.unet)]), "detectors": gather([flat(fit.model)])}
    if is_first():
        torch.save(told, out)


def flat(network: nn.Module) -> Tensor:
    """All parameters of a network (P,)."""
    return torch.cat([parameter.detach().flatten() for parameter in network.parameters()])


def train(crops: Path, out: Path, *, ill: bool, epochs: int, end_in: int) -> None:
    """Epochs of a step in float64 with BatchNorm's statistics frozen; writes the losses and the last gradients."""
    torch.manual_seed(0)
    params = PARAMS.model_copy(update={"epochs": epochs})
    fit = prepare_fit(HybridDetector(DETECTOR).double(), params)
    batches = TrainingBatches(
        open_crops(crops), 1, PARAMS.batch_size, lambda crop, *_: crop, seed=0, device=torch.device("cpu"), workers=1
    )

    def in_float64(epoch: int) -> Iterator[Batch]:
        return (Batch(batch.x.double(), batch.y.double(), batch.rows) for batch in batches.epoch(epoch))

    def step(model: nn.Module, batch: Batch) -> Losses:
        if len(fit.history) + 1 == end_in:
            raise DataError(f"epoch {end_in}: no further")
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        losses = clean_step(PARAMS.label_smoothing)(model, batch)
        disturbed = ill and not is_first() and fit.setbacks == 0
        return {"clean": losses["clean"] * math.inf} if disturbed else losses

    task = Task(in_float64, step, validate=lambda _: {}, rank=lambda _: (0.0,))
    run_fit(fit, task, params, seed=0, state=out.with_suffix(".state"), log=lambda _: None)
    if is_first():
        gradients = {name: parameter.grad for name, parameter in fit.model.named_parameters()}
        losses = [metrics["train/clean"] for metrics in fit.history]
        told = {"losses": losses, "gradients": gradients, "setbacks": fit.setbacks}
        torch.save(told, out)


if __name__ == "__main__":
    sys.exit(run(main, on_all_ranks=True))
