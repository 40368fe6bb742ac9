"""How detection falls as the budget of the attacker grows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from deepfake.metrics.bootstrap import Resamples, percentile_interval, resample
from deepfake.metrics.operating_point import TARGET_FPR, tpr_at_fpr
from deepfake.metrics.ranking import Ranking, Statistic, auc
from deepfake.params import ReportParams
from deepfake.reporting.conditions import LEVELS, PGD, WORST
from deepfake.reporting.items import Items, to_videos
from deepfake.reporting.matrix import Estimate, role_resamples, rounded
from deepfake.reporting.scores import ScoreSet

_STATISTICS: dict[str, Statistic] = {"auc": auc, "tpr": partial(tpr_at_fpr, max_fpr=TARGET_FPR)}


@dataclass(frozen=True)
class EpsPoint:
    """How videos are ranked at one budget.

    Attributes:
        eps_255: the budget in steps of an 8-bit pixel.
        pgd_auc: AUC under PGD.
        auc, low, high: in the worst case over the attacks of this budget; the bounds are empty where there is no
            interval.
        tpr, tpr_low, tpr_high: the same of the TPR at 1 % FPR.
    """

    eps_255: float
    pgd_auc: float
    auc: float
    low: float | str
    high: float | str
    tpr: float
    tpr_low: float | str
    tpr_high: float | str

    @property
    def worst(self) -> Estimate:
        """The AUC of the worst case, bounds as numbers."""
        return _estimate(self.auc, self.low, self.high)

    @property
    def worst_tpr(self) -> Estimate:
        """The TPR at 1 % FPR in the worst case, bounds as numbers."""
        return _estimate(self.tpr, self.tpr_low, self.tpr_high)


def eps_points(scores: ScoreSet, settings: ReportParams, seed: int) -> list[EpsPoint]:
    """One point a budget, ascending; a video's score is the mean logit of its few frames on the curve."""
    resamples = role_resamples(scores, settings, seed)
    pgd, worst = scores.eps_curve[PGD], scores.eps_curve[WORST]
    return [_point(eps, pgd[eps], frames, resamples) for eps, frames in worst.items()]


def bounds_of(points: Sequence[EpsPoint]) -> list[tuple[float, float, float]]:
    """Budget and bounds of the points that have an interval."""
    return [(p.eps_255, p.low, p.high) for p in points if isinstance(p.low, float) and isinstance(p.high, float)]


def _point(eps: float, pgd: Items, worst: Items, resamples: Resamples) -> EpsPoint:
    ranking = _rank(worst)
    samples = resample(_STATISTICS, ranking, to_videos(worst).clusters, resamples)

    def cells(name: str) -> tuple[float, float | str, float | str]:
        low, high = percentile_interval(samples[name])
        return _round(float(_STATISTICS[name](ranking.roc()))), rounded(low), rounded(high)

    return EpsPoint(round(LEVELS * eps, 3), _round(float(auc(_rank(pgd).roc()))), *cells("auc"), *cells("tpr"))


def _round(value: float) -> float:
    return round(value, 6) + 0.0


def _rank(frames: Items) -> Ranking:
    items = to_videos(frames)
    return Ranking(items.scores, items.labels)


def _estimate(value: float, *interval: float | str) -> Estimate:
    return Estimate(value, *(bound if isinstance(bound, float) else math.nan for bound in interval))
