"""What one GPU (or CPU) does in a second, beside bare loops of the same networks, and the memory that it takes.

MTCNN on frames, clean and robust training, and PGD as evaluation runs it; everything on made-up pictures, so that no
data set is needed. From the repository's root; the settings are those of params.yaml unless given:

    PYTHONPATH=src python benchmarks/gpu.py --size 224 --batch 128 --out benchmarks/results/gpu

With `--compile reduce-overhead` also clean training with torch.compile in that mode.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch
from ablation_table import units
from bare_timm import attack_bare, train_bare, whole_network
from face_recipes import BatchedRecipe
from memory import measured
from timing import Line, Way, circumstances, compare, in_turns, line, write_table
from training import train, train_robust

from deepfake.attacks.pgd import PGD
from deepfake.crops.batches import Batch, to_unit
from deepfake.crops.shards import CropSet
from deepfake.detector.hybrid import HybridDetector
from deepfake.errors import SettingsError
from deepfake.evaluation.attacked import Threat, score_attacked
from deepfake.evaluation.conditions import CLEAN
from deepfake.faces.mtcnn import FaceFinder, shrink
from deepfake.params import Params, load_params
from deepfake.records import CropRow, FaceVideo
from deepfake.runtime import open_device, worker_count
from deepfake.stage import run
from deepfake.training.detection_losses import clean_step

OURS, TIMM, MTCNN = "ours", "a bare timm loop", "facenet-pytorch on whole frames"
EAGER = "ours, not compiled"


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, device = load_params(), open_device()
    size, batch = args.size or params.crops.size, args.batch or params.baseline.batch_size
    if args.steps % params.robust.replays:
        raise SettingsError(f"--steps: a multiple of robust.replays={params.robust.replays} would be right")
    pixels = made_up_pixels(batch, size)
    lines = [
        *_faces(args, params, device),
        *_training(pixels, args, params, device),
        *_attacking(pixels, args, params, device),
    ]
    compiled = f"compiled: ours in torch.compile's mode {args.compile}, compiling not timed; nothing else is compiled"
    network = f"{params.detector.backbone} to stride {params.detector.stride}, {size} px, batches of {batch}"
    write_table(args.out, lines, [
        f"{network}; a bare timm loop: all of {params.detector.backbone}, nothing but forward and backward",
        f"robust training: {units(params.robust, 'both')} passes per image and step; evaluation: PGD with "
        f"{params.attack.steps} steps, the best point of which is kept, rounded, scored and measured",
        f"MTCNN: {args.frame[0]}x{args.frame[1]} without a face; ours shrinks that to {params.faces.max_side}",
        "peak memory: of the GPU's allocator, or on a CPU of the process with all that the script holds",
        compiled if args.compile else "torch.compile is not used",
        circumstances(device, args.rounds),
    ])  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, help="side of a crop (default: crops.size)")
    parser.add_argument("--batch", type=int, help="crops in a batch (default: baseline.batch_size)")
    parser.add_argument("--frame", type=int, nargs=2, default=(1280, 720), metavar=("WIDTH", "HEIGHT"),
                        help="size of a frame (default: 1280 720)")  # fmt: skip
    parser.add_argument("--frames", type=int, default=32, help="frames that MTCNN looks at (default: 32)")
    parser.add_argument("--steps", type=int, default=16, help="optimiser steps a round (default: 16)")
    parser.add_argument("--rounds", type=int, default=5, help="times that everything runs (default: 5)")
    parser.add_argument("--compile", metavar="MODE", help="time clean training with torch.compile, too: a mode of it")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def made_up_pixels(count: int, size: int) -> np.ndarray:
    """Noise, uint8 (count, size, size, 3)."""
    return np.random.default_rng(0).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def made_up_batch(pixels: np.ndarray, device: torch.device) -> Batch:
    """A batch of crops (B, S, S, 3) as training sees them."""
    crops = made_up_crops(pixels)
    labels = torch.tensor([float(crops.label(row)) for row in crops.rows], device=device)
    return Batch(to_unit(pixels, device), labels, crops.rows)


def random_detector(params: Params, device: torch.device) -> HybridDetector:
    """The detector with random weights, frozen."""
    model = HybridDetector(params.detector.model_copy(update={"pretrained": False, "weights": None}))
    return model.eval().requires_grad_(False).to(device).to(memory_format=torch.channels_last)


def made_up_crops(pixels: np.ndarray) -> CropSet:
    """Crops (B, S, S, 3), each of a video of its own, every other one fake."""
    videos = {
        f"made/{'Fakes' if number % 2 else 'original'}/{number}": FaceVideo(
            f"made/{'Fakes' if number % 2 else 'original'}/{number}", "", "crop", number % 2, "test", str(number),
            "", "", 0, 1, 1, "",
        )
        for number in range(len(pixels))
    }  # fmt: skip
    side = float(pixels.shape[1])
    rows = [CropRow(key, 0, 0, 0, number, 0.0, 0.0, side, side) for number, key in enumerate(videos)]
    return CropSet(videos, rows, {0: pixels})


def _faces(args: argparse.Namespace, params: Params, device: torch.device) -> Iterator[Line]:
    """MTCNN on smooth frames without a face: its first network, which sees every place, takes most of the time."""
    coarse = np.random.default_rng(0).integers(0, 256, (args.frames, 9, 16, 3), dtype=np.uint8)
    frames = [cv2.resize(frame, tuple(args.frame), interpolation=cv2.INTER_CUBIC) for frame in coarse]
    finder, recipe = FaceFinder(params.faces, device), BatchedRecipe(device, 16)
    ways = {
        OURS: lambda: finder.find([shrink(frame, params.faces.max_side)[0] for frame in frames]),
        MTCNN: lambda: recipe.find(enumerate(frames)),
    }
    yield from _lines("MTCNN", ways, MTCNN, args, count=args.frames, unit="frames/s")


def _training(pixels: np.ndarray, args: argparse.Namespace, params: Params, device: torch.device) -> Iterator[Line]:
    batch = made_up_batch(pixels, device)
    bare = partial(train_bare, whole_network(params.detector, device), [batch] * args.steps)
    few = [batch] * (args.steps // params.robust.replays)
    step = clean_step(params.baseline.label_smoothing)
    clean = partial(train, params, params.baseline, step, lambda _: [batch] * args.steps)
    robust = partial(train_robust, params, params.robust, lambda _: few)
    count = args.steps * len(pixels)
    for task, ours in (("clean training", clean), ("robust training", robust)):
        ways: dict[str, Way] = {OURS: partial(ours, steps=args.steps, device=device), TIMM: bare}
        yield from _lines(task, ways, TIMM, args, count=count, unit="images/s")
    if args.compile:
        plain = partial(clean, steps=args.steps, device=device)
        ways = {OURS: partial(plain, mode=args.compile), EAGER: partial(plain, warm=True)}
        yield from _lines("clean training, compiled", ways, EAGER, args, count=count, unit="images/s")


def _attacking(pixels: np.ndarray, args: argparse.Namespace, params: Params, device: torch.device) -> Iterator[Line]:
    model, crops, eps, steps = (
        random_detector(params, device),
        made_up_crops(pixels),
        params.attack.eps,
        params.attack.steps,
    )
    threat, network = Threat("pgd", PGD(eps, steps), eps, 0), whole_network(params.detector, device)
    batch_size = -(-len(pixels) // worker_count()) if device.type == "cpu" else len(pixels)
    x, y = to_unit(pixels, device), torch.ones(len(pixels), device=device)
    ways: dict[str, Way] = {
        OURS: lambda: list(
            score_attacked(model, crops, threat, [CLEAN], batch_size=batch_size, workers=worker_count())
        ),
        TIMM: lambda: attack_bare(network, x, y, eps, steps),
    }
    yield from _lines("PGD in evaluation", ways, TIMM, args, count=len(pixels), unit="images/s")


def _lines(
    task: str, ways: Mapping[str, Way], other: str, args: argparse.Namespace, *, count: int, unit: str
) -> Iterator[Line]:
    """Speed and peak memory of ours and of one other way."""
    yield from compare(task, in_turns(ways, args.rounds, title=task), OURS, count=count, unit=unit)
    peaks = {name: [measured(way).peak] for name, way in ways.items()}
    yield line(f"{task}, peak memory", other, "MB", peaks[OURS], peaks[other], less_is_better=True)


if __name__ == "__main__":
    sys.exit(run(main))
