"""The figures of the page, each from the numbers that its function is given."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from deepfake.metrics.operating_point import TARGET_FPR
from deepfake.metrics.ranking import Floats
from deepfake.reporting.curves import ReliabilityPoint
from deepfake.reporting.drawing import FAKE_COLOR, INK, MUTED, REAL_COLOR, Picture, condition_colors, draw
from deepfake.reporting.items import Items
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.training_curves import TrainingCurve
from deepfake.reporting.wording import condition_title

_CHANCE: Any = {"color": MUTED, "linewidth": 0.9, "linestyle": (0, (4, 3))}
_BINS = 40


def roc_figure(curves: Mapping[str, Floats]) -> Picture:
    """ROC curves (P, 2) by condition, both axes linear."""

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        _plot_roc(axes, curves)
        axes.plot([0, 1], [0, 1], **_CHANCE)
        axes.set(xlim=(-0.01, 1), ylim=(0, 1.01), xlabel="false positive rate", ylabel="true positive rate")

    return draw("ROC curves by condition", paint)


def low_fpr_figure(curves: Mapping[str, Floats], reals: int) -> Picture:
    """The same curves as steps where the false positive rate is low, on a logarithmic axis."""
    lowest = min(0.5 / reals, TARGET_FPR / 2)

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        visible = {name: _from(curve, lowest) for name, curve in curves.items()}
        _plot_roc(axes, visible, drawstyle="steps-post")
        axes.axvline(TARGET_FPR, **_CHANCE)
        axes.set(xscale="log", xlim=(lowest, 1), ylim=(0, 1.01))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
        axes.set(xlabel="false positive rate, logarithmic", ylabel="true positive rate")

    return draw("ROC curves at low false positive rates", paint)


def score_figure(items: Mapping[str, Items], threshold: float) -> Picture:
    """Histograms of real and fake video logits, one row for each condition, with the deployed threshold."""
    everything = np.concatenate([scored.scores for scored in items.values()])
    edges = np.histogram_bin_edges(np.append(everything, threshold), bins=_BINS).tolist()

    def paint(figure: Figure) -> None:
        rows = figure.subplots(len(items), sharex=True, squeeze=False)[:, 0]
        for axes, (condition, scored) in zip(rows, items.items(), strict=True):
            _plot_scores(axes, scored, edges)
            axes.axvline(threshold, color=INK, linewidth=1)
            axes.set_title(condition_title(condition), loc="left", pad=2)
        rows[0].legend(loc="lower right", bbox_to_anchor=(1, 1), borderpad=0, ncols=2)
        rows[-1].set_xlabel("mean logit of a video; fake from the line on")

    return draw("Scores of real and fake videos by condition", paint, height=0.9 * len(items) + 0.5)


def reliability_figure(points: Sequence[ReliabilityPoint]) -> Picture:
    """Share of fakes against the probability that was said; areas show how many videos a point stands for."""

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        said, so = [point.probability for point in points], [point.share_fake for point in points]
        axes.plot([0, 1], [0, 1], **_CHANCE)
        axes.plot(said, so, color=INK, linewidth=0.9)
        axes.scatter(said, so, s=[12 + 400 * point.weight for point in points], color=REAL_COLOR, alpha=0.8, zorder=3)
        axes.set(xlim=(-0.04, 1.04), ylim=(-0.04, 1.04), xlabel="probability of fake, as said", ylabel="share of fakes")

    return draw("Reliability of probabilities", paint)


def estimate_figure(title: str, estimates: Mapping[str, Estimate], *, label: str, chance: float | None) -> Picture:
    """A dot and its 95 % interval for each name, one below the other."""

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for row, estimate in enumerate(estimates.values()):
            axes.plot([estimate.low, estimate.high], [row, row], color=REAL_COLOR, linewidth=2, alpha=0.55)
            axes.plot(estimate.value, row, "o", color=REAL_COLOR, markersize=5)
        if chance is not None:
            axes.axvline(chance, **_CHANCE)
        axes.set(yticks=range(len(estimates)), yticklabels=list(estimates), xlabel=label)
        axes.set_ylim(len(estimates) - 0.5, -0.5)
        axes.set_xlim(
            np.nanmin([0.5, *(number for estimate in estimates.values() for number in estimate)]) - 0.02, 1.01
        )
        axes.grid(visible=False, axis="y")

    return draw(title, paint, height=0.32 * len(estimates) + 0.75)


def training_figures(curves: Sequence[TrainingCurve]) -> list[Picture]:
    """One figure for each logged quantity; what it was measured on shares the axes."""
    leaves = list(dict.fromkeys(curve.leaf for curve in curves))
    return [draw(f"Training: {leaf.replace('_', ' ')}", _training_painter(leaf, curves), height=2.4) for leaf in leaves]


def _training_painter(leaf: str, curves: Sequence[TrainingCurve]) -> Callable[[Figure], None]:
    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        shown = [curve for curve in curves if curve.leaf == leaf]
        for curve, color in zip(shown, [REAL_COLOR, FAKE_COLOR, INK, MUTED] * len(shown), strict=False):
            axes.plot(curve.steps, curve.values, color=color, label=curve.name)
        axes.set(xlabel="epoch", ylabel=leaf.replace("_", " "))
        axes.legend()

    return paint


def _plot_roc(axes: Axes, curves: Mapping[str, Floats], drawstyle: str = "default") -> None:
    colors = condition_colors(list(curves))
    for layer, (condition, points) in enumerate(curves.items()):
        style = {"color": colors[condition], "drawstyle": drawstyle, "zorder": 3 - layer / len(curves)}
        axes.plot(points[:, 0], points[:, 1], label=condition_title(condition), **style)
    axes.legend(loc="lower right")


def _from(curve: Floats, lowest: float) -> Floats:
    """The part of a curve (P, 2) that a logarithmic axis from `lowest` on can show."""
    hidden = int(np.count_nonzero(curve[:, 0] <= lowest))
    return np.concatenate([[(lowest, curve[hidden - 1, 1])], curve[hidden:]])


def _plot_scores(axes: Axes, items: Items, edges: Sequence[float]) -> None:
    for label, name, color in ((0, "real", REAL_COLOR), (1, "fake", FAKE_COLOR)):
        scores = items.scores[items.labels == label]
        weights = np.full(len(scores), 1 / len(scores))
        axes.hist(scores, bins=edges, weights=weights, histtype="stepfilled", color=color, alpha=0.6, label=name)
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.spines["left"].set_visible(False)
