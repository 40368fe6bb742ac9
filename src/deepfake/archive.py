"""Tensors and plain values in one file, as torch writes it: read so that nothing in it runs, nor outgrows it."""

from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from pickle import UnpicklingError
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile

import torch
from torch import Tensor

from deepfake.errors import CheckpointError
from deepfake.runtime import replacing

# What ZipFile and torch's restricted unpickler raise on bytes that are damaged or forbidden.
UNREADABLE = (
    OSError, RuntimeError, EOFError, UnpicklingError, ValueError, LookupError, TypeError, AttributeError, BadZipFile,
    OverflowError, AssertionError,
)  # fmt: skip
_MAGIC = b"PK\x03\x04"  # torch takes a file that begins otherwise for one of its older formats
_TYPES = (torch.float32, torch.float16, torch.int64)

Weights = Mapping[str, Tensor]


def save_archive(path: Path, content: Mapping[str, Any]) -> None:
    """Write a file, whole or not at all; the same content gives the same bytes."""
    buffer = BytesIO()  # torch.save to a path writes the file's name into the archive
    torch.save(content, buffer)
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getvalue())


def load_archive(path: Path, form: str, *, name: str) -> dict[str, Any]:
    """Read what `save_archive` wrote, into no more memory than the file is large.

    Args:
        path: file.
        form: its "format" entry.
        name: what such a file is called: "a checkpoint".

    Raises:
        CheckpointError: no file, not one of that format, damaged, or one whose records are larger than it is.
    """
    if not path.exists():
        raise CheckpointError(f"{path}: no such file")
    try:
        _require_plain_records(path, name)
        content = torch.load(path, map_location="cpu", weights_only=True)
    except UNREADABLE as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise CheckpointError(f"{path}: not {name} that can be loaded safely: {reason}") from error
    if not isinstance(content, dict) or content.get("format") != form:
        raise CheckpointError(f"{path}: not a {form} file")
    return content


def checked_weights(weights: object) -> dict[str, Tensor]:
    """Weights that are what a state dict holds: dense, finite tensors by name.

    Raises:
        ValueError: something else, such as a view that repeats one number a billion times.
    """
    if not isinstance(weights, dict) or not all(isinstance(name, str) for name in weights):
        raise ValueError("its weights should be a table of tensors by name")
    for name, tensor in weights.items():
        if not isinstance(tensor, Tensor) or tensor.layout is not torch.strided or tensor.dtype not in _TYPES:
            raise ValueError(f"weights: {name} is no dense tensor of {', '.join(map(str, _TYPES))}")
        if tensor.device.type != "cpu" or not tensor.is_contiguous():
            raise ValueError(f"weights: {name} does not lie in one piece")
        if not torch.isfinite(tensor).all():
            raise ValueError(f"weights: {name} has values that are not finite")
    return dict(weights)


def require_fit(weights: Weights, expected: Weights) -> None:
    """Make sure that weights have the names and shapes of a network's, which may be on the meta device.

    Raises:
        CheckpointError: they have not.
    """
    shapes, wanted = ({name: tuple(tensor.shape) for name, tensor in each.items()} for each in (weights, expected))
    if wrong := sorted(name for name in {*shapes, *wanted} if shapes.get(name) != wanted.get(name)):
        first = f"{wrong[0]} is {shapes.get(wrong[0], 'absent')} and should be {wanted.get(wrong[0], 'absent')}"
        raise CheckpointError(f"weights do not fit the network they claim to be: {first}, and {len(wrong) - 1} more")


def _require_plain_records(path: Path, name: str) -> None:
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise CheckpointError(f"{path}: not {name}, or cut short")
    with ZipFile(path) as archive:
        records = archive.infolist()
    if any(record.compress_type != ZIP_STORED for record in records):
        raise CheckpointError(f"{path}: not {name}: its records are compressed")
    if sum(record.file_size for record in records) > path.stat().st_size:
        raise CheckpointError(f"{path}: not {name}: its records are larger than the file")
