"""Stage: turn stored scores into metrics, curves, tables and one HTML page; no model is run here."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deepfake.params import load_params
from deepfake.reporting.curves import write_curves
from deepfake.reporting.figure_files import write_figures
from deepfake.reporting.headline import headline, write_headline, write_intervals
from deepfake.reporting.markdown import Findings, write_markdown
from deepfake.reporting.matrix import write_matrix
from deepfake.reporting.model_card import write_model_card
from deepfake.reporting.page import Run, write_page
from deepfake.reporting.pairing import write_pairs
from deepfake.reporting.protocol import suite_sentence
from deepfake.reporting.provenance import sources_of
from deepfake.reporting.results import compute_results
from deepfake.reporting.scores import load_score_sets
from deepfake.reporting.sections import build_section
from deepfake.reporting.short_table import write_short_table
from deepfake.reporting.training_curves import read_trainings
from deepfake.reporting.training_figures import training_figures
from deepfake.stage import run


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scores", required=True, type=Path, help="folder of the folders that evaluate wrote")
    parser.add_argument("--models", required=True, type=Path, help="folder of the detectors; they are told, not run")
    parser.add_argument("--explain", required=True, type=Path, help="folder of each role's table of explanations")
    parser.add_argument("--gradcam", required=True, type=Path, help="folder of each role's Grad-CAM panels")
    parser.add_argument("--curves", required=True, type=Path, help="folder of the training curves")
    parser.add_argument("--metrics", required=True, type=Path, help="folder for headline.json and intervals.json")
    parser.add_argument("--plots", required=True, type=Path, help="folder for tables, curves, figures and the page")
    parser.add_argument("--card", required=True, type=Path, help="Markdown file for the model card")
    args = parser.parse_args(argv)

    params = load_params()
    roles = [role for role, dataset in params.datasets if dataset is not None]
    score_sets = load_score_sets(args.scores, roles)
    models = dict.fromkeys(args.models / f"{scores.model}.pt" for scores in score_sets)
    sources = list(sources_of([*models, *(args.scores / scores.name for scores in score_sets)]))
    training = training_figures(read_trainings(args.curves))
    results = compute_results(score_sets, params.report, params.seed)
    sections = [build_section(results, role, args.explain, args.gradcam) for role in roles]
    main_numbers = headline(score_sets, results.rows, results.trivial, results.pairs, results.eps)

    write_headline(args.metrics / "headline.json", main_numbers)
    write_intervals(args.metrics / "intervals.json", main_numbers)
    write_matrix(args.plots / "conditions.csv", results.rows)
    write_pairs(args.plots / "comparison.csv", results.pairs)
    write_curves(args.plots / "curves", results)
    write_figures(args.plots / "figures", results)
    findings = {section.role: Findings(section.explanations, section.undo) for section in sections}
    write_markdown(args.plots / "results.md", results, findings, suite_sentence(params))
    write_model_card(args.card, params, results)
    write_short_table(args.plots / "summary.md", results, params)
    write_page(args.plots / "report.html", Run(params, sources), results, sections, training)


if __name__ == "__main__":
    sys.exit(run(main))
