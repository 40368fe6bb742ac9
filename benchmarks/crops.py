"""Reading crops: our shards beside an ImageFolder of PNG crops with two workers, and beside reading the raw bytes.

Batches are uint8 and not augmented, and the page cache is warm for all. Training's batches, which are drawn in random
order and made float32, stand beside a shuffled ImageFolder. The crops are those of the sample, resized.

    PYTHONPATH=src python benchmarks/crops.py --crops data/crops/train --out benchmarks/results/crops
"""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2
import numpy as np
import torch
from timing import Line, Way, circumstances, compare, in_turns, write_table
from torch.utils.data import DataLoader
from torchvision.datasets import ImageFolder
from torchvision.transforms import PILToTensor, ToTensor

from deepfake.crops.batches import TrainingBatches
from deepfake.crops.shards import CropSet, open_crops, shard_of, shard_path, write_index, write_shard
from deepfake.errors import SettingsError
from deepfake.evaluation.prediction import read_groups, whole_clips
from deepfake.params import load_params
from deepfake.records import CropRow, FaceVideo
from deepfake.runtime import open_device, worker_count
from deepfake.stage import run

OURS, FOLDER, RAW = "ours", "ImageFolder of PNG, 2 workers", "raw bytes"
SHARDS = 4


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    batch_size, lines = load_params().evaluate.batch_size, list[Line]()
    for size in args.sizes:
        with TemporaryDirectory() as name:
            crops = write_copies(open_crops(args.crops), Path(name), args.count, size)
            lines += _compare(crops, Path(name), batch_size, args.rounds)
    write_table(args.out, lines, [
        f"{args.count} crops in batches of {batch_size}; ours reads without threads and draws with {worker_count()}",
        "the ImageFolder's workers are started before the clock and kept",
        "raw bytes: numpy.fromfile, a batch at a time, shard after shard",
        circumstances(open_device(), args.rounds),
    ])  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crops", required=True, type=Path, help="folder that cache_crops wrote")
    parser.add_argument("--count", type=int, default=4000, help="crops to read (default: 4000)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 224], help="sides of a crop (default: 64 224)")
    parser.add_argument("--rounds", type=int, default=5, help="times that everything runs (default: 5)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def write_copies(crops: CropSet, folder: Path, count: int, size: int) -> CropSet:
    """The first `count` crops, from the start again where there are fewer, as our shards and as a PNG each.

    Args:
        crops: where pixels, videos and labels come from.
        folder: gets `shards/`, and `pngs/` with a folder for each class.
        count: crops to write.
        size: their side.

    Returns:
        The shards, opened.
    """
    by_shard: dict[int, list[np.ndarray]] = {}
    videos: dict[str, FaceVideo] = {}
    rows = []
    for number in range(count):
        turn, place = divmod(number, len(crops.rows))
        row = crops.rows[place]
        pixels = cv2.resize(crops.pixels(row), (size, size), interpolation=cv2.INTER_CUBIC)
        key = f"{row.video}{'+' * turn}"
        videos[key] = FaceVideo(**{**vars(crops.videos[row.video]), "video": key})
        pngs = folder / "pngs" / ("fake" if videos[key].label else "real")
        pngs.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(pngs / f"{number:06d}.png"), cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        shard = by_shard.setdefault(shard_of(key, SHARDS), [])
        rows.append(CropRow(key, row.clip, row.frame, shard_of(key, SHARDS), len(shard), 0.0, 0.0, size, size))
        shard.append(pixels)
    (folder / "shards").mkdir()
    for number, shard in by_shard.items():
        write_shard(shard_path(folder / "shards", number), shard, count=len(shard), size=size)
    write_index(folder / "shards", list(videos.values()), rows)
    return open_crops(folder / "shards")


def read_raw(crops: CropSet, folder: Path, batch_size: int) -> Iterator[np.ndarray]:
    """The bytes of all shards, a batch of crops (B, S, S, 3) at a time, copied into memory."""
    for number, pixels in crops.shards.items():
        with shard_path(folder, number).open("rb") as file:
            file.seek(pixels.offset)  # type: ignore[attr-defined]  # of the memory map: the header's length
            for first in range(0, len(pixels), batch_size):
                count = min(batch_size, len(pixels) - first)
                yield np.fromfile(file, np.uint8, count * pixels[0].size).reshape(count, *pixels.shape[1:])


def _compare(crops: CropSet, folder: Path, batch_size: int, rounds: int) -> Iterator[Line]:
    size, cpu = next(iter(crops.shards.values())).shape[1], torch.device("cpu")
    steps, workers = len(crops.rows) // batch_size, worker_count()
    if not steps:
        raise SettingsError(f"--count: at least {batch_size} would be right, a batch")
    clips = crops.clips()
    drawn = TrainingBatches(crops, steps, batch_size, lambda crop, *_: crop, seed=0, device=cpu, workers=workers)
    in_order, shuffled = (
        DataLoader(ImageFolder(str(folder / "pngs"), make), batch_size, shuffle=shuffle, drop_last=shuffle,
                   num_workers=2, persistent_workers=True)
        for make, shuffle in ((PILToTensor(), False), (ToTensor(), True))
    )  # fmt: skip
    ways: dict[str, Way] = {
        OURS: lambda: exhaust(read_groups(clips, whole_clips(crops), batch_size=batch_size, workers=workers)),
        FOLDER: lambda: exhaust(in_order),
        RAW: lambda: exhaust(read_raw(crops, folder / "shards", batch_size)),
    }
    seconds, count = in_turns(ways, rounds, title=f"{size} px, in order"), len(crops.rows)
    yield from compare(f"read uint8, {size} px", seconds, OURS, count=count, unit="crops/s",
                       goals={FOLDER: 10.0, RAW: 0.9})  # fmt: skip
    ways = {OURS: lambda: exhaust(drawn.epoch(0)), f"{FOLDER}, shuffled": lambda: exhaust(shuffled)}
    seconds = in_turns(ways, rounds, title=f"{size} px, in random order")
    yield from compare(f"draw float32, {size} px", seconds, OURS, count=steps * batch_size, unit="crops/s")


def exhaust(batches: Iterable[object]) -> int:
    """Number of batches, after all of them came."""
    return sum(1 for _ in batches)


if __name__ == "__main__":
    sys.exit(run(main))
