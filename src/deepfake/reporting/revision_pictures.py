"""Committed pictures of two revisions, linked so that they show where the text about them is read."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from deepfake.reporting.revision import Revision
from deepfake.reporting.wording import picture_title
from deepfake.runtime import replacing

Link = Callable[[Path], str]


@dataclass(frozen=True)
class Links:
    """How a picture of the base, and one of the present revision, is linked."""

    base: Link
    now: Link


@dataclass(frozen=True)
class PicturePair:
    """One picture in both revisions.

    Attributes:
        title: what it shows.
        base, now: links; empty where the revision does not have it.
        same: whether both are the same to the byte.
    """

    title: str
    base: str
    now: str
    same: bool


def picture_pairs(folder: Path, base: Revision, links: Links) -> Iterator[PicturePair]:
    """Every PNG file directly in `folder`, in the working folder or in the base, by name."""
    then = {path for path in base.files(folder) if path.parent == folder and path.suffix == ".png"}
    now = set(folder.glob("*.png"))
    for path in sorted(then | now):
        yield PicturePair(
            title=picture_title(path.stem),
            base=links.base(path) if path in then else "",
            now=links.now(path) if path in now else "",
            same=path in then & now and base.read(path) == path.read_bytes(),
        )


def web_links(repository: str, base: Revision, now: Revision) -> Links:
    """Links to the raw files of both commits at `https://host/owner/name`; both have to be pushed."""

    def link(revision: Revision) -> Link:
        return lambda path: f"{repository}/raw/{revision.commit}/{quote(path.as_posix())}"

    return Links(link(base), link(now))


def local_links(reader: Path, base: Revision, store: Path) -> Links:
    """Links relative to the folder of the file `reader`; the base's pictures are written below `store` for that."""

    def relative(path: Path) -> str:
        return quote(Path(os.path.relpath(path, reader.parent)).as_posix())

    def of_base(path: Path) -> str:
        copy = store / base.short / path
        with replacing(copy) as temporary:
            temporary.write_bytes(base.read(path) or b"")
        return relative(copy)

    return Links(of_base, relative)
