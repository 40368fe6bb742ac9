"""What an attacker could undo of each fake, where a dataset's optional `attributes.csv` states it."""

import math
import re
from collections.abc import Mapping
from pathlib import Path

from deepfake.datasets.csv_files import read_csv
from deepfake.errors import DataError

_UNDO = re.compile(r"undo_(\d{1,3})")


def read_undo(path: Path) -> dict[tuple[str, ...], dict[int, float]]:
    """Undo shares of fakes that the columns `undo_<eps>` state, by method and video and by eps in 1/255.

    Nothing where there is no such file, no such column, or an empty cell.

    Raises:
        DataError: no column `method` or `video`, or a share that is no number in [0, 1].
    """
    if not path.exists():
        return {}
    return {
        (cells["method"], cells["video"]): _shares(cells, f"{path}, line {line}")
        for line, cells in read_csv(path, needed=("method", "video"))
    }


def _shares(cells: Mapping[str, str], place: str) -> dict[int, float]:
    shares: dict[int, float] = {}
    for name, cell in cells.items():
        if (column := _UNDO.fullmatch(name)) and cell:
            try:
                share = float(cell)
            except ValueError:
                share = math.nan
            if not 0 <= share <= 1:
                raise DataError(f"{place}: {name} is {cell!r}, a share in [0, 1] would be right")
            shares[int(column[1])] = share
    return shares
