"""FaceForensics++ (Rössler et al. 2019): the official tree, and the flat mirrors of it.

Official: `original_sequences/youtube/<compression>/videos/000.mp4` and
`manipulated_sequences/<Method>/<compression>/videos/000_003.mp4` (target_source).
Flat: `original/000.mp4` and `<Method>/000_003.mp4`; the levels `<compression>` and `videos` may be there too.
Both with the official `splits/{train,val,test}.json`, lists of pairs of ids.

Not read: masks, and DeepFakeDetection with its originals (`actors`), whose videos belong to no official split.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from deepfake.datasets.found import FoundVideo, first_and_count, list_names, list_videos, note
from deepfake.errors import DataError
from deepfake.params import DatasetParams
from deepfake.records import FAKE, REAL, Split, VideoKey

_COMPRESSIONS = ("raw", "c0", "c23", "c40")
_PAIRS = TypeAdapter(list[tuple[str, str]])


def read_ffpp(params: DatasetParams, *, role: str) -> list[FoundVideo]:
    """Videos of the wanted methods and compression; in the role `cross` those of the official test split.

    A video whose ids are in no split file is left out, with a note.
    """
    root = Path(params.root)
    official = (root / "original_sequences").is_dir() or (root / "manipulated_sequences").is_dir()
    if not official and not (root / "original").is_dir():
        raise DataError(f"{root}: not FaceForensics++: neither original_sequences/ nor original/ is there")
    real = root / ("original_sequences/youtube" if official else "original")
    fake = root / "manipulated_sequences" if official else root
    files = [("original", path) for path in _named(r"\d+", real, params.compression)]
    if not files:
        raise _nothing_there(real, "000.mp4", params, role)
    files += _forgeries(fake, params, role)
    return _in_splits(files, _read_splits(root / "splits", role), role)


def _forgeries(folder: Path, params: DatasetParams, role: str) -> list[tuple[str, Path]]:
    names = params.methods or sorted(list_names(folder))
    found = {name: _named(r"\d+_\d+", folder / name, params.compression) for name in names}
    for name, paths in found.items():
        if params.methods and not paths:
            raise _nothing_there(folder / name, "000_003.mp4", params, role)
        there = _compressions(folder / name)
        if there and params.compression not in there:
            note(f"{folder / name} is left out: it has {', '.join(there)} and not {params.compression}")
    if not any(found.values()):
        raise _nothing_there(folder / "<Method>", "000_003.mp4", params, role)
    return [(name, path) for name, paths in found.items() for path in paths]


def _named(pattern: str, folder: Path, compression: str) -> list[Path]:
    """Videos of a method's folder whose names are ids; none if it only has other compressions."""
    if _compressions(folder):
        folder /= compression
    if (folder / "videos").is_dir():
        folder /= "videos"
    return [path for path in list_videos(folder) if re.fullmatch(pattern, path.stem)]


def _compressions(folder: Path) -> list[str]:
    names = list_names(folder)
    return [level for level in _COMPRESSIONS if level in names]


def _nothing_there(folder: Path, example: str, params: DatasetParams, role: str) -> DataError:
    there = _compressions(folder)
    expected = f"{params.compression}/videos/{example}"
    if there and params.compression not in there:
        expected += f" (datasets.{role}.compression could be {' or '.join(there)})"
    return DataError(f"{folder}: no videos; expected {expected}")


def _read_splits(folder: Path, role: str) -> dict[str, Split]:
    """Split of every id; only the test split's ids in the role `cross`."""
    names: tuple[Split, ...] = ("test",) if role == "cross" else ("train", "val", "test")
    splits: dict[str, Split] = {}
    for name in names:
        path = folder / f"{name}.json"
        for identity in _read_ids(path):
            if splits.setdefault(identity, name) != name:
                raise DataError(f"{path}: id {identity} is in {splits[identity]}.json too; a person may be in one only")
    return splits


def _read_ids(path: Path) -> Iterator[str]:
    try:
        pairs = _PAIRS.validate_json(path.read_bytes())
    except FileNotFoundError as error:
        source = "github.com/ondyari/FaceForensics (dataset/splits)"
        raise DataError(f"{path}: no such file; the official split files are at {source}") from error
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise DataError(
            f'{path}: expected JSON pairs of ids like [["000", "003"]]: {error.errors()[0]["msg"]}'
        ) from error
    for pair in pairs:
        yield from pair


def _in_splits(files: list[tuple[str, Path]], splits: dict[str, Split], role: str) -> list[FoundVideo]:
    found: list[FoundVideo] = []
    strays: list[Path] = []
    for method, path in files:
        ids = tuple(path.stem.split("_"))
        if not all(identity in splits for identity in ids):
            strays.append(path)
            continue
        label = REAL if method == "original" else FAKE
        key = VideoKey("ffpp", method, path.stem)
        found.append(FoundVideo(key, path, label, ids, split=splits[ids[0]]))
    if strays and role == "train":
        note(f"left out: videos with an id that is in no split file: {first_and_count(strays)}")
    return found
