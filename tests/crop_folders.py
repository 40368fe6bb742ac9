"""Made-up crop folders for tests that need crops and no video."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deepfake.crops.shards import shard_path, write_index, write_shard
from deepfake.records import CropRow, FaceVideo, VideoKey


def face_video(key: str, *, split: str = "train", cluster: str = "", frames: int = 4) -> FaceVideo:
    """A video of made-up provenance; it is real where its method is `original`."""
    label = int(VideoKey.parse(key).method != "original")
    return FaceVideo(
        video=key, path=f"{key}.mp4", kind="video", label=label, split=split, cluster=cluster or key, skin_tone="",
        light="", size_bytes=1000, frames_wanted=frames, frames_found=frames, reason="" if frames else "no face found",
    )  # fmt: skip


def write_crop_folder(folder: Path, videos: Mapping[str, int], *, split: str = "train", size: int = 16) -> Path:
    """Write one shard of random crops: so many for each video key."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    rows = [
        CropRow(key, 0, frame, 0, row, 2.0, 2.0, size - 2.0, size - 2.0)
        for row, (key, frame) in enumerate((key, frame) for key, count in videos.items() for frame in range(count))
    ]
    pixels = (rng.integers(0, 256, (size, size, 3), dtype=np.uint8) for _ in rows)
    write_shard(shard_path(folder, 0), pixels, count=len(rows), size=size)
    write_index(folder, [face_video(key, split=split, frames=count) for key, count in videos.items()], rows)
    return folder
