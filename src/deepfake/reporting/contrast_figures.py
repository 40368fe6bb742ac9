"""The figures that show all models of one dataset together."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from deepfake.metrics.operating_point import TARGET_FPR
from deepfake.metrics.ranking import Floats
from deepfake.reporting.drawing import Picture, Plot, draw, model_color
from deepfake.reporting.eps_curve import EpsPoint, bounds_of
from deepfake.reporting.figures import CHANCE
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.wording import condition_title, label

_COLUMNS = 2
_SPREAD = 0.68  # of the distance of two rows, for the dots of all models

Curves = Mapping[str, Mapping[str, Floats]]  # by condition, then by model


def roc_plot(title: str, curves: Curves) -> Plot:
    """ROC curves (P, 2) of all models, a panel for each condition."""

    def paint(figure: Figure) -> None:
        for axes, (condition, models) in zip(_panels(figure, len(curves)), curves.items(), strict=True):
            _plot_roc(axes, condition, models)
            axes.plot([0, 1], [0, 1], **CHANCE)
            axes.set(xlim=(-0.01, 1), ylim=(0, 1.01))
        _finish(figure, "false positive rate", "true positive rate")

    return Plot(title, paint, height=_height(len(curves)))


def low_fpr_figure(title: str, curves: Curves, reals: int) -> Picture:
    """The same curves as steps where the false positive rate is low, on a logarithmic axis."""
    lowest = min(0.5 / reals, TARGET_FPR / 2)

    def paint(figure: Figure) -> None:
        for axes, (condition, models) in zip(_panels(figure, len(curves)), curves.items(), strict=True):
            visible = {model: _from(curve, lowest) for model, curve in models.items()}
            _plot_roc(axes, condition, visible, drawstyle="steps-post")
            axes.axvline(TARGET_FPR, **CHANCE)
            axes.set(xscale="log", xlim=(lowest, 1), ylim=(0, 1.01))
            axes.xaxis.set_minor_locator(NullLocator())  # a log axis draws dozens, and slowly
            axes.xaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
        _finish(figure, "false positive rate, logarithmic", "true positive rate")

    return draw(title, paint, height=_height(len(curves)))


def dots_figure(title: str, estimates: Mapping[str, Mapping[str, Estimate]], *, axis: str, chance: float) -> Picture:
    """A dot and its 95 % interval for each name and model, one name below the other."""
    models = list(dict.fromkeys(model for row in estimates.values() for model in row))

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for row, by_model in enumerate(estimates.values()):
            for model, estimate in by_model.items():
                height = row + _SPREAD * ((models.index(model) + 0.5) / len(models) - 0.5)
                color = model_color(model)
                axes.plot([estimate.low, estimate.high], [height] * 2, color=color, linewidth=2, alpha=0.55)
                axes.plot(estimate.value, height, "o", color=color, markersize=4.5, label="" if row else label(model))
        axes.axvline(chance, **CHANCE)
        axes.set(
            yticks=range(len(estimates)),
            yticklabels=[label(name) for name in estimates],
            xlabel=axis,
            xlim=(-0.02, 1.02),
        )
        axes.set_ylim(len(estimates) - 0.5, -0.5)
        axes.grid(visible=False, axis="y")
        figure.legend(loc="outside upper right", ncols=len(models))

    return draw(title, paint, height=0.34 * len(estimates) + 1)


def eps_plot(title: str, curves: Mapping[str, Sequence[EpsPoint]]) -> Plot:
    """AUC of every model against the budget: the worst case with its 95 % interval as a band, PGD alone dashed."""

    def paint(figure: Figure) -> None:
        axes = figure.subplots()
        for model, points in curves.items():
            color, bounded = model_color(model), bounds_of(points)
            budgets, aucs = [point.eps_255 for point in points], [point.auc for point in points]
            axes.plot(budgets, aucs, "o-", color=color, markersize=4, label=f"{label(model)}: worst case")
            pgd = [point.pgd_auc for point in points]
            axes.plot(budgets, pgd, "--", color=color, linewidth=1.1, alpha=0.7, label="PGD alone")
            at, low, high = np.array(bounded).reshape(-1, 3).T
            axes.fill_between(at, low, high, color=color, alpha=0.18, linewidth=0)
        axes.axhline(0.5, **CHANCE)
        ticks = sorted({point.eps_255 for points in curves.values() for point in points})
        axes.set(xticks=ticks, xticklabels=[f"{tick:g}" for tick in ticks], ylim=(-0.02, 1.02))
        axes.set(xlabel="budget in 1/255", ylabel="video ROC-AUC")
        figure.legend(loc="outside upper left", ncols=len(curves))  # a column a model

    return Plot(title, paint, width=4.8, height=3.2)


def _panels(figure: Figure, count: int) -> list[Axes]:
    lines = -(-count // _COLUMNS)
    panels = figure.subplots(lines, _COLUMNS, sharex=True, sharey=True, squeeze=False).ravel().tolist()
    for unused in panels[count:]:
        unused.set_axis_off()
    for above in panels[count - _COLUMNS : count]:
        above.tick_params(labelbottom=True)
    return panels[:count]


def _height(count: int) -> float:
    return 1.85 * -(-count // _COLUMNS) + 0.7


def _plot_roc(axes: Axes, condition: str, models: Mapping[str, Floats], drawstyle: str = "default") -> None:
    for model, points in models.items():
        axes.plot(points[:, 0], points[:, 1], color=model_color(model), drawstyle=drawstyle, label=label(model))
    axes.set_title(label(condition_title(condition)).replace(", then", ",\nthen"), loc="left", pad=3)


def _finish(figure: Figure, x: str, y: str) -> None:
    figure.supxlabel(x, fontsize=9)
    figure.supylabel(y, fontsize=9)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels))


def _from(curve: Floats, lowest: float) -> Floats:
    """The part of a curve (P, 2) that a logarithmic axis from `lowest` on can show."""
    hidden = int(np.count_nonzero(curve[:, 0] <= lowest))
    return np.concatenate([[(lowest, curve[hidden - 1, 1])], curve[hidden:]])
