"""Optional `attributes.csv`: groups by which a dataset's results may be broken down."""

from collections.abc import Sequence
from pathlib import Path

from deepfake.datasets.csv_files import read_csv
from deepfake.datasets.found import FoundVideo, Groups, note
from deepfake.errors import DataError
from deepfake.records import VideoKey


def find_groups(videos: Sequence[FoundVideo], path: Path) -> dict[VideoKey, Groups]:
    """Groups of every video: those in the file, else those that the video came with.

    The file's columns are `method` and `video`, the last two parts of a VideoKey, and `skin_tone`, `light`. Its rows
    for other videos are passed over.

    Raises:
        DataError: no column `method` or `video`, or a video that has two rows.
    """
    stated = _read(path) if path.exists() else {}
    if stated and not any(video.key[1:] in stated for video in videos):
        note(f"{path} is of no use: none of its rows is for a video of this dataset, such as {videos[0].key[1:]}")
    return {video.key: stated.get(video.key[1:], video.groups) for video in videos}


def _read(path: Path) -> dict[tuple[str, ...], Groups]:
    groups: dict[tuple[str, ...], Groups] = {}
    for line, cells in read_csv(path, needed=("method", "video")):
        video = cells["method"], cells["video"]
        if video in groups:
            raise DataError(f"{path}, line {line}: {'/'.join(video)} has a row already")
        groups[video] = Groups(cells.get("skin_tone", ""), cells.get("light", ""))
    return groups
