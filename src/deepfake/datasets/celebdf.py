"""Celeb-DF v2 (Li et al. 2020): `Celeb-real`, `YouTube-real`, `Celeb-synthesis` and the official test list.

A forgery `id0_id1_0003` shows the video 0003 of person id0 with the face of id1. The swaps tie most of the people
together, so identity components are too few to resample: the cluster of a video is the person whose video it is,
and every YouTube-real video, of a person who occurs nowhere else, is a cluster of its own. Intervals are thus a
little too narrow where a source face recurs.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from deepfake.datasets.found import FoundVideo, first_and_count, list_names, list_videos
from deepfake.errors import DataError
from deepfake.params import DatasetParams
from deepfake.records import FAKE, REAL, VideoKey

LIST = "List_of_testing_videos.txt"
_LABELS = {"Celeb-real": REAL, "YouTube-real": REAL, "Celeb-synthesis": FAKE}
_NAMES = {"Celeb-real": r"(id\d+)_\d+", "YouTube-real": r"(.+)", "Celeb-synthesis": r"(id\d+)_(id\d+)_\d+"}


def read_celebdf(params: DatasetParams, *, role: str) -> list[FoundVideo]:
    """In the role `cross` the videos of the official test list; in the role `train` all videos, splits left open.

    The official list is no test for a detector that is trained on Celeb-DF: nearly everybody in it is also in the
    remaining videos. Trained on, the dataset is therefore split by identity component.
    """
    root = Path(params.root)
    found = [((folder, path.stem), path) for folder in _LABELS for path in _videos(root, folder)]
    if not found:
        raise DataError(f"{root}: no videos; expected {', '.join(f'{folder}/*.mp4' for folder in _LABELS)}")
    if role == "cross":
        listed = dict.fromkeys(_read_list(root / LIST))
        there = {video for video, _ in found}
        absent = [f"{folder}/{name}.mp4" for folder, name in listed if (folder, name) not in there]
        if absent:
            raise DataError(f"{root / LIST}: listed videos that are not there: {first_and_count(absent)}")
        found = [(video, path) for video, path in found if video in listed]
    return [_describe(folder, path) for (folder, _), path in found]


def _videos(root: Path, folder: str) -> list[Path]:
    """Videos of one of the three folders, however its name is capitalised (`Youtube-real` is common)."""
    spelt = [root / name for name in list_names(root) if name.casefold() == folder.casefold()]
    return [path for place in spelt for path in list_videos(place / "videos") or list_videos(place)]


def _read_list(path: Path) -> Iterator[tuple[str, str]]:
    """Folder and name of every listed video. In the list 1 means real, the opposite of a label."""
    folders = {folder.casefold(): folder for folder in _LABELS}
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: no such file; it comes with Celeb-DF v2 and says which videos are for test"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not a list in UTF-8: {error}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        match = re.fullmatch(r"([01])\s+([^/]+)/(?:videos/)?([^/]+)\.mp4", line.strip())
        folder = folders.get(match[2].casefold()) if match else None
        if not match or not folder or (match[1] == "1") != (_LABELS[folder] == REAL):
            example = "'1 Celeb-real/id1_0007.mp4' (1 means real) or '0 Celeb-synthesis/id1_id0_0007.mp4'"
            raise DataError(f"{path}, line {number}: {line.strip()!r}; expected {example}")
        yield folder, match[3]


def _describe(folder: str, path: Path) -> FoundVideo:
    match = re.fullmatch(_NAMES[folder], path.stem)
    if not match:
        raise DataError(f"{path}: not a Celeb-DF name; in {folder} it would match {_NAMES[folder]}")
    identities = tuple(f"youtube{name}" if folder == "YouTube-real" else name for name in match.groups())
    key = VideoKey("celebdf", folder, path.stem)
    return FoundVideo(key, path, _LABELS[folder], identities, cluster=identities[0])
