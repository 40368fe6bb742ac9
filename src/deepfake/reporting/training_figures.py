"""Figures of how models and attackers were trained."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from deepfake.reporting.conditions import LEVELS
from deepfake.reporting.drawing import INK, Picture, draw, model_color, series_color
from deepfake.reporting.training_curves import ATTACKERS, TrainingCurve

_STYLES = ("-", (0, (4, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
_RAMP = "train/eps"


@dataclass(frozen=True)
class _Plan:
    """A figure to draw where its curves were logged.

    Attributes:
        title, note: what it shows, and how to read it.
        label: the vertical axis.
        runs, curves: every curve of every run.
        ramp: whether the budget of the first run is drawn below.
    """

    title: str
    note: str
    label: str
    runs: tuple[str, ...]
    curves: tuple[str, ...]
    ramp: bool = False


_PLANS = (
    _Plan("Baseline: losses", "Clean crops only.", "loss", ("baseline",), ("train/clean", "val/loss")),
    _Plan(
        "Robust: loss on each kind of input",
        "Clean crops, crops attacked by PGD, and crops attacked by the U-Net that learns along. Below: the budget, "
        "which grows during training; attacked losses rise with it.",
        "training loss",
        ("robust",),
        ("train/clean", "train/pgd", "train/unet"),
        ramp=True,
    ),
    _Plan(
        "Robust training against plain longer training",
        "Longer is the control: as many further steps from the same baseline, without an adversary. Solid: clean "
        "validation AUC. Dashed: AUC under the stronger PGD that watches training. What robust gains over longer is "
        "owed to the adversaries and not to time.",
        "validation AUC",
        ("baseline", "robust", "longer"),
        ("val/auc", "val/watch_auc"),
    ),
    _Plan(
        "Robust: validation AUC under attack",
        "A gap between the attack used in training (inner) and the stronger one (watch) that opens suddenly is "
        "catastrophic overfitting: the detector would have learned to fool one attack only.",
        "validation AUC",
        ("robust",),
        ("val/inner_auc", "val/watch_auc", "val/unet_auc"),
    ),
    _Plan(
        "Robust: what keeps the U-Net's perturbations smooth",
        "The terms of its loss for roughness and for high-frequency power, each relative to the budget and times its "
        "weight.",
        "weighted loss",
        ("robust",),
        ("train/total_variation", "train/frequency"),
    ),
    _Plan(
        "Fresh attackers: detector's AUC under them",
        "A new U-Net is fitted against each frozen detector with the same settings. Lower is a stronger attack; one "
        "that cannot bring the baseline down would prove nothing about the robust model.",
        "validation AUC",
        ATTACKERS,
        ("val/auc",),
    ),
    _Plan(
        "Fresh attackers: what keeps their perturbations smooth",
        "The terms of their loss for roughness (solid) and high-frequency power (dashed), each relative to the budget "
        "and times its weight.",
        "weighted loss",
        ATTACKERS,
        ("train/total_variation", "train/frequency"),
    ),
)


@dataclass(frozen=True)
class Captioned:
    """A figure and how to read it."""

    picture: Picture
    note: str


def training_figures(trainings: Mapping[str, Sequence[TrainingCurve]]) -> list[Captioned]:
    """All figures of which at least one curve was logged."""
    logged = {(run, curve.name): curve for run, curves in trainings.items() for curve in curves}
    figures = []
    for plan in _PLANS:
        names = [(run, name) for run in plan.runs for name in plan.curves if (run, name) in logged]
        if names:
            ramp = logged.get((plan.runs[0], _RAMP)) if plan.ramp else None
            figures.append(Captioned(_figure(plan, {name: logged[name] for name in names}, ramp), plan.note))
    return figures


def _figure(plan: _Plan, curves: Mapping[tuple[str, str], TrainingCurve], ramp: TrainingCurve | None) -> Picture:
    def paint(figure: Figure) -> None:
        main, *below = figure.subplots(2, sharex=True, height_ratios=(3, 1)) if ramp else [figure.subplots()]
        for (run, name), curve in curves.items():
            number = plan.curves.index(name)
            several = len(plan.runs) > 1
            color = model_color(run) if several else series_color(number)
            style = _STYLES[number % len(_STYLES)] if several else "-"
            label = f"{run.removeprefix('attacker_')}: {curve.leaf.replace('_', ' ')}" if several else name
            marker = "o" if len(curve.steps) == 1 else ""
            main.plot(curve.steps, curve.values, color=color, linestyle=style, label=label, marker=marker)
        main.set_ylabel(plan.label)
        for axes in below:
            axes.plot(ramp.steps, [LEVELS * value for value in ramp.values], color=INK)  # type: ignore[union-attr]
            axes.set_ylabel("eps, 1/255")
        figure.axes[-1].set_xlabel("epoch")
        figure.legend(loc="outside upper left", ncols=2)

    return draw(plan.title, paint, height=3.8 if ramp else 3.0)
