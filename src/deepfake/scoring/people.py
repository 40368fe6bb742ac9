"""Whose faces are in a file: every track of faces, with its crops cut as those that the detector was trained on."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TypeVar

import numpy as np

from deepfake.crops.cutting import cut_face
from deepfake.errors import MediaError
from deepfake.faces.extraction import read_clips, track_boxes
from deepfake.faces.mtcnn import FaceFinder, shrink
from deepfake.faces.tracks import Track, link_tracks, prominence
from deepfake.params import ClipParams, CropsParams, FacesParams
from deepfake.records import CropRow, Detection, FaceBox
from deepfake.scoring.files import Media

Item = TypeVar("Item")
Watch = Callable[[Sequence[Item]], Iterable[Item]]  # a progress bar, or nothing


@dataclass(frozen=True)
class Person:
    """One face in the clips that were looked at.

    Attributes:
        track: its detections, in shrunk frames.
        boxes: its box in every frame (N,) of the clips that it is in, in pixels of the file.
        rows: the same as index rows, with the box in the crop.
        crops: uint8 RGB (N, S, S, 3).
    """

    track: Track
    boxes: tuple[FaceBox, ...]
    rows: tuple[CropRow, ...]
    crops: np.ndarray

    @property
    def frames_found(self) -> int:
        """In how many of its frames it was found; the others of a clip share its box."""
        return sum(row.frame in self.track for row in self.rows)

    @property
    def side(self) -> float:
        """Longer side of the face's box in pixels of the file, the median over its frames."""
        return median(max(box.x1 - box.x0, box.y1 - box.y0) for box in self.boxes)

    @property
    def clips(self) -> list[list[int]]:
        """Indices of its rows, clip by clip."""
        numbers = dict.fromkeys(row.clip for row in self.rows)
        return [[index for index, row in enumerate(self.rows) if row.clip == number] for number in numbers]


@dataclass(frozen=True)
class Sight:
    """What was seen in a file.

    Attributes:
        frames: what was looked at, uint8 RGB (H, W, 3), by frame number.
        detections: the faces found in each, in pixels of the shrunk frame.
        scale: the factor that leads back to pixels of the file.
        people: the most prominent first: the one whom a dataset's video is taken to be about.
    """

    frames: Mapping[int, np.ndarray]
    detections: Mapping[int, Sequence[Detection]]
    scale: float
    people: tuple[Person, ...]

    @property
    def frames_with_face(self) -> int:
        """In how many frames there is any face."""
        return sum(map(bool, self.detections.values()))


@dataclass(frozen=True)
class Search:
    """How faces are found and cut; the same settings give the same crops as the pipeline's.

    Attributes:
        finder: the face detector, for `faces`.
        faces, crops: settings of a checkpoint.
        watch: shows how far the search of one file is, clip by clip.
    """

    finder: FaceFinder
    faces: FacesParams
    crops: CropsParams
    watch: Watch[range] = lambda clips: clips

    def look(self, media: Media, plan: ClipParams, *, known: Sight | None = None) -> Sight:
        """Everybody in the clips of a plan.

        Args:
            media: a video, or a picture, which is one frame.
            plan: which frames of a video.
            known: what another plan showed of the same file: tracks go through its frames too.

        Raises:
            MediaError: the file cannot be decoded, or its frames are not all of one size.
        """
        clips, frames = read_clips(media.path, media.kind, plan, lambda frame: frame)
        _require_one_size(media, frames)
        detections = dict(known.detections) if known else {}
        for clip in self.watch(clips):
            new = [number for number in clip if number not in detections]
            shrunk = [shrink(frames[number], self.faces.max_side)[0] for number in new]
            detections.update(zip(new, self.finder.find(shrunk) if new else (), strict=True))
        scale = shrink(next(iter(frames.values())), self.faces.max_side)[1]
        tracks = sorted(link_tracks(detections), key=prominence, reverse=True)
        people = [self._cut(media, track, track_boxes(track, clips, scale=scale), frames) for track in tracks]
        seen = {number: detections[number] for number in sorted(frames)}
        return Sight(frames, seen, scale, tuple(person for person in people if person.boxes))

    def _cut(self, media: Media, track: Track, boxes: list[FaceBox], frames: Mapping[int, np.ndarray]) -> Person:
        size, margin = self.crops.size, self.crops.margin
        cut = [cut_face(frames[box.frame], box.box, size=size, margin=margin) for box in boxes]
        rows = [
            CropRow(str(media.path), box.clip, box.frame, 0, number, *face)
            for number, (box, (_, face)) in enumerate(zip(boxes, cut, strict=True))
        ]
        crops = np.array([crop for crop, _ in cut], dtype=np.uint8)
        return Person(track, tuple(boxes), tuple(rows), crops)


def spread(plan: ClipParams, frames: int) -> ClipParams:
    """About so many frames spread over a video, in clips as long as those of a plan."""
    return ClipParams(clips=max(1, round(frames / plan.length)), length=plan.length)


def same_person(person: Person, people: Sequence[Person]) -> int | None:
    """Number of the one among `people` who was found at the same place in the same frame."""
    for number, other in enumerate(people):
        if any(person.track.get(frame) == detection for frame, detection in other.track.items()):
            return number
    return None


def _require_one_size(media: Media, frames: Mapping[int, np.ndarray]) -> None:
    sizes = sorted({frame.shape[:2] for frame in frames.values()})
    if len(sizes) > 1:
        listed = ", ".join(f"{width}x{height}" for height, width in sizes)
        raise MediaError(f"{media.path}: its frames are of several sizes ({listed}); cut it where the size changes")
