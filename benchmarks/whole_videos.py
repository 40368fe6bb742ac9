"""Whole frames around the crops that evaluation looks at: changed, encoded, and then treated like any other video."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepfake.crops.caching import cut_videos, write_crops
from deepfake.crops.cutting import cut_face
from deepfake.crops.pasting import paste_change
from deepfake.crops.shards import CropSet, open_crops
from deepfake.errors import DataError
from deepfake.faces.extraction import extract_faces
from deepfake.faces.mtcnn import FaceFinder
from deepfake.params import CropsParams, Params
from deepfake.records import Box, FaceVideo, VideoKey, VideoRecord
from deepfake.runtime import progress, replacing_folder, worker_count
from deepfake.video.decoding import read_frames
from deepfake.video.encoding import write_h264
from deepfake.work import work_folder

Place = tuple[str, int]  # video and frame
Crops = Mapping[Place, np.ndarray]  # uint8 RGB (S, S, 3)


@dataclass(frozen=True)
class Piece:
    """The frames of one video that evaluation looks at, its clips one after the other.

    Attributes:
        video: which.
        places: video and number of each frame (N,).
        frames: uint8 RGB (H, W, 3).
        boxes: the faces in them.
        crops: what was cut out there, uint8 RGB (S, S, 3).
        margin: as it was cut.
    """

    video: FaceVideo
    places: Sequence[Place]
    frames: Sequence[np.ndarray]
    boxes: Sequence[Box]
    crops: Sequence[np.ndarray]
    margin: float

    def changed(self, crops: Crops) -> list[np.ndarray]:
        """The frames after some of their crops were changed, with even sides, which H.264 needs."""
        frames = []
        for place, frame, box, crop in zip(self.places, self.frames, self.boxes, self.crops, strict=True):
            if place in crops:
                frame = paste_change(frame, crops[place].astype(np.int16) - crop, box, margin=self.margin)
            height, width = frame.shape[:2]
            frames.append(frame[: height // 2 * 2, : width // 2 * 2])
        return frames


def read_piece(video: FaceVideo, crops: CropSet, boxes: Mapping[Place, Box], root: Path, params: CropsParams) -> Piece:
    """Decode the frames of one video that there are crops of.

    Args:
        video: below `root`.
        crops: of this and other videos.
        boxes: the faces that the crops show.
        root: the dataset's folder.
        params: how the crops were cut.

    Raises:
        DataError: the crops were not cut from these frames, at these boxes, with these settings.
        MediaError: the video cannot be decoded.
    """
    path = root / video.path
    rows = [row for row in crops.rows if row.video == video.video]
    frames, _ = read_frames(path, {row.frame for row in rows})
    for row in rows:
        frame, box = frames.get(row.frame), boxes.get((row.video, row.frame))
        if frame is None or box is None:
            raise DataError(f"{path}: frame {row.frame} has a crop but {'does not decode' if box else 'no face box'}")
        if not np.array_equal(cut_face(frame, box, size=params.size, margin=params.margin)[0], crops.pixels(row)):
            raise DataError(f"{path}: frame {row.frame} does not give the stored crop; run `dvc repro cache_crops`")
    places = [(row.video, row.frame) for row in rows]
    return Piece(
        video, places, [frames[row.frame] for row in rows], [boxes[place] for place in places],
        [crops.pixels(row) for row in rows], params.margin,
    )  # fmt: skip


def write_films(
    folder: Path, pieces: Iterable[Piece], changes: Mapping[str, Crops], crfs: Sequence[int]
) -> dict[tuple[str, int], list[FaceVideo]]:
    """Encode every piece with each set of changed crops, at every CRF.

    Args:
        folder: where the files go.
        pieces: of videos.
        changes: changed crops by a name for a folder; a piece that has none of them is left out, unless there are none.
        crfs: of libx264.

    Returns:
        The videos by name and CRF, with their paths below `folder`.
    """
    films: dict[tuple[str, int], list[FaceVideo]] = {(name, crf): [] for name in changes for crf in crfs}
    for number, piece in enumerate(pieces):
        for name, crops in changes.items():
            if crops and not any(place in crops for place in piece.places):
                continue
            frames = piece.changed(crops)
            for crf in crfs:
                path = Path(name, str(crf), f"{number:05d}.mp4")
                write_h264(folder / path, frames, crf=crf)
                films[name, crf].append(replace(piece.video, path=path.as_posix()))
    return films


def look_again(folder: Path, videos: Sequence[FaceVideo], finder: FaceFinder, params: Params, *, title: str) -> CropSet:
    """Crops of video files, made as the stages extract_faces and cache_crops make them.

    Args:
        folder: where the files are, and where the crops go.
        videos: what is in them; in the result they say in how many frames the face was found.
        finder: for `params.faces`.
        params: how faces are found and cut.
        title: of the progress bar, and of the folder of the crops.
    """
    work, workers = work_folder("video_space"), worker_count()
    records = [
        VideoRecord(VideoKey.parse(video.video), folder / video.path, "video", video.label, "test", video.cluster)
        for video in videos
    ]
    faces = extract_faces(records, finder, params.faces, work=work, workers=workers)
    found = list(progress(faces, total=len(records), title=title))
    seen = [
        replace(video, frames_wanted=each.frames_wanted, frames_found=each.frames_found, reason=each.reason)
        for video, each in zip(videos, found, strict=True)
    ]
    boxes = [box for each in found for box in each.boxes]
    cut = list(cut_videos(seen, boxes, params.crops, root=folder, work=work, workers=workers))
    with replacing_folder(folder / title) as out:
        write_crops(out, seen, cut, params.crops)
    return open_crops(folder / title)
