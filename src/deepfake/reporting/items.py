"""What is ranked: scored frames, or scored videos."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepfake.metrics.ranking import Floats
from deepfake.records import REAL, FaceVideo


@dataclass(frozen=True)
class Items:
    """Scored frames, or scored videos.

    Attributes:
        names: what was scored, unique (N,).
        videos: the video of each (N,).
        scores: logits; higher means fake (N,).
    """

    names: tuple[str, ...]
    videos: tuple[FaceVideo, ...]
    scores: Floats

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        return np.array([video.label for video in self.videos], dtype=np.int64)

    @property
    def clusters(self) -> list[str]:
        return [video.cluster for video in self.videos]

    def against_reals(self, method: str) -> "Items":
        """The reals, and the fakes of one method."""
        kept = [row for row, video in enumerate(self.videos) if video.label == REAL or video.method == method]
        return Items(tuple(self.names[row] for row in kept), tuple(self.videos[row] for row in kept), self.scores[kept])


def to_videos(frames: Items) -> Items:
    """One item for each video: the mean logit of its frames."""
    position: dict[str, int] = {}
    rows = np.array([position.setdefault(video.video, len(position)) for video in frames.videos])
    videos = {video.video: video for video in frames.videos}
    means = np.bincount(rows, weights=frames.scores) / np.bincount(rows)
    return Items(tuple(position), tuple(videos[name] for name in position), means)


def of_sizes(videos: Sequence[FaceVideo]) -> Items:
    """Videos ranked by the size of their file in bytes, larger ones as more fake."""
    return Items(tuple(video.video for video in videos), tuple(videos), np.array([float(v.size_bytes) for v in videos]))


def with_faceless(videos: Items, everything: Iterable[FaceVideo], threshold: float) -> Items:
    """`videos`, and those of `everything` that have no score: the most certain reals, below a threshold."""
    known = set(videos.names)
    missing = tuple(video for video in everything if video.video not in known)
    lowest = np.full(len(missing), min(videos.scores.min(), threshold) - 1)
    names = tuple(video.video for video in missing)
    return Items(videos.names + names, videos.videos + missing, np.concatenate([videos.scores, lowest]))
