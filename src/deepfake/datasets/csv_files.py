"""CSV files that somebody else wrote: the columns we need must be there, others are ignored."""

import csv
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from deepfake.errors import DataError


def read_csv(path: Path, *, needed: Collection[str]) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Line number and stripped cells of every row; a cell that is not there reads as "".

    Raises:
        DataError: no readable file, not CSV in UTF-8, a needed column is absent, or a column is there twice.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:  # spreadsheets write a byte order mark
            reader = csv.DictReader(file, restval="")
            absent = [name for name in needed if name not in (reader.fieldnames or ())]
            if absent:
                raise DataError(f"{path}: no column {' and '.join(absent)}; its columns are {reader.fieldnames or []}")
            if twice := [name for name, count in Counter(reader.fieldnames).items() if count > 1 and name]:
                raise DataError(f"{path}: column {twice[0]!r} is there twice")
            for cells in reader:
                cells.pop(None, None)  # cells beyond the header
                yield reader.line_num, {name: cell.strip() for name, cell in cells.items()}
    except OSError as error:
        raise DataError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a CSV file in UTF-8: {error}") from error
