"""All numbers of a report, computed once."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepfake.metrics.operating_point import TARGET_FPR
from deepfake.params import ReportParams
from deepfake.records import REAL
from deepfake.reporting.conditions import LEVELS, worst_at
from deepfake.reporting.eps_curve import EpsPoint, eps_points
from deepfake.reporting.matrix import MetricRow, build_matrix
from deepfake.reporting.pairing import REFERENCES, Pair, pair_models
from deepfake.reporting.scores import ALL_METHODS, ScoreSet
from deepfake.reporting.trivial import TrivialRow, trivial_rows

ENOUGH_FALSE_POSITIVES = 5  # that a rate may rest on


@dataclass(frozen=True)
class BudgetLine:
    """The models at one budget of the eps curve.

    Attributes:
        eps_255: the budget in steps of an 8-bit pixel; 0 is clean.
        points: by model.
        gains: robust minus each reference, of the AUC in the worst case; none at 0.
    """

    eps_255: float
    points: dict[str, EpsPoint]
    gains: dict[str, Pair]


@dataclass(frozen=True)
class Results:
    """What the scores say.

    Attributes:
        score_sets: the scores, models by name, roles in the order of the report.
        rows: the matrix of metrics.
        trivial: predictors that look at no face.
        pairs: robust minus each model that it is compared with.
        eps: points of the eps curve by model and role.
        settings, seed: of the bootstrap.
    """

    score_sets: Sequence[ScoreSet]
    rows: Sequence[MetricRow]
    trivial: Sequence[TrivialRow]
    pairs: Sequence[Pair]
    eps: dict[tuple[str, str], list[EpsPoint]]
    settings: ReportParams
    seed: int

    @property
    def has_few_reals(self) -> bool:
        """Whether TPR at 1 % FPR hangs on a few reals in some role: its bootstrap is then off
        (benchmarks/results/interval_coverage.md)."""
        reals = (sum(video.label == REAL for video in scores.test_videos) for scores in self.score_sets)
        return any(TARGET_FPR * count < ENOUGH_FALSE_POSITIVES for count in reals)

    @property
    def references(self) -> list[str]:
        """What the robust model is compared with, of what was scored."""
        compared = {pair.reference for pair in self.pairs}
        return [reference for reference in REFERENCES if reference in compared]

    @property
    def roles(self) -> list[str]:
        return list(dict.fromkeys(scores.role for scores in self.score_sets))

    def of_role(self, role: str) -> dict[str, ScoreSet]:
        """Score sets of a role by model."""
        return {scores.model: scores for scores in self.score_sets if scores.role == role}

    def rows_of(self, scores: ScoreSet, level: str, method: str = ALL_METHODS) -> dict[str, MetricRow]:
        """Rows of one score set on one level by condition."""
        key = (scores.model, scores.role, level, method)
        return {row.condition: row for row in self.rows if (row.model, row.role, row.level, row.method) == key}

    def gains_of(self, role: str, condition: str, metric: str) -> dict[str, Pair]:
        """Robust minus each model that it is compared with; only models that were scored under the condition."""
        key = (role, condition, metric)
        return {pair.reference: pair for pair in self.pairs if (pair.role, pair.condition, pair.metric) == key}

    def budgets_of(self, role: str) -> list[BudgetLine]:
        """All models of a role by budget, ascending."""
        points = {model: {p.eps_255: p for p in self.eps[model, role]} for model in self.of_role(role)}
        budgets = sorted({eps for own in points.values() for eps in own})
        return [
            BudgetLine(
                eps,
                {model: own[eps] for model, own in points.items() if eps in own},
                self.gains_of(role, worst_at(eps / LEVELS), "auc"),
            )
            for eps in budgets
        ]

    def trivial_of(self, role: str) -> list[TrivialRow]:
        """Predictors that look at no face: the same ones stand beside every model of a role."""
        return [line for line in self.trivial if (line.model, line.role) == (next(iter(self.of_role(role))), role)]


def compute_results(score_sets: Sequence[ScoreSet], settings: ReportParams, seed: int) -> Results:
    """Every metric with its interval.

    Raises:
        DataError: scores of one class only, or models that were scored on different videos.
    """
    return Results(
        score_sets=score_sets,
        rows=build_matrix(score_sets, settings, seed),
        trivial=trivial_rows(score_sets, settings, seed),
        pairs=pair_models(score_sets, settings, seed),
        eps={(scores.model, scores.role): eps_points(scores, settings, seed) for scores in score_sets},
        settings=settings,
        seed=seed,
    )
