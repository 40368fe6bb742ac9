"""What an adapter finds in a dataset's folder, and how it looks there: by listing, never by asking file by file."""

import os
import re
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from deepfake.errors import DataError
from deepfake.records import Kind, Split, VideoKey

VIDEO_SUFFIXES = frozenset({
    ".mp4", ".avi", ".mov", ".mkv", ".webm", ".m4v", ".3gp", ".wmv", ".flv", ".mts", ".m2ts", ".mpg", ".mpeg", ".ogv",
})  # fmt: skip
PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff"})


class Groups(NamedTuple):
    """Groups of people and pictures that a dataset states; "" where it does not."""

    skin_tone: str = ""
    light: str = ""


UNSTATED = Groups()


@dataclass(frozen=True)
class FoundVideo:
    """A video as its dataset describes it, before splits and clusters are settled.

    Attributes:
        key, path, label, kind: as in VideoRecord.
        identities: people in it, at least one; a fake has two where both are known.
        split: where the dataset itself puts it, or None.
        cluster: cluster where it is not the identity component, or "".
        groups: groups its dataset states.
    """

    key: VideoKey
    path: Path
    label: int
    identities: tuple[str, ...]
    kind: Kind = "video"
    split: Split | None = None
    cluster: str = ""
    groups: Groups = UNSTATED


def list_videos(folder: Path) -> list[Path]:
    """Video files right in a folder, sorted; none if there is no such folder. Hidden files are passed over.

    Raises:
        DataError: the folder cannot be listed, or a video has a name that cannot stand in a table.
    """
    names = [name for name in sorted(list_names(folder)) if Path(name).suffix.lower() in VIDEO_SUFFIXES]
    if unfit := [name for name in names if not fits_a_table(name)]:
        raise DataError(f"{folder}: the name {unfit[0]!a} has control characters or is not UTF-8; rename the file")
    return [folder / name for name in names]


def fits_a_table(text: str) -> bool:
    """Whether a text survives being written as CSV in UTF-8: no control characters, no half surrogates."""
    return not re.search(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]", text)


def list_names(folder: Path) -> list[str]:
    """Names of all that is right in a folder but hidden; none if there is no such folder.

    Raises:
        DataError: there is one, and it cannot be listed.
    """
    try:
        return [name for name in os.listdir(folder) if not name.startswith(".")]  # noqa: PTH208 (names, not paths)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"{folder}: {error.strerror}") from error


def note(message: str) -> None:
    """Tell the user on stderr what was decided about their data."""
    print(f"note: {message}", file=sys.stderr)


def first_and_count(things: Collection[object]) -> str:
    """`3 (first: a)`: how many, and the first to look at."""
    return f"{len(things)} (first: {next(iter(things))})"
