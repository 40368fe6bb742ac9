"""Curves as PNG files: what a review shows of two revisions, where the SVG of the page cannot go."""

from collections.abc import Iterator
from pathlib import Path

from deepfake.reporting.conditions import headline_conditions
from deepfake.reporting.contrast_figures import eps_plot, roc_plot
from deepfake.reporting.curves import roc_curves
from deepfake.reporting.drawing import Plot
from deepfake.reporting.results import Results
from deepfake.reporting.wording import picture_title
from deepfake.runtime import replacing_folder


def write_figures(folder: Path, results: Results) -> None:
    """Replace `folder` by `<role>/roc.png`, under the few conditions of the summary, and `<role>/eps.png`."""
    with replacing_folder(folder) as new:
        for role in results.roles:
            (new / role).mkdir()
            for name, plot in _plots(results, role):
                (new / role / f"{name}.png").write_bytes(plot.png())


def _plots(results: Results, role: str) -> Iterator[tuple[str, Plot]]:
    score_sets = results.of_role(role)
    scored = dict.fromkeys(condition for scores in score_sets.values() for condition in scores.frames)
    yield "roc", roc_plot(picture_title("roc"), roc_curves(score_sets, headline_conditions(scored)))
    yield "eps", eps_plot(picture_title("eps"), {model: results.eps[model, role] for model in score_sets})
