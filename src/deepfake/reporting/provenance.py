"""What the numbers were made from, by the names that DVC gives to contents.

A page that named the commit it belongs to could never be committed: its bytes would change with every commit. It names
contents instead. Each hash stands in `dvc.lock`, and the commit that put it there (`git log -S <hash> -- dvc.lock`)
lists the hash of every source file, parameter and dataset that led to it.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from deepfake.errors import DataError


@dataclass(frozen=True)
class Source:
    """Something that the numbers were made from.

    Attributes:
        path: file or folder, as it was given.
        md5: its content's hash, see `content_hash`.
    """

    path: str
    md5: str


def sources_of(paths: Iterable[Path]) -> Iterator[Source]:
    """Every path with its hash.

    Raises:
        DataError: there is no such file or folder.
    """
    for path in paths:
        yield Source(path.as_posix(), content_hash(path))


def content_hash(path: Path) -> str:
    """The hash by which `dvc.lock` knows a file, or a folder (`<hash>.dir`).

    A folder's is that of the JSON list of its files, by name, each with its own hash.

    Raises:
        DataError: there is no such file or folder.
    """
    if path.is_file():
        return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()
    if not path.is_dir():
        raise DataError(f"{path}: no such file or folder; run `dvc repro`, which makes it")
    files = {file.relative_to(path).as_posix(): content_hash(file) for file in path.rglob("*") if file.is_file()}
    listed = json.dumps([{"md5": files[name], "relpath": name} for name in sorted(files)])
    return f"{hashlib.md5(listed.encode(), usedforsecurity=False).hexdigest()}.dir"
