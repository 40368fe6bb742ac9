"""All videos of a dataset -> the dominant face's boxes; decoding runs ahead in threads while MTCNN works."""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np

from deepfake.errors import MediaError
from deepfake.faces import averaging, cascade, mtcnn, sampling, tracks
from deepfake.faces.mtcnn import FaceFinder, shrink
from deepfake.faces.sampling import plan_clips
from deepfake.faces.tracks import Track, clip_box, dominant_track, link_tracks
from deepfake.params import ClipParams, FacesParams
from deepfake.records import Box, Detection, FaceBox, Kind, VideoRecord
from deepfake.runtime import ahead, replacing
from deepfake.video import decoding, pictures
from deepfake.video.decoding import encoded_frame_count, map_frames, require_file
from deepfake.video.pictures import read_image
from deepfake.work import file_hash, work_key

NO_FACE = "no face found"

Kept = TypeVar("Kept")

# What an entry of the work folder depends on.
_CODE = (averaging, cascade, mtcnn, sampling, tracks, decoding, pictures, sys.modules[__name__])


@dataclass(frozen=True)
class FoundFaces:
    """What extraction found in one video: how many frames were looked at, in how many was the face, and where."""

    frames_wanted: int
    frames_found: int
    reason: str
    boxes: tuple[FaceBox, ...]


@dataclass(frozen=True)
class _Job:
    """One video on its way: its shrunk frames, or what is known of it without them.

    Attributes:
        entry: where to remember it; None if that was done before, or cannot be because there are no bytes to hash.
        known: what was found before, or that nothing can be.
    """

    kind: Kind
    entry: Path | None
    known: FoundFaces | None = None
    clips: tuple[range, ...] = ()
    frames: dict[int, np.ndarray] = field(default_factory=dict)
    scale: float = 1.0


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
    jobs = ahead(lambda record: _open_job(record, params, work), records, workers=workers)
    for record, job in zip(records, jobs, strict=True):
        faces = job.known or _find_faces(job, finder)
        if job.entry is not None:
            _remember(job.entry, faces)  # not in a thread: two videos of the same bytes have one entry
        yield replace(faces, boxes=tuple(replace(box, video=str(record.key)) for box in faces.boxes))


def read_clips(
    path: Path, kind: Kind, params: ClipParams, keep: Callable[[np.ndarray], Kept]
) -> tuple[list[range], dict[int, Kept]]:
    """The clips to look at in a video, and what `keep` makes of their frames, by number; a picture is one frame.

    Args:
        path: file.
        kind: what it is.
        params: which frames.
        keep: called with each frame, uint8 RGB (H, W, 3), as soon as it is decoded.

    Raises:
        MediaError: the file cannot be decoded.
    """
    if kind != "video":
        return [range(1)], {0: keep(read_image(path))}
    count = max(1, encoded_frame_count(path))
    while True:
        clips = plan_clips(count, params)
        wanted = {number for clip in clips for number in clip}
        kept, decoded = map_frames(path, wanted, lambda _, frame: keep(frame))
        if decoded > clips[-1][-1]:
            return clips, kept
        count = decoded  # fewer frames decode than are there: plan again with those


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
    try:
        require_file(record.path)
        key = work_key(file_hash(record.path), *settings, code=_CODE)
    except MediaError as error:
        return _Job(record.kind, None, _unusable(record, error))
    except OSError as error:
        return _Job(record.kind, None, _unusable(record, MediaError(f"cannot be read: {error.strerror}")))
    entry = work / f"{key}.json"
    if (known := _recall(entry)) is not None:
        return _Job(record.kind, None, known)

    def keep(frame: np.ndarray) -> tuple[np.ndarray, float]:
        return (frame, 1.0) if record.kind == "crop" else shrink(frame, params.max_side)

    try:
        clips, shrunk = read_clips(record.path, record.kind, clip_params, keep)
    except MediaError as error:  # not to be remembered: it may be the disk's fault, and it is soon found again
        return _Job(record.kind, None, _unusable(record, error))
    scale = next(iter(shrunk.values()))[1]
    return _Job(record.kind, entry, None, tuple(clips), {number: frame for number, (frame, _) in shrunk.items()}, scale)


def _unusable(record: VideoRecord, error: MediaError) -> FoundFaces:
    return FoundFaces(0, 0, str(error.args[0]).removeprefix(f"{record.path}: "), ())


def _remember(entry: Path, faces: FoundFaces) -> None:
    with replacing(entry) as temporary:
        temporary.write_text(json.dumps([faces.frames_wanted, faces.frames_found, faces.reason,
                                         [astuple(box) for box in faces.boxes]]))  # fmt: skip


def _recall(entry: Path) -> FoundFaces | None:
    """What `_remember` wrote; None if there is no such entry or a power cut left only its name."""
    try:
        wanted, found, reason, boxes = json.loads(entry.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return FoundFaces(wanted, found, reason, tuple(FaceBox(*box) for box in boxes))


def _find_faces(job: _Job, finder: FaceFinder) -> FoundFaces:
    if job.kind == "crop":
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
