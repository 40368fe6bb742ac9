"""Training beside a bare loop of the same timm network; a robust epoch beside PGD-10 and the U-Net in every batch.

The bare loop is forward and backward alone: no augmentation, optimiser, clipping or averaged weights. Ours is timed
with all of these, first on a batch at hand, then with reading and augmenting; to build the network and to keep its
state is not timed. From the repository's root, after `dvc repro`:

    PYTHONPATH=src python benchmarks/training.py --crops data/crops/train --out benchmarks/results/training
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from ablation_rows import USUAL_ROBUST
from ablation_table import units
from bare_timm import cut_network, train_bare, whole_network
from timing import Line, Took, circumstances, compare, in_turns, line, now, write_table
from torch import nn

from deepfake.attacks.unet import PerturbationUNet
from deepfake.crops.batches import Batch
from deepfake.crops.shards import open_crops
from deepfake.detector.hybrid import HybridDetector
from deepfake.errors import SettingsError
from deepfake.params import FitParams, Params, RobustParams, load_params
from deepfake.stage import run
from deepfake.training.adversarial import Adversaries, Opponents
from deepfake.training.compiling import compile_in
from deepfake.training.detection_losses import clean_step
from deepfake.training.fit import open_training_device, prepare_fit
from deepfake.training.free_pgd import replayed
from deepfake.training.loop import Step, Task, run_fit
from deepfake.training.training_set import augmented_batches

OURS, WHOLE, CUT = "ours", "timm, the whole network", "timm, as much of it as ours has"
ROBUST, CLEAN, USUAL = "robust epoch", "clean epoch", "PGD-10 and U-Net in every batch"

Epoch = Callable[[int], Iterable[Batch]]


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, device = load_params(), open_training_device()
    if args.steps % params.robust.replays:
        raise SettingsError(f"--steps: a multiple of robust.replays={params.robust.replays} would be right")
    lines = [*_clean(args, params, device), *_robust(args, params, device)]
    counted = [units(each, "both") for each in (params.robust, usual(params.robust))]
    write_table(args.out, lines, [
        f"{params.detector.backbone} to stride {params.detector.stride}, crops of {params.crops.size} pixels, "
        f"batches of {params.baseline.batch_size} (robust: {params.robust.batch_size}), {args.steps} steps a round",
        f"units (forward and backward passes per crop and step): baseline 1, ours {counted[0]}, {USUAL} {counted[1]}",
        f"an epoch: {params.robust.steps} steps without validation, extrapolated from {args.steps}",
        circumstances(device, args.rounds),
    ])  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote, with training crops")
    parser.add_argument("--steps", type=int, default=16, help="optimiser steps a round (default: 16)")
    parser.add_argument("--rounds", type=int, default=5, help="times that everything runs (default: 5)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def usual(robust: RobustParams) -> RobustParams:
    """The robust training as the field does it: ten steps of PGD and the U-Net on every crop of every batch."""
    return robust.model_copy(update=USUAL_ROBUST)


def batches_of(crops: Path, params: Params, settings: FitParams, device: torch.device, steps: int) -> Epoch:
    """Augmented training batches, as the stages draw them.

    Args:
        crops: folder that cache_crops wrote.
        params: what augments.
        settings: of the training that the batches are for.
        device: where they go.
        steps: batches in an epoch.
    """
    train = open_crops(crops).in_splits(["train"])
    return augmented_batches(
        train, params.baseline.augment, steps=steps, batch_size=settings.batch_size, seed=params.seed, device=device
    ).epoch


def train(
    params: Params, settings: FitParams, step: Step, epoch: Epoch, *, steps: int, device: torch.device,
    mode: str = "", warm: bool = False,
) -> Took:  # fmt: skip
    """One epoch of a detector with random weights by our training loop, without validation.

    With a mode of torch.compile the detector is compiled. Then, and where it is to be `warm`, the epoch is the second
    of two: neither compiling is timed nor what a first step sets up.

    Returns:
        Seconds from the first batch to the last step: to build the network and to keep its state is no part of a step.
    """
    model = HybridDetector(params.detector.model_copy(update={"pretrained": False, "weights": None}))
    model.to(device).to(memory_format=torch.channels_last)
    short = settings.model_copy(update={"epochs": 2 if mode or warm else 1, "steps": steps})
    clock: list[float] = []

    def begin(number: int) -> Iterable[Batch]:
        clock.append(now())
        return epoch(number)

    def end(_: nn.Module) -> dict[str, float]:
        clock.append(now())
        return {}

    task = Task(begin, step, validate=end, rank=lambda _: ())
    fit = prepare_fit(model, short)
    compile_in(fit.model, mode)
    with TemporaryDirectory() as folder:
        run_fit(fit, task, short, seed=0, state=Path(folder, "state.pt"), log=lambda _: None)
    first, last = clock[-2:]
    return Took(last - first)


def train_robust(params: Params, robust: RobustParams, epoch: Epoch, *, steps: int, device: torch.device) -> Took:
    """The same against PGD and a U-Net."""
    unet = PerturbationUNet(params.unet.width).to(device)
    adversaries = Adversaries(robust, params.unet, Opponents(), unet, eps=params.attack.eps)
    again = partial(_again, epoch, robust.replays)
    return train(params, robust, adversaries.step, again, steps=steps, device=device)


def _again(epoch: Epoch, times: int, number: int) -> Iterator[Batch]:
    return replayed(epoch(number), times)


def _clean(args: argparse.Namespace, params: Params, device: torch.device) -> Iterator[Line]:
    settings, steps = params.baseline, args.steps
    epoch = batches_of(args.crops, params, settings, device, steps)
    at_hand = [next(iter(epoch(0)))] * steps
    whole, cut = whole_network(params.detector, device), cut_network(params.detector, device)
    step = clean_step(settings.label_smoothing)
    ours = partial(train, params, settings, step, steps=steps, device=device)
    ways = {
        OURS: lambda: ours(lambda _: at_hand),
        "with augmentation": lambda: ours(epoch),
        WHOLE: lambda: train_bare(whole, at_hand),
        CUT: lambda: train_bare(cut, at_hand),
    }
    seconds = in_turns(ways, args.rounds, title="clean training")
    count, goals = steps * settings.batch_size, {WHOLE: 0.9, CUT: 0.9}
    augmented = {OURS: seconds.pop("with augmentation"), WHOLE: seconds[WHOLE], CUT: seconds[CUT]}
    yield from compare("clean step", seconds, OURS, count=count, unit="images/s", goals=goals)
    yield from compare("and augmentation", augmented, OURS, count=count, unit="images/s", goals=goals)


def _robust(args: argparse.Namespace, params: Params, device: torch.device) -> Iterator[Line]:
    steps, robust, dear = args.steps, params.robust, usual(params.robust)
    clean = batches_of(args.crops, params, params.robust, device, steps)
    few = batches_of(args.crops, params, params.robust, device, steps // robust.replays)
    ways = {
        ROBUST: lambda: train_robust(params, robust, few, steps=steps, device=device),
        CLEAN: lambda: train(params, robust, clean_step(0.0), clean, steps=steps, device=device),
        USUAL: lambda: train_robust(params, dear, clean, steps=steps, device=device),
    }
    seconds = in_turns(ways, args.rounds, title="robust training", warm_up=False)
    minutes = {name: [each * robust.steps / steps / 60 for each in found] for name, found in seconds.items()}
    for other in (CLEAN, USUAL):
        yield line(ROBUST, other, "minutes", minutes[ROBUST], minutes[other], less_is_better=True)


if __name__ == "__main__":
    sys.exit(run(main))
