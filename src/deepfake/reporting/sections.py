"""What the page says of one dataset: all models side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfake.metrics.operating_point import TARGET_FPR
from deepfake.reporting import contrast_figures as contrast
from deepfake.reporting.conditions import GROUPS, by_group, followed_codecs, headline_conditions, parse_condition
from deepfake.reporting.coverage import CoverageRow, coverage_rows
from deepfake.reporting.curves import roc_curves, shown_conditions
from deepfake.reporting.drawing import Picture
from deepfake.reporting.explanations import ExplanationRow, Panels, explanation_rows, read_panels
from deepfake.reporting.matrix import MetricRow
from deepfake.reporting.pairing import Pair
from deepfake.reporting.parts import Part, build_part
from deepfake.reporting.results import BudgetLine, Results
from deepfake.reporting.scores import VIDEO, ScoreSet
from deepfake.reporting.trivial import TrivialRow
from deepfake.reporting.undo import UndoRow, undo_rows
from deepfake.reporting.wording import condition_title, role_title


@dataclass(frozen=True)
class Line:
    """One condition.

    Attributes:
        condition: its name.
        rows: video-level row of each model.
        gains: robust minus each model that it is compared with, of the partial AUC; only models that were scored.
    """

    condition: str
    rows: dict[str, MetricRow]
    gains: dict[str, Pair]

    @property
    def group(self) -> str:
        return parse_condition(self.condition).group


@dataclass(frozen=True)
class Section:
    """What the page says of one dataset.

    Attributes:
        role, title: which dataset, and how it is called.
        parts: by model.
        lines: all conditions, in order.
        methods: rows by forgery method and model, for each condition of `headline` that has them.
        trivial, coverage: predictors that look at no face; videos without a face.
        explanations, panels: Grad-CAM in numbers and pictures.
        budgets: worst case at each budget of the eps curve.
        undo: what no detector can win, by forgery method.
        overview, eps, low_fpr: figures of all models.
        roc: such a figure for each group of conditions.
    """

    role: str
    title: str
    parts: dict[str, Part]
    lines: list[Line]
    methods: dict[str, dict[str, dict[str, MetricRow]]]
    trivial: list[TrivialRow]
    coverage: list[CoverageRow]
    explanations: list[ExplanationRow]
    panels: Panels
    budgets: list[BudgetLine]
    undo: list[UndoRow]
    overview: Picture
    eps: Picture
    low_fpr: Picture
    roc: dict[str, Picture]

    @property
    def dataset(self) -> str:
        return next(iter(self.parts.values())).scores.dataset

    @property
    def codecs(self) -> list[str]:
        """Codecs that follow an attack."""
        return followed_codecs(line.condition for line in self.lines)

    @property
    def clean(self) -> MetricRow:
        """The clean row of the first model, for what all models share."""
        return next(iter(self.lines[0].rows.values()))

    @property
    def headline(self) -> list[Line]:
        """The few conditions that a summary is about."""
        chosen = headline_conditions(line.condition for line in self.lines)
        return [line for line in self.lines if line.condition in chosen]

    @property
    def groups(self) -> dict[str, list[Line]]:
        """Lines by group; only groups that have some."""
        grouped = {group: [line for line in self.lines if line.group == group] for group in GROUPS}
        return {group: lines for group, lines in grouped.items() if lines}

    @property
    def allowed(self) -> int:
        """Real videos that may be called fake at 1 % FPR."""
        return int(TARGET_FPR * self.clean.reals + 1e-9)


def build_section(results: Results, role: str, explain: Path, gradcam: Path) -> Section:
    """Gather what is said of a dataset and draw its figures.

    Args:
        results: all numbers.
        role: the dataset's role.
        explain, gradcam: folders of all roles' tables (explanations, undo shares) and panels.

    Raises:
        DataError: no explanations of this role.
    """
    score_sets = results.of_role(role)
    first = next(iter(score_sets.values()))
    lines = _lines(results, role)
    few = headline_conditions(line.condition for line in lines)
    shown = [line for line in lines if line.condition in shown_conditions(first)]
    title = role_title(role, first.dataset)
    return Section(
        role=role,
        title=title,
        parts={model: build_part(results, scores, few) for model, scores in score_sets.items()},
        lines=lines,
        methods=_methods(results, score_sets, few),
        trivial=results.trivial_of(role),
        coverage=coverage_rows(first),
        explanations=explanation_rows(explain / role / "faces.csv", first, results.settings, results.seed),
        panels=read_panels(gradcam / role),
        budgets=results.budgets_of(role),
        undo=undo_rows(explain / role / "undo.csv"),
        overview=_overview(shown),
        eps=contrast.eps_plot(
            f"AUC against the budget, {title}", {model: results.eps[model, role] for model in score_sets}
        ).embed(),
        low_fpr=contrast.low_fpr_figure(
            "ROC curves at low false positive rates", roc_curves(score_sets, few), lines[0].rows[first.model].reals
        ),
        roc=_roc_figures(score_sets, shown),
    )


def _lines(results: Results, role: str) -> list[Line]:
    rows = {model: results.rows_of(scores, VIDEO) for model, scores in results.of_role(role).items()}
    conditions = dict.fromkeys(condition for by_condition in rows.values() for condition in by_condition)
    return [
        Line(
            condition,
            {model: by_condition[condition] for model, by_condition in rows.items() if condition in by_condition},
            results.gains_of(role, condition, "partial_auc"),
        )
        for condition in by_group(conditions)
    ]


def _methods(
    results: Results, score_sets: dict[str, ScoreSet], few: Sequence[str]
) -> dict[str, dict[str, dict[str, MetricRow]]]:
    """Rows by method, condition and model; methods of which no face was found are left out."""
    found: dict[str, dict[str, dict[str, MetricRow]]] = {}
    for model, scores in score_sets.items():
        for method in scores.methods:
            for condition, row in results.rows_of(scores, VIDEO, method).items():
                if condition in few:
                    found.setdefault(method, {}).setdefault(condition, {})[model] = row
    return found


def _overview(lines: Sequence[Line]) -> Picture:
    estimates = {
        condition_title(line.condition): {model: row.estimates["auc"] for model, row in line.rows.items()}
        for line in lines
    }
    return contrast.dots_figure("AUC by condition", estimates, axis="video ROC-AUC", chance=0.5)


def _roc_figures(score_sets: dict[str, ScoreSet], lines: Sequence[Line]) -> dict[str, Picture]:
    groups: dict[str, list[str]] = {}
    for line in lines:
        groups.setdefault(line.group, []).append(line.condition)
    return {
        group: contrast.roc_plot(f"ROC curves, {group}", roc_curves(score_sets, conditions)).embed()
        for group, conditions in groups.items()
    }
