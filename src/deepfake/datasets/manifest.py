"""Anybody's own data: a CSV file with one row per video, picture or face crop.

Columns: `path` (relative to the dataset's root), `label` (0 real, 1 fake), and where they are known
- `video`: its name, by default the file's stem, and `method`: the forgery, by default `original` or `fake`;
- `identities`: people in it, separated by `;`, or `source`: the original video that a fake was made from;
- `split`: train, val or test, for all rows or none; without it splits are dealt by identity component;
- `kind`: video, image or crop (a picture that is already a face crop), by default told from the file's suffix;
- `skin_tone`, `light`: groups for the report.
Further columns are ignored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import cast, get_args

from deepfake.datasets.csv_files import read_csv
from deepfake.datasets.found import (
    PICTURE_SUFFIXES,
    VIDEO_SUFFIXES,
    FoundVideo,
    Groups,
    first_and_count,
    fits_a_table,
    list_names,
    note,
)
from deepfake.errors import DataError
from deepfake.params import DatasetParams
from deepfake.records import FAKE, REAL, Kind, Split, VideoKey

_LABELS = {"0": REAL, "1": FAKE}


def read_manifest(params: DatasetParams, *, role: str) -> list[FoundVideo]:
    """Videos of the manifest. A row's own `kind` goes before `params.kind`, and that before the suffix."""
    root = Path(params.root)
    try:
        path = _below(root, params.manifest)
    except ValueError as error:
        raise DataError(f"datasets.{role}.manifest: {error}") from error
    found: list[FoundVideo] = []
    lines: dict[Path, int] = {}
    columns: set[str] = set()
    for line, cells in read_csv(path, needed=("path", "label")):
        columns |= {name for name, cell in cells.items() if cell}
        try:
            video = _read_row(root, cells, params.kind)
        except ValueError as error:
            raise DataError(f"{path}, line {line}: {error}") from error
        if (first := lines.setdefault(video.path, line)) != line:
            raise DataError(f"{path}, line {line}: {cells['path']} is in line {first} already")
        found.append(video)
    _refuse_absent(path, found)
    if "split" in columns and (unsplit := [video.key for video in found if video.split is None]):
        raise DataError(f"{path}: rows without a split: {first_and_count(unsplit)}; give it to all rows or none")
    if not columns & {"identities", "source"}:
        if found and not (role == "train" and "split" in columns):
            note(f"{path} has neither identities nor source: every video counts as a person of its own")
        return [replace(video, identities=(str(video.key),)) for video in found]  # `a/1` need not be `b/1`
    if "identities" not in columns and (alone := _without_original(found)):
        note(f"{path}: fakes whose source is no real video of it: {first_and_count(alone)}")
    return found


def _without_original(found: Sequence[FoundVideo]) -> list[VideoKey]:
    """Fakes that share nobody with a real video: splits may then part a forgery from its original."""
    real = {name for video in found if video.label == REAL for name in video.identities}
    return [video.key for video in found if video.label == FAKE and real.isdisjoint(video.identities)]


def _read_row(root: Path, cells: Mapping[str, str], kind: Kind | None) -> FoundVideo:
    """One row; a ValueError that says what is wrong with it."""
    for column in ("video", "method", "identities", "source", "skin_tone", "light"):
        if not fits_a_table(cells.get(column, "")):
            raise ValueError(f"{column} {cells[column]!a}; names have no control characters")
    path = _below(root, cells["path"])
    if (label := _LABELS.get(cells["label"])) is None:
        raise ValueError(f"label {cells['label']!r}; expected 0 (real) or 1 (fake)")
    video = cells.get("video") or path.stem
    method = cells.get("method") or ("fake" if label == FAKE else "original")
    if "/" in method:
        raise ValueError(f"method {method!r}; a method is one word without a slash")
    people = [name.strip() for name in cells.get("identities", "").split(";")]
    return FoundVideo(
        key=VideoKey("manifest", method, video),
        path=path,
        label=label,
        identities=tuple(filter(None, people)) or (_name_of(cells.get("source", "")) or video,),
        kind=cast(Kind, _choice("kind", cells.get("kind", ""), get_args(Kind)) or kind or _kind_of(path)),
        split=cast(Split | None, _choice("split", cells.get("split", ""), get_args(Split))),
        groups=Groups(cells.get("skin_tone", ""), cells.get("light", "")),
    )


def _name_of(source: str) -> str:
    """What an original is called where a manifest does not say otherwise; `source` may be its file or its name."""
    path = PurePosixPath(source)
    return path.stem if path.suffix.lower() in VIDEO_SUFFIXES | PICTURE_SUFFIXES else source


def _below(root: Path, text: str) -> Path:
    relative = PurePosixPath(text)
    if not relative.name or relative.is_absolute() or ".." in relative.parts or not fits_a_table(text):
        raise ValueError(f"path {text!r}; expected a path below {root}, without '..'")
    return root / relative


def _choice(column: str, cell: str, choices: Sequence[str]) -> str | None:
    if cell and cell not in choices:
        raise ValueError(f"{column} {cell!r}; expected {', '.join(choices)}")
    return cell or None


def _kind_of(path: Path) -> Kind:
    if path.suffix.lower() in VIDEO_SUFFIXES:
        return "video"
    if path.suffix.lower() in PICTURE_SUFFIXES:
        return "image"
    raise ValueError(f"path {str(path)!r} is of no known kind; say it in a column `kind`: {', '.join(get_args(Kind))}")


def _refuse_absent(manifest: Path, videos: Sequence[FoundVideo]) -> None:
    there = {folder: set(list_names(folder)) for folder in {video.path.parent for video in videos}}
    absent = [video.path for video in videos if video.path.name not in there[video.path.parent]]
    if absent:
        raise DataError(f"{manifest}: files that are not there: {first_and_count(absent)}")
