"""Crops on disk: a few files of raw uint8 pixels and an index, because thousands of small files kill DVC.

A shard holds the crops of the videos whose key hashes to it, so its bytes depend on its own videos only: adding a
video changes one shard.
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tokenize import TokenError
from typing import get_args

import numpy as np

from deepfake.errors import DataError
from deepfake.records import FAKE, REAL, CropRow, FaceVideo, Split
from deepfake.tables import read_rows, write_rows

INDEX = "index.csv"
VIDEOS = "videos.csv"
_FAR = 2**17  # pixels; no crop is that large


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

    @property
    def seen(self) -> dict[str, FaceVideo]:
        """The videos that have a crop."""
        return {row.video: self.videos[row.video] for row in self.rows}

    def pixels(self, row: CropRow) -> np.ndarray:
        """One crop, uint8 RGB (S, S, 3)."""
        return self.shards[row.shard][row.row]

    def stacked(self, rows: Sequence[CropRow]) -> np.ndarray:
        """Several crops, uint8 RGB (N, S, S, 3); those that follow each other in a shard are copied in one go.

        Raises:
            ValueError: no rows.
        """
        if not rows:
            raise ValueError("no crops to stack")
        stack = np.empty((len(rows), *self.pixels(rows[0]).shape), np.uint8)
        start = 0
        for end in range(1, len(rows) + 1):
            first, gap = rows[start], end - start
            if end == len(rows) or (rows[end].shard, rows[end].row) != (first.shard, first.row + gap):
                stack[start:end] = self.shards[first.shard][first.row : first.row + gap]
                start = end
        return stack

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
        DataError: a table or shard is missing or damaged, or one contradicts the other.
    """
    videos: dict[str, FaceVideo] = {}
    for video in read_rows(folder / VIDEOS, FaceVideo):
        if fault := _fault_of_video(video) or ("is there twice" if video.video in videos else ""):
            raise DataError(f"{folder / VIDEOS}: {video.video:.100} {fault}")
        videos[video.video] = video
    rows = read_rows(folder / INDEX, CropRow)
    shards = {number: _open_shard(shard_path(folder, number)) for number in sorted({row.shard for row in rows})}
    if len(sizes := sorted({pixels.shape[1] for pixels in shards.values()})) > 1:
        raise DataError(f"{folder / INDEX}: its shards hold crops of sizes {sizes}, one would be right")
    claimed: set[tuple[int, int]] = set()
    for row in rows:
        place = (row.shard, row.row)
        if fault := _fault_of_row(row, videos, shards) or ("is there twice" if place in claimed else ""):
            raise DataError(f"{folder / INDEX}: row {row.row} of shard {row.shard} ({row.video:.100}) {fault}")
        claimed.add(place)
    return CropSet(videos, rows, shards)


def shard_path(folder: Path, number: int) -> Path:
    """File of a shard."""
    return folder / f"shard_{number:03d}.npy"


def _fault_of_video(video: FaceVideo) -> str:
    """What no video of ours is, or ""."""
    if video.video.count("/") < 2:
        return "should be dataset/method/video"
    if video.label not in (REAL, FAKE):
        return f"has label {video.label}, {REAL} (real) or {FAKE} (fake) would be right"
    if video.split not in get_args(Split):
        return f"has split {video.split:.100}, one of {', '.join(get_args(Split))} would be right"
    return ""


def _fault_of_row(row: CropRow, videos: dict[str, FaceVideo], shards: dict[int, np.ndarray]) -> str:
    """In what a row contradicts the videos and shards, or ""."""
    if row.video not in videos or not 0 <= row.row < len(shards[row.shard]):
        return "does not exist"
    if not (-_FAR < row.face_x0 < row.face_x1 < _FAR and -_FAR < row.face_y0 < row.face_y1 < _FAR):
        return f"has a face at {tuple(row.face)}, which is no box"
    return ""


def _open_shard(path: Path) -> np.ndarray:
    try:
        pixels = np.lib.format.open_memmap(path, mode="r")  # unlike np.load, no archive and no pickle
    except (OSError, ValueError, OverflowError, EOFError, MemoryError, SyntaxError, TokenError) as error:
        raise DataError(f"{path}: no crop shard ({str(error)[:200] or type(error).__name__})") from error
    if pixels.dtype != np.uint8 or pixels.ndim != 4 or pixels.shape[1] != pixels.shape[2] or pixels.shape[3] != 3:
        raise DataError(f"{path}: holds {pixels.dtype} {pixels.shape}, crops are uint8 (N, S, S, 3)")
    if left := path.stat().st_size - pixels.offset - pixels.nbytes:
        raise DataError(f"{path}: {left} bytes are left over after {len(pixels)} crops")
    return pixels
