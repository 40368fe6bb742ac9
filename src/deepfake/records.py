"""The values that flow between stages: videos, detections, crops and scores.

Label 1 means fake, everywhere. A video is known by (dataset, method, video): FaceForensics++'s `000_003`
exists once per forgery method, so its name alone is not a key.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

REAL, FAKE = 0, 1

Split = Literal["train", "val", "test"]
Kind = Literal["video", "image", "crop"]


class VideoKey(NamedTuple):
    """Identity of one video; its text form `dataset/method/video` names it in every table."""

    dataset: str
    method: str
    video: str

    def __str__(self) -> str:
        return "/".join(self)

    @classmethod
    def parse(cls, text: str) -> "VideoKey":
        """The key whose text form is `text`; a ValueError if it has no three parts."""
        dataset, method, video = text.split("/", maxsplit=2)
        return cls(dataset, method, video)


@dataclass(frozen=True)
class VideoRecord:
    """One video (or picture) of a dataset, before anything was decoded.

    Attributes:
        key: identity of the video.
        path: file, below the dataset's root.
        kind: a video, a whole picture, or a picture that is already a face crop.
        label: 1 for fake, 0 for real.
        split: train, val or test.
        cluster: what the bootstrap draws together: videos that share a person, on Celeb-DF those that show one.
        skin_tone: group the dataset states, or "".
        light: lighting the dataset states, or "".
    """

    key: VideoKey
    path: Path
    kind: Kind
    label: int
    split: Split
    cluster: str
    skin_tone: str = ""
    light: str = ""


class Box(NamedTuple):
    """A rectangle in pixels of the frame: left, top, right, bottom."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def area(self) -> float:
        return max(0.0, self.x1 - self.x0) * max(0.0, self.y1 - self.y0)

    @property
    def center(self) -> tuple[float, float]:
        return (self.x0 + self.x1) / 2, (self.y0 + self.y1) / 2


class Detection(NamedTuple):
    """One face found in one frame, with the detector's probability in [0, 1]."""

    box: Box
    probability: float


@dataclass(frozen=True)
class FaceVideo:
    """One row of the table of looked-at videos; also stands for videos without any face.

    Attributes:
        video: text form of the VideoKey.
        path: file, relative to the dataset's root.
        kind, label, split, cluster, skin_tone, light: as in VideoRecord.
        size_bytes: size of the file.
        frames_wanted: frames that were to be cropped.
        frames_found: frames among them in which the dominant face was found.
        reason: why none was found, or "".
    """

    video: str
    path: str
    kind: str
    label: int
    split: str
    cluster: str
    skin_tone: str
    light: str
    size_bytes: int
    frames_wanted: int
    frames_found: int
    reason: str

    @property
    def method(self) -> str:
        return VideoKey.parse(self.video).method


@dataclass(frozen=True)
class FaceBox:
    """One row of the table of faces: the dominant face's box in one frame, in pixels of that frame.

    The frames of a clip share one box.
    """

    video: str
    clip: int
    frame: int
    x0: float
    y0: float
    x1: float
    y1: float
    probability: float

    @property
    def box(self) -> Box:
        return Box(self.x0, self.y0, self.x1, self.y1)


@dataclass(frozen=True)
class CropRow:
    """One row of a crop index: where a crop lies, and where the face's box is in it, in pixels of the crop."""

    video: str
    clip: int
    frame: int
    shard: int
    row: int
    face_x0: float
    face_y0: float
    face_x1: float
    face_y1: float

    @property
    def face(self) -> Box:
        return Box(self.face_x0, self.face_y0, self.face_x1, self.face_y1)


@dataclass(frozen=True)
class FrameScore:
    """One row of a score table: what a model said of one crop under one condition.

    Attributes:
        condition: name of the condition (`clean`, `jpeg50`, `h264_crf23`, …).
        video: text form of the VideoKey.
        clip: number of the clip within the video.
        frame: frame number within the video.
        logit: the detector's output; positive means fake.
    """

    condition: str
    video: str
    clip: int
    frame: int
    logit: float


@dataclass(frozen=True)
class Calibration:
    """What turns a logit into an answer, fitted on the validation split of the training dataset.

    Attributes:
        frame_threshold: smallest frame logit with at most 1 % of clean validation real frames at or above it.
        video_threshold: the same for the mean logit of a video.
        temperature: probability = sigmoid(logit / temperature).
    """

    frame_threshold: float
    video_threshold: float
    temperature: float
