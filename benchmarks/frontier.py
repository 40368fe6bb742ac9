"""The frontier: what recipes keep of the clean AUC, against what they withstand at each budget.

From the table that ablation.py wrote. From the repository's root:

    PYTHONPATH=src python benchmarks/frontier.py benchmarks/results/ablation.csv --out benchmarks/results/frontier.png
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from ablation_rows import BASE, DEFAULT
from ablation_table import BUDGETS, Line, by_recipe
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepfake.reporting.drawing import MUTED, Plot, series_color
from deepfake.runtime import replacing
from deepfake.stage import run
from deepfake.tables import read_rows

_WITHSTANDS = 0.5  # least AUC at the smallest budget of a recipe that is drawn: the rest are not robust


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path, help="CSV file that ablation.py wrote")
    parser.add_argument("--out", required=True, type=Path, help="PNG file to write")
    args = parser.parse_args(argv)
    plot = frontier(read_rows(args.table, Line))
    with replacing(args.out) as temporary:
        temporary.write_bytes(plot.png())


def frontier(lines: Sequence[Line]) -> Plot:
    """A panel for each budget; a number for each recipe, at the mean of its seeds, and a dot for each seed."""
    every = by_recipe(lines)
    recipes = {name: seeds for name, seeds in every.items() if fmean(line.worst_2 for line in seeds) > _WITHSTANDS}
    left_out = "; ".join(name for name in every if name not in recipes)

    def paint(figure: Figure) -> None:
        above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[2.6, 1.1])[:, 0]
        panels = above.subplots(1, len(BUDGETS))
        for panel, budget in zip(panels, BUDGETS, strict=True):
            _panel(panel, recipes, budget)
        panels[0].set_ylabel("worst-case AUC")
        names = [f"{number}  {name}" for number, name in enumerate(recipes, start=1)]
        half = (len(names) + 1) // 2
        for column, some in enumerate((names[:half], names[half:])):
            below.text(0.04 + 0.5 * column, 1.0, "\n".join(some), va="top", fontsize=8, linespacing=1.5)
        below.text(
            0.04, 0.0, f"Below {_WITHSTANDS} at {BUDGETS[0]}/255: {left_out}", va="bottom", fontsize=8, color=MUTED
        )

    return Plot("Clean AUC against worst-case AUC, over recipes", paint, width=10.0, height=5.8)


def _panel(panel: Axes, recipes: Mapping[str, Sequence[Line]], budget: int) -> None:
    panel.set_title(f"at {budget}/255")
    panel.set_xlabel("clean AUC")
    for number, (name, seeds) in enumerate(recipes.items(), start=1):
        clean = [line.clean for line in seeds]
        worst = [getattr(line, f"worst_{budget}") for line in seeds]
        panel.plot(clean, worst, "o", markersize=3, color=MUTED, alpha=0.5)
        panel.annotate(str(number), (fmean(clean), fmean(worst)), ha="center", va="center", fontsize=8,
                       color=series_color(0 if name in (BASE, DEFAULT) else 1), fontweight="bold")  # fmt: skip


if __name__ == "__main__":
    sys.exit(run(main))
