"""How time and memory grow with videos, crops, resolution and PGD steps, and what the full data sets would take.

Every size runs in a fresh process. From what one more video costs, and from published speeds of a GPU, follows an
estimate for FaceForensics++ c23 and Celeb-DF v2; its reasons stand beside it. From the repository's root:

    PYTHONPATH=src python benchmarks/growth.py --out benchmarks/results/growth \
        --videos /data/FaceForensics++/original_sequences/youtube/c23/videos/*.mp4
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import log, nan
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
from extraction import extract
from face_recipes import decode_only
from gpu import made_up_batch, made_up_crops, made_up_pixels, random_detector
from growth_estimate import Machine, estimate
from memory import measured_alone
from stages_anew import REPOSITORY
from timing import amount, circumstances, write_markdown
from training import train

from deepfake.attacks.pgd import PGD
from deepfake.crops.shards import open_crops, shard_path, write_index, write_shard
from deepfake.evaluation.prediction import score_clips, whole_clips
from deepfake.faces.mtcnn import FaceFinder
from deepfake.faces.sampling import plan_clips
from deepfake.params import ClipParams, FacesParams, Params, load_params
from deepfake.runtime import open_device, progress, worker_count
from deepfake.stage import run
from deepfake.tables import write_rows
from deepfake.training.detection_losses import clean_step
from deepfake.video.decoding import encoded_frame_count
from full_scale import check_settings, read_settings

EXTRACTED, DECODED, SCORED, SIDE, STEPS = "videos extracted", "videos decoded", "crops scored", "crop side", "PGD steps"
FRAMES = 32  # of each video
TRAINED = 4  # steps at each resolution


@dataclass(frozen=True)
class Point:
    """One size along one axis.

    Attributes:
        axis: what grows.
        size: how large it is.
        seconds: median over the rounds.
        peak: memory of the whole process (or of the GPU) in MB, median over the rounds.
        growth: exponent of the seconds since the size before it, 1 is linear; NaN for the first.
    """

    axis: str
    size: int
    seconds: float
    peak: float
    growth: float


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    params, points = load_params(), list[Point]()
    with TemporaryDirectory() as folder:
        jobs = list(_jobs(args, params, Path(folder)))
        for axis, size, work in progress(jobs, total=len(jobs), title="growth"):
            costs = [measured_alone(work) for _ in range(args.rounds)]
            points.append(_point(axis, size, [cost.seconds for cost in costs], [cost.peak for cost in costs], points))
    write_rows(args.out.with_suffix(".csv"), Point, points)
    write_markdown(args.out, ("what grows", "to", "seconds", "peak memory, MB", "exponent"), map(_cells, points), [
        f"a fresh process for each; videos: {FRAMES} frames each; crop side: {TRAINED} clean steps of "
        f"{args.batch} crops; PGD: one batch of {args.batch} crops of {params.crops.size} pixels",
        "exponent: of the time against the row above; fixed costs, such as the first call's, make it less than 1",
        "peak memory counts mapped pages of the crop shards, which the system can take back at any time",
        circumstances(open_device(), args.rounds),
    ])  # fmt: skip
    machine = Machine(one_more(points, DECODED) * worker_count(), args.cores, args.images_per_second)
    full_scale = check_settings(read_settings(REPOSITORY / "src" / "full_scale.txt"))
    head, rows, notes = estimate(full_scale, machine, one_more(points, EXTRACTED))
    write_markdown(args.out.with_name(f"{args.out.name}_full_scale"), head, rows, notes)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--videos", required=True, nargs="+", type=Path, help="at least two video files with one face, all different"
    )
    parser.add_argument("--crops", type=int, nargs="+", default=[1000, 2000, 4000, 8000], help="numbers of crops")
    parser.add_argument("--sides", type=int, nargs="+", default=[64, 112, 224], help="resolutions of a crop")
    parser.add_argument("--steps", type=int, nargs="+", default=[1, 5, 10, 20, 40], help="numbers of PGD steps")
    parser.add_argument("--batch", type=int, default=32, help="crops in a batch (default: 32)")
    parser.add_argument("--cores", type=int, default=16, help="of the machine with the GPU (default: 16)")
    parser.add_argument("--images-per-second", type=float, default=1752.0,
                        help="that the GPU trains the backbone on at 224 px; by default what timm publishes for "
                             "efficientnet_b0 on an RTX 3090 (AMP, channels-last)")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3, help="times that everything runs (default: 3)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    args = parser.parse_args(argv)
    if len(args.videos) < 2:
        parser.error("--videos: at least two, or there is no growth to see")
    return args


def one_more(points: Sequence[Point], axis: str) -> float:
    """Seconds that one more costs: the slope between the smallest and the largest size."""
    first, *_, last = (point for point in points if point.axis == axis)
    return (last.seconds - first.seconds) / (last.size - first.size)


def extract_videos(paths: Sequence[Path], faces: FacesParams) -> None:
    """Face extraction of some videos."""
    extract(paths, faces, FaceFinder(faces, open_device()))


def decode_videos(paths: Sequence[Path], faces: FacesParams) -> None:
    """Decoding of the same frames and nothing else."""
    for path in paths:
        decode_only(path, [clip[0] for clip in plan_clips(encoded_frame_count(path), faces.train_frames)])


def score_folder(folder: Path, params: Params) -> None:
    """Logits of all crops of a folder."""
    crops = open_crops(folder)
    model = random_detector(params, open_device())
    for _ in score_clips(model, crops.clips(), whole_clips(crops), condition="clean",
                         batch_size=params.evaluate.batch_size, workers=worker_count()):  # fmt: skip
        pass


def train_at(side: int, batch: int, params: Params) -> None:
    """A few clean steps at a resolution."""
    device = open_device()
    batches = [made_up_batch(made_up_pixels(batch, side), device)] * TRAINED
    train(params, params.baseline, clean_step(0.0), lambda _: batches, steps=TRAINED, device=device)


def attack_with(steps: int, batch: int, params: Params) -> None:
    """PGD on one batch."""
    made = made_up_batch(made_up_pixels(batch, params.crops.size), open_device())
    PGD(params.attack.eps, steps)(random_detector(params, made.x.device), made.x, made.y, range(batch))


def _jobs(args: argparse.Namespace, params: Params, folder: Path) -> Iterator[tuple[str, int, Callable[[], None]]]:
    faces = params.faces.model_copy(update={"train_frames": ClipParams(clips=FRAMES, length=1)})
    for axis, work in ((EXTRACTED, extract_videos), (DECODED, decode_videos)):
        for count in (1, 2, *range(4, len(args.videos) + 1, 2)):
            yield axis, count, partial(work, args.videos[:count], faces)
    for count in args.crops:
        yield SCORED, count, partial(score_folder, _write_crops(folder / str(count), count, params.crops.size), params)
    for side in args.sides:
        yield SIDE, side, partial(train_at, side, args.batch, params)
    for steps in args.steps:
        yield STEPS, steps, partial(attack_with, steps, args.batch, params)


def _write_crops(folder: Path, count: int, size: int) -> Path:
    folder.mkdir()
    crops = made_up_crops(made_up_pixels(count, size))
    write_shard(shard_path(folder, 0), crops.shards[0], count=count, size=size)
    write_index(folder, list(crops.videos.values()), crops.rows)
    return folder


def _point(axis: str, size: int, seconds: Sequence[float], peaks: Sequence[float], before: Sequence[Point]) -> Point:
    last = before[-1] if before and before[-1].axis == axis else None
    growth = log(median(seconds) / last.seconds) / log(size / last.size) if last else nan
    return Point(axis, size, round(median(seconds), 4), round(median(peaks), 1), round(growth, 3))


def _cells(point: Point) -> list[str]:
    growth = "" if np.isnan(point.growth) else f"{point.growth:.2f}"
    return [point.axis, f"{point.size:,}", amount(point.seconds), amount(point.peak), growth]


if __name__ == "__main__":
    sys.exit(run(main))
