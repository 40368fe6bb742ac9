"""Cutting all faces of a dataset once, video by video, and remembering each video's crops."""

import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepfake.crops import cutting
from deepfake.crops.cutting import cut_face, whole_picture
from deepfake.crops.shards import shard_of, shard_path, write_index, write_shard
from deepfake.errors import DataError, MediaError
from deepfake.params import CropsParams
from deepfake.records import Box, CropRow, FaceBox, FaceVideo
from deepfake.runtime import ahead, replacing
from deepfake.video import decoding, pictures
from deepfake.video.decoding import map_frames, require_file
from deepfake.video.pictures import read_image
from deepfake.work import file_hash, work_key

_CODE = (cutting, decoding, pictures, sys.modules[__name__])  # what an entry of the work folder depends on
_FAR = 2**17  # pixels; no frame is that large
_one_at_a_time = threading.Lock()  # two videos of the same bytes have one entry


@dataclass(frozen=True)
class VideoCrops:
    """The crops of one video: index rows with `row` counted from 0, and the file with their pixels."""

    rows: tuple[CropRow, ...]
    entry: Path


def cut_videos(
    videos: Sequence[FaceVideo], faces: Sequence[FaceBox], params: CropsParams, *, root: Path, work: Path, workers: int
) -> Iterator[VideoCrops]:
    """Cut the faces of every video, in the order of `videos`; one done before with the same boxes is only looked up.

    Args:
        videos: videos below `root`.
        faces: their boxes.
        params: size and margin of crops.
        root: the dataset's folder.
        work: folder that remembers finished videos.
        workers: decoding threads.

    Raises:
        DataError: a box that is none.
        MediaError: a video that is gone or no longer has a frame that it had when faces were found.
    """
    for face in faces:
        if not (-_FAR < face.x0 < face.x1 < _FAR and -_FAR < face.y0 < face.y1 < _FAR):
            raise DataError(f"{face.video}, frame {face.frame}: {tuple(face.box)} is no box; run extract_faces again")
    boxes: dict[str, list[FaceBox]] = defaultdict(list)
    for face in faces:
        boxes[face.video].append(face)
    jobs = [(video, boxes[video.video]) for video in videos if boxes[video.video]]
    yield from ahead(lambda job: _cut_video(*job, params, root, work), jobs, workers=workers)


def write_crops(folder: Path, videos: Sequence[FaceVideo], cut: Sequence[VideoCrops], params: CropsParams) -> None:
    """Gather the crops of single videos into shards and write the index."""
    by_shard: dict[int, list[VideoCrops]] = defaultdict(list)
    for crops in cut:
        by_shard[shard_of(crops.rows[0].video, params.shards)].append(crops)
    for number, group in by_shard.items():
        pixels = (crop for crops in group for crop in np.load(crops.entry)["pixels"])
        count = sum(len(crops.rows) for crops in group)
        write_shard(shard_path(folder, number), pixels, count=count, size=params.size)
    write_index(folder, videos, list(_number_rows(cut, params.shards)))


def _cut_video(video: FaceVideo, faces: list[FaceBox], params: CropsParams, root: Path, work: Path) -> VideoCrops:
    path = root / video.path
    require_file(path)
    boxes = [(face.frame, *face.box) for face in faces]
    key = work_key(file_hash(path), video.kind, boxes, params.size, params.margin, code=_CODE)
    entry = work / f"{key}.npz"
    if not (entry.exists() and entry.stat().st_size):  # a power cut leaves an empty one
        cut = _cut_faces(path, video.kind, faces, params)
        with _one_at_a_time, replacing(entry) as temporary, temporary.open("wb") as file:
            np.savez(file, pixels=np.stack([crop for crop, _ in cut]), faces=np.array([face for _, face in cut]))
    places = np.load(entry)["faces"].round(3).tolist()
    return VideoCrops(
        tuple(
            CropRow(face.video, face.clip, face.frame, 0, number, *place)
            for number, (face, place) in enumerate(zip(faces, places, strict=True))
        ),
        entry,
    )


def _cut_faces(path: Path, kind: str, faces: Sequence[FaceBox], params: CropsParams) -> list[tuple[np.ndarray, Box]]:
    if kind == "crop":
        return [whole_picture(read_image(path), size=params.size, margin=params.margin)]
    cut: dict[FaceBox, tuple[np.ndarray, Box]] = {}

    def keep(number: int, frame: np.ndarray) -> None:
        for face in faces:
            if face.frame == number:
                cut[face] = cut_face(frame, face.box, size=params.size, margin=params.margin)

    if kind == "image":
        keep(0, read_image(path))
    else:
        map_frames(path, {face.frame for face in faces}, keep)
    if lost := [face.frame for face in faces if face not in cut]:
        raise MediaError(f"{path}: frame {lost[0]} does not decode any more; run extract_faces again")
    return [cut[face] for face in faces]


def _number_rows(cut: Sequence[VideoCrops], shards: int) -> Iterator[CropRow]:
    filled: dict[int, int] = defaultdict(int)
    for crops in cut:
        shard = shard_of(crops.rows[0].video, shards)
        for row in crops.rows:
            yield replace(row, shard=shard, row=filled[shard] + row.row)
        filled[shard] += len(crops.rows)
