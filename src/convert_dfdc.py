"""Make a manifest of DFDC's part folders, so that the `manifest` layout reads them.

Every part folder holds videos and a metadata.json: {"a.mp4": {"label": "FAKE", "original": "b.mp4"}, ...}. The
manifest names the original that a fake was made from, and no split: DFDC calls all parts "train", so
splits are dealt such that an original and its fakes stay together. (Actors recur across originals; DFDC does not
say where.)
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, TypeAdapter, ValidationError

from deepfake.errors import DataError
from deepfake.stage import run
from deepfake.tables import write_rows


@dataclass(frozen=True)
class ManifestRow:
    """One row of the manifest."""

    path: str
    label: int
    video: str
    source: str
    method: str


class _Entry(BaseModel):
    label: Literal["REAL", "FAKE"]
    original: str | None = None


_METADATA = TypeAdapter(dict[str, _Entry])


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folders", nargs="+", type=Path, help="part folders with a metadata.json each")
    parser.add_argument("--out", required=True, type=Path, help="manifest.csv; all parts must be below its folder")
    args = parser.parse_args(argv)

    if args.out.is_dir():
        raise DataError(f"--out {args.out}: a folder; a file in it would be right, such as {args.out / 'manifest.csv'}")
    if args.out.suffix.lower() != ".csv":  # a slip of the keyboard must not cost DFDC's own metadata.json
        raise DataError(f"--out {args.out}: a .csv file would be right")
    rows = [row for folder in sorted(set(args.folders)) for row in read_part(folder, args.out.parent)]
    if not rows:
        raise DataError(f"{args.folders[0]}: no video that its metadata.json names is there")
    write_rows(args.out, ManifestRow, rows)
    fakes = sum(row.label for row in rows)
    print(f"{args.out}: {len(rows) - fakes} real and {fakes} fake videos")


def read_part(folder: Path, root: Path) -> Iterator[ManifestRow]:
    """Manifest rows of one part's videos, as far as they are there.

    Raises:
        DataError: the part is not below `root`, or its metadata.json is missing or not as DFDC writes it.
    """
    here, top = (Path(os.path.abspath(path)) for path in (folder, root))  # noqa: PTH100 (links to parts stay)
    if not here.is_relative_to(top):
        raise DataError(f"{folder}: not below {root}, the folder of the manifest; choose another --out")
    below = here.relative_to(top)
    metadata = _read_metadata(folder / "metadata.json")
    there = set(os.listdir(folder))  # noqa: PTH208 (names, not paths)
    for name, entry in sorted(metadata.items()):
        if name in there:
            video = Path(name).stem
            source = Path(entry.original).stem if entry.original else video
            fake = entry.label == "FAKE"
            yield ManifestRow((below / name).as_posix(), int(fake), video, source, "dfdc" if fake else "original")
    if absent := len(metadata.keys() - there):
        print(f"note: {folder}: {absent} videos of its metadata.json are not there and left out", file=sys.stderr)


def _read_metadata(path: Path) -> dict[str, _Entry]:
    try:
        return _METADATA.validate_json(path.read_bytes())
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}; DFDC has one in every part") from error
    except ValidationError as error:
        fault = error.errors()[0]
        where = ".".join(str(part) for part in fault["loc"])
        raise DataError(f"{path}: {where + ': ' if where else ''}{fault['msg']}") from error


if __name__ == "__main__":
    sys.exit(run(main))
