"""The figures of one model, each from the numbers that its function is given."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from deepfake.reporting.curves import ReliabilityPoint
from deepfake.reporting.drawing import FAKE_COLOR, INK, MUTED, REAL_COLOR, Picture, draw
from deepfake.reporting.items import Items
from deepfake.reporting.wording import condition_title, label

CHANCE: Any = {"color": MUTED, "linewidth": 0.9, "linestyle": (0, (4, 3))}
_BINS = 40


def score_figure(model: str, items: Mapping[str, Items], threshold: float) -> Picture:
    """Histograms of real and fake video logits, one row for each condition, with the deployed threshold."""
    everything = np.concatenate([scored.scores for scored in items.values()])
    edges = np.histogram_bin_edges(np.append(everything, threshold), bins=_BINS).tolist()

    def paint(figure: Figure) -> None:
        rows = figure.subplots(len(items), sharex=True, squeeze=False)[:, 0]
        for axes, (condition, scored) in zip(rows, items.items(), strict=True):
            _plot_scores(axes, scored, edges)
            axes.axvline(threshold, color=INK, linewidth=1)
            axes.set_title(label(condition_title(condition)), loc="left", pad=2)
        rows[0].legend(loc="lower right", bbox_to_anchor=(1, 1), borderpad=0, ncols=2)
        rows[-1].set_xlabel("mean logit of a video; fake from the line on")

    return draw(f"Scores of real and fake videos, {model}", paint, height=0.9 * len(items) + 0.5)


def reliability_figure(model: str, points: Sequence[ReliabilityPoint]) -> Picture:
    """Share of fakes against the probability that was said; areas show how many videos a point stands for."""

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        said, so = [point.probability for point in points], [point.share_fake for point in points]
        axes.plot([0, 1], [0, 1], **CHANCE)
        axes.plot(said, so, color=INK, linewidth=0.9)
        axes.scatter(said, so, s=[12 + 400 * point.weight for point in points], color=REAL_COLOR, alpha=0.8, zorder=3)
        axes.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), xlabel="probability of fake, as said", ylabel="share of fakes")

    return draw(f"Reliability of probabilities, {model}", paint)


def _plot_scores(axes: Axes, items: Items, edges: Sequence[float]) -> None:
    for truth, name, color in ((0, "real", REAL_COLOR), (1, "fake", FAKE_COLOR)):
        scores = items.scores[items.labels == truth]
        weights = np.full(len(scores), 1 / len(scores))
        axes.hist(scores, bins=edges, weights=weights, histtype="stepfilled", color=color, alpha=0.6, label=name)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
