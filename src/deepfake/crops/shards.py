"""Crops on disk: a few files of raw uint8 pixels and an index, because thousands of small files kill DVC.

A shard holds the crops of the videos whose key hashes to it, so its bytes depend on its own videos only: adding a
video changes one shard.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepfake.errors import DataError
from deepfake.records import FAKE, REAL, CropRow, FaceVideo
from deepfake.tables import read_rows, write_rows

INDEX = "index.csv"
VIDEOS = "videos.csv"


@dataclass(frozen=True)
class CropSet:
    """Crops of some videos, in the order of the index.

    Attributes:
        videos: by the text form of their key, also those without a crop.
        rows: index rows.
        shards: pixels by shard number, uint8 (N, S, S, 3) memory maps.
    """

    videos: dict[str, FaceVideo]
    rows: list[CropRow]
    shards: dict[int, np.ndarray]

    def pixels(self, row: CropRow) -> np.ndarray:
        """One crop, uint8 RGB (S, S, 3)."""
        return self.shards[row.shard][row.row]

    def label(self, row: CropRow) -> int:
        """1 for a crop of a fake, 0 for one of a real video."""
        return self.videos[row.video].label

    def in_splits(self, splits: Sequence[str]) -> "CropSet":
        """The crops and videos of the named splits."""
        videos = {key: video for key, video in self.videos.items() if video.split in splits}
        return CropSet(videos, [row for row in self.rows if row.video in videos], self.shards)

    def of_label(self, label: int) -> "CropSet":
        """The crops of one class."""
        return self.with_rows([row for row in self.rows if self.label(row) == label])

    def with_rows(self, rows: Sequence[CropRow]) -> "CropSet":
        """Some of the crops, and all videos."""
        return replace(self, rows=list(rows))

    def clips(self) -> list[list[CropRow]]:
        """The rows grouped into clips of consecutive frames, which is what a video codec compresses."""
        grouped: dict[tuple[str, int], list[CropRow]] = {}
        for row in self.rows:
            grouped.setdefault((row.video, row.clip), []).append(row)
        return list(grouped.values())


def require_both_classes(crops: CropSet, splits: Sequence[str], folder: Path) -> None:
    """Make sure that every named split has crops of reals and of fakes.

    Raises:
        DataError: a split lacks a class; what would be computed from it would mean nothing.
    """
    for split in splits:
        present = {crops.label(row) for row in crops.in_splits([split]).rows}
        for label, name in ((REAL, "real"), (FAKE, "fake")):
            if label not in present:
                raise DataError(
                    f"{folder}: no crop of a {name} video in split {split!r}; see {folder / VIDEOS} for why"
                )


def shard_of(video: str, shards: int) -> int:
    """Number of the shard that a video's crops go to."""
    return zlib.crc32(video.encode()) % shards


def write_shard(path: Path, crops: Iterable[np.ndarray], *, count: int, size: int) -> None:
    """Write crops one after the other into a .npy file of known shape, without holding them all in memory."""
    shape = (count, size, size, 3)
    pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    for number, crop in enumerate(crops):
        pixels[number] = crop
    pixels.flush()


def write_index(folder: Path, videos: Sequence[FaceVideo], rows: Sequence[CropRow]) -> None:
    """Write the tables beside the shards."""
    write_rows(folder / VIDEOS, FaceVideo, videos)
    write_rows(folder / INDEX, CropRow, rows)


def open_crops(folder: Path) -> CropSet:
    """Open what the cache_crops stage wrote; pixels are read when they are asked for.

    Raises:
        DataError: a table or shard is missing, or the index points outside a shard.
    """
    videos = {video.video: video for video in read_rows(folder / VIDEOS, FaceVideo)}
    rows = read_rows(folder / INDEX, CropRow)
    shards = {number: _open_shard(shard_path(folder, number)) for number in sorted({row.shard for row in rows})}
    for row in rows:
        if row.video not in videos or not 0 <= row.row < len(shards[row.shard]):
            raise DataError(f"{folder / INDEX}: row {row.row} of shard {row.shard} ({row.video}) does not exist")
    return CropSet(videos, rows, shards)


def shard_path(folder: Path, number: int) -> Path:
    """File of a shard."""
    return folder / f"shard_{number:03d}.npy"


def _open_shard(path: Path) -> np.ndarray:
    try:
        pixels = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: no crop shard ({error})") from error
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1] != pixels.shape[2] or pixels.shape[3] != 3:
        raise DataError(f"{path}: holds {pixels.dtype} {pixels.shape}, crops are uint8 (N, S, S, 3)")
    return pixels
