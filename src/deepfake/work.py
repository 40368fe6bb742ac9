"""Results that outlive a killed stage: a content-addressed folder outside every DVC output.

An entry's name is the hash of all that determines it (input bytes, settings, the code that computes it), so an
entry is never stale: it is right or it is not there. Delete the folder at any time; it only costs time.
"""

import hashlib
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from pydantic import BaseModel

_CHUNK_BYTES = 1 << 20
_SOURCES = Path(__file__).resolve().parents[1]


def work_folder(name: str) -> Path:
    """Folder for a stage's unfinished business: `$DEEPFAKE_WORK/name`, by default `.work/name`."""
    return Path(os.environ.get("DEEPFAKE_WORK") or ".work") / name


def file_hash(path: Path) -> str:
    """Hash of a file's bytes."""
    digest = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def loaded_code() -> list[ModuleType]:
    """Every loaded module below src/, the running script included: the code that may have shaped a result."""
    files = {Path(file).resolve(): module for module in list(sys.modules.values())
             if (file := getattr(module, "__file__", None))}  # fmt: skip
    return [files[path] for path in sorted(files) if path.is_relative_to(_SOURCES)]


def work_key(*parts: object, code: Sequence[ModuleType]) -> str:
    """Name of the entry that is determined by `parts` (strings, numbers, settings) and the source of `code`."""
    digest = hashlib.blake2b(digest_size=16)
    for part in parts:
        value = part.model_dump(mode="json") if isinstance(part, BaseModel) else part
        digest.update(json.dumps(value, sort_keys=True, default=str).encode() + b"\x1f")
    for module in code:
        assert module.__file__ is not None
        digest.update(Path(module.__file__).read_bytes())
    return digest.hexdigest()
