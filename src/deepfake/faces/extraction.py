"""All videos of a dataset -> the dominant face's boxes; decoding runs ahead in threads while MTCNN works."""

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from deepfake.errors import MediaError
from deepfake.faces import mtcnn, sampling, tracks
from deepfake.faces.mtcnn import FaceFinder, shrink
from deepfake.faces.sampling import plan_clips
from deepfake.faces.tracks import Track, clip_box, dominant_track, link_tracks
from deepfake.params import ClipParams, FacesParams
from deepfake.records import Box, Detection, FaceBox, Kind, VideoRecord
from deepfake.runtime import ahead, replacing
from deepfake.video import decoding
from deepfake.video.decoding import claimed_frame_count, read_frames, read_image
from deepfake.work import file_hash, work_key

NO_FACE = "no face found"

_CODE = (mtcnn, sampling, tracks, decoding, sys.modules[__name__])  # what an entry of the work folder depends on


@dataclass(frozen=True)
class FoundFaces:
    """What extraction found in one video: how many frames were looked at, in how many was the face, and where."""

    frames_wanted: int
    frames_found: int
    reason: str
    boxes: tuple[FaceBox, ...]


@dataclass(frozen=True)
class _Job:
    """One video on its way: its entry in the work folder, and its decoded frames if the entry is not there yet."""

    record: VideoRecord
    entry: Path
    clips: tuple[range, ...] = ()
    frames: dict[int, np.ndarray] | None = None
    scale: float = 1.0
    reason: str = ""


def extract_faces(
    records: Sequence[VideoRecord], finder: FaceFinder, params: FacesParams, *, work: Path, workers: int
) -> Iterator[FoundFaces]:
    """Find the dominant face of every video, in the order of the records.

    A video that was done before with the same bytes, settings and code is not decoded again.

    Args:
        records: videos, pictures, or pictures that are face crops already (these get the whole picture as box).
        finder: the face detector, for the same `params`.
        params: which frames, and how they are shrunk.
        work: folder that remembers finished videos.
        workers: decoding threads.
    """
    for job in ahead(lambda record: _open_job(record, params, work), records, workers=workers):
        if not job.entry.exists():
            faces = _find_faces(job, finder)
            with replacing(job.entry) as temporary:
                temporary.write_text(json.dumps([faces.frames_wanted, faces.frames_found, faces.reason,
                                                 [astuple(box) for box in faces.boxes]]))  # fmt: skip
        wanted, found, reason, boxes = json.loads(job.entry.read_text())
        key = str(job.record.key)
        yield FoundFaces(wanted, found, reason, tuple(FaceBox(key, *box[1:]) for box in boxes))


def read_clips(path: Path, kind: Kind, params: ClipParams) -> tuple[list[range], dict[int, np.ndarray]]:
    """The clips to look at in a video, and their frames, uint8 RGB (H, W, 3), by number; a picture is one frame.

    Raises:
        MediaError: the file cannot be decoded.
    """
    if kind != "video":
        return [range(1)], {0: read_image(path)}
    count = max(1, claimed_frame_count(path))
    while True:
        clips = plan_clips(count, params)
        frames, decoded = read_frames(path, {number for clip in clips for number in clip})
        if decoded > clips[-1][-1]:
            return clips, frames
        count = decoded  # the container claimed more frames than decode: plan again with what there is


def track_boxes(track: Track, clips: Sequence[range], *, scale: float, video: str = "") -> list[FaceBox]:
    """The box of a track in every frame of the clips that it is in, in pixels of the frame before it was shrunk.

    Args:
        track: of faces in shrunk frames.
        clips: frame numbers.
        scale: the factor that `shrink` gave.
        video: text form of the VideoKey.
    """
    return [
        FaceBox(video, clip_number, frame, *_scaled(detection.box, scale), round(detection.probability, 6))
        for clip_number, clip in enumerate(clips)
        for detection in _present(clip_box(track, clip))
        for frame in clip
    ]


def _open_job(record: VideoRecord, params: FacesParams, work: Path) -> _Job:
    clip_params = params.train_frames if record.split == "train" else params.eval_frames
    settings = (record.kind, clip_params, params.max_side, params.min_face, params.min_probability)
    key = work_key(file_hash(record.path), *settings, code=_CODE)
    entry = work / f"{key}.json"
    if entry.exists():
        return _Job(record, entry)
    try:
        clips, frames = read_clips(record.path, record.kind, clip_params)
    except MediaError as error:
        return _Job(record, entry, reason=str(error).removeprefix(f"{record.path}: "))
    if record.kind == "crop":
        return _Job(record, entry, tuple(clips), frames)
    shrunk = {number: shrink(frame, params.max_side) for number, frame in frames.items()}
    scale = next(iter(shrunk.values()))[1]
    return _Job(record, entry, tuple(clips), {number: frame for number, (frame, _) in shrunk.items()}, scale)


def _find_faces(job: _Job, finder: FaceFinder) -> FoundFaces:
    if job.frames is None:
        return FoundFaces(0, 0, job.reason, ())
    if job.record.kind == "crop":
        height, width = job.frames[0].shape[:2]
        return FoundFaces(1, 1, "", (FaceBox("", 0, 0, 0.0, 0.0, float(width), float(height), 1.0),))
    numbers = sorted(job.frames)
    detections = dict(zip(numbers, finder.find([job.frames[number] for number in numbers]), strict=True))
    track = dominant_track(link_tracks(detections))
    boxes = track_boxes(track, job.clips, scale=job.scale)
    return FoundFaces(len(numbers), len(track), "" if boxes else NO_FACE, tuple(boxes))


def _present(detection: Detection | None) -> tuple[Detection, ...]:
    return () if detection is None else (detection,)


def _scaled(box: Box, factor: float) -> Box:
    return Box(*(round(side * factor, 3) for side in box))
