"""What no detector can win: the share of a forgery that an attacker can undo within a budget."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepfake.findings import UndoShare
from deepfake.records import VideoKey
from deepfake.tables import read_rows


@dataclass(frozen=True)
class UndoRow:
    """The fakes of one forgery method.

    Attributes:
        method: the method.
        fakes: test videos that the dataset states it of.
        means: mean share of the forged region that can be undone, by budget in steps of an 8-bit pixel, ascending.
    """

    method: str
    fakes: int
    means: Mapping[int, float]

    def at(self, eps_255: int) -> float:
        """The mean share at a budget; NaN where the dataset does not state it."""
        return self.means.get(eps_255, math.nan)


def undo_rows(path: Path) -> list[UndoRow]:
    """One row a method, by name; none where the dataset does not state it.

    Raises:
        DataError: no table, or not such a one.
    """
    by_method: dict[str, dict[int, dict[str, float]]] = {}
    for row in read_rows(path, UndoShare):
        budgets = by_method.setdefault(VideoKey.parse(row.video).method, {})
        budgets.setdefault(row.eps_255, {})[row.video] = row.share
    return [
        UndoRow(
            method,
            len(set().union(*budgets.values())),
            {eps: float(np.mean(list(shares.values()))) for eps, shares in sorted(budgets.items())},
        )
        for method, budgets in sorted(by_method.items())
    ]


def undo_budgets(rows: Sequence[UndoRow]) -> list[int]:
    """Budgets that are stated of any method, ascending."""
    return sorted({eps for row in rows for eps in row.means})
