"""Which files a user means: those named, and the videos and pictures below the folders named."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfake.datasets.found import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from deepfake.records import Kind


@dataclass(frozen=True)
class Media:
    """A file to look at.

    Attributes:
        path: as the user named it, or below the folder that they named.
        kind: a picture if its suffix says so, else a video.
        fault: why it cannot be looked at, or "".
    """

    path: Path
    kind: Kind = "video"
    fault: str = ""


def find_media(paths: Sequence[Path], *, but: Path | None = None) -> tuple[list[Media], list[Path]]:
    """Every file once, in the order named; a folder's are sorted, hidden ones are left out, links are followed.

    Args:
        paths: files and folders.
        but: a folder whose files are left out, where it is below one of those.

    Returns:
        (what is to be looked at, what folders hold beside it). What cannot be looked at is in the first with its fault:
        one bad file does not stop the rest.
    """
    found: list[Media] = []
    others: list[Path] = []
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 (Path.is_dir raises where the parent may not be entered)
            entered = {os.path.realpath(but)} if but else set()
            found += list(_below(path, entered, others)) or [Media(path, fault="no video or picture in this folder")]
        else:
            found.append(_media(path))
    return list(dict.fromkeys(found)), list(dict.fromkeys(others))


def _below(folder: Path, entered: set[str], others: list[Path]) -> Iterator[Media]:
    real = os.path.realpath(folder)
    if real in entered:  # a link that leads back up
        return
    entered.add(real)
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))  # noqa: PTH208 (names, not paths)
    except OSError as error:
        yield Media(folder, fault=f"cannot be listed: {error.strerror}")
        return
    for path in (folder / name for name in names):
        if os.path.isdir(path):  # noqa: PTH112
            yield from _below(path, entered, others)
        elif path.suffix.lower() in VIDEO_SUFFIXES | PICTURE_SUFFIXES:
            yield _media(path)
        else:
            others.append(path)


def _media(path: Path) -> Media:
    kind: Kind = "image" if path.suffix.lower() in PICTURE_SUFFIXES else "video"
    if os.path.isfile(path):  # noqa: PTH113
        return Media(path, kind)
    if not os.path.lexists(path):
        return Media(path, kind, "no such file")
    return Media(path, kind, "not a plain file" if os.path.exists(path) else "a link that leads nowhere")  # noqa: PTH110
