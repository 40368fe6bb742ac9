"""CSV tables of dataclass rows: one writer and one reader for every table that passes between stages."""

import csv
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from deepfake.errors import DataError
from deepfake.runtime import replacing

Row = TypeVar("Row")


def write_rows(path: Path, row_type: type, rows: Iterable[Any]) -> None:
    """Write dataclass instances as CSV, one column per field; the file appears whole or not at all.

    Floats are written with their shortest exact form, so reading gives back the same bits.
    """
    names = [field.name for field in fields(row_type)]
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        writer.writerows([getattr(row, name) for name in names] for row in rows)


def read_rows(path: Path, row_type: type[Row]) -> list[Row]:
    """Read what `write_rows` wrote for a dataclass whose fields are str, int or float.

    Raises:
        DataError: no file, not CSV in UTF-8, a missing or unknown column, a row of another length, or a cell that is
            not of its field's type.
    """
    return list(_parse(path, row_type))


def _parse(path: Path, row_type: type[Row]) -> Iterator[Row]:
    types = {field.name: field.type for field in fields(row_type)}  # type: ignore[arg-type]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.DictReader(file)
            if sorted(reader.fieldnames or ()) != sorted(types):
                raise DataError(f"{path}: columns {reader.fieldnames}, expected {list(types)}")
            for number, cells in enumerate(reader, start=2):
                if None in cells or None in cells.values():
                    raise DataError(f"{path}, line {number}: not {len(types)} cells")
                try:
                    yield row_type(**{name: types[name](cells[name]) for name in types})  # type: ignore[operator]
                except (TypeError, ValueError) as error:
                    raise DataError(f"{path}, line {number}: {error}") from error
    except FileNotFoundError as error:
        raise DataError(f"{path}: no such table; run the stage that writes it (`dvc repro`)") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a table: {error}") from error
