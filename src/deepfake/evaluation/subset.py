"""Which test crops are scored: fewer videos for attacks that are too dear for all, and clips for video codecs."""

from collections import defaultdict
from collections.abc import Iterable

from deepfake.crops.shards import CropSet
from deepfake.records import FAKE, REAL, FaceVideo
from deepfake.runtime import derive_seed


def few_test_videos(crops: CropSet, count: int | None) -> CropSet:
    """At most `count` test videos of each class (None: all), and all videos of other splits, with their crops.

    Methods take turns, so that their shares differ by one video at most while they have any left. Videos without a face
    are as likely to be taken as others: coverage keeps its meaning.
    """
    if count is None:
        return crops
    tested = [video for video in crops.videos.values() if video.split == "test"]
    left = {video.video for video in tested}
    for label in (REAL, FAKE):
        left -= set(_in_turn(video for video in tested if video.label == label)[:count])
    videos = {key: video for key, video in crops.videos.items() if key not in left}
    return CropSet(videos, [row for row in crops.rows if row.video in videos], crops.shards)


def holds_clips(crops: CropSet) -> bool:
    """Whether there is anything for a video codec: consecutive frames, and all of them of videos."""
    videos = all(video.kind == "video" for video in crops.videos.values())
    return videos and any(len(clip) > 1 for clip in crops.clips())


def _in_turn(videos: Iterable[FaceVideo]) -> list[str]:
    """Keys of videos: of every method one, then of every method another; within a method in an order of no meaning."""
    by_method: dict[str, list[str]] = defaultdict(list)
    for video in sorted(videos, key=lambda video: derive_seed("few videos", video.video)):
        by_method[video.method].append(video.video)
    turns = [(turn, method, key) for method, keys in by_method.items() for turn, key in enumerate(keys)]
    return [key for _, _, key in sorted(turns)]
