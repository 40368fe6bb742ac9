"""Stage: turn stored scores into metrics, curves, tables and one HTML page; no model is run here."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deepfake.params import load_params
from deepfake.reporting.curves import write_curves
from deepfake.reporting.headline import headline, write_headline, write_intervals
from deepfake.reporting.markdown import write_markdown
from deepfake.reporting.matrix import build_matrix, write_matrix
from deepfake.reporting.page import build_part, write_page
from deepfake.reporting.scores import load_score_sets
from deepfake.reporting.training_curves import read_training_curves
from deepfake.reporting.trivial import trivial_rows
from deepfake.stage import run


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", required=True, type=Path, help="folder of the folders that evaluate wrote")
    parser.add_argument("--curves", required=True, type=Path, help="folder of the models' training curves")
    parser.add_argument("--metrics", required=True, type=Path, help="folder for headline.json and intervals.json")
    parser.add_argument("--plots", required=True, type=Path, help="folder for tables, curves and the page")
    args = parser.parse_args(argv)

    params = load_params()
    roles = [role for role, dataset in params.datasets if dataset is not None]
    score_sets = load_score_sets(args.scores, roles)
    curves = {scores.model: read_training_curves(args.curves / scores.model) for scores in score_sets}
    rows = build_matrix(score_sets, params.report, params.seed)
    trivial = trivial_rows(score_sets, params.report, params.seed)
    main_numbers = headline(score_sets, rows, trivial)

    write_headline(args.metrics / "headline.json", main_numbers)
    write_intervals(args.metrics / "intervals.json", main_numbers)
    write_matrix(args.plots / "conditions.csv", rows)
    write_curves(args.plots / "curves", score_sets, rows)
    write_markdown(args.plots / "results.md", score_sets, rows, trivial)
    parts = [build_part(scores, rows, trivial) for scores in score_sets]
    write_page(args.plots / "report.html", params, parts, curves)


if __name__ == "__main__":
    sys.exit(run(main))
