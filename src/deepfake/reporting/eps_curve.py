"""How the AUC falls as the budget of the attacker grows."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deepfake.params import ReportParams
from deepfake.reporting.conditions import LEVELS, PGD, WORST
from deepfake.reporting.items import Items, to_videos
from deepfake.reporting.matrix import Estimate, auc_estimate, role_resamples, rounded
from deepfake.reporting.scores import ScoreSet


@dataclass(frozen=True)
class EpsPoint:
    """The AUC of videos at one budget.

    Attributes:
        eps_255: the budget in steps of an 8-bit pixel.
        pgd_auc: under PGD.
        auc, low, high: in the worst case over all attacks at this budget; the bounds are empty where there is no
            interval.
    """

    eps_255: float
    pgd_auc: float
    auc: float
    low: float | str
    high: float | str

    @property
    def worst(self) -> Estimate:
        """The AUC of the worst case, bounds as numbers."""
        return Estimate(self.auc, *(bound if isinstance(bound, float) else math.nan for bound in (self.low, self.high)))


def eps_points(scores: ScoreSet, settings: ReportParams, seed: int) -> list[EpsPoint]:
    """One point a budget, ascending; a video's score is the mean logit of its few frames on the curve."""
    resamples = role_resamples(scores, settings, seed)

    def estimate(frames: Items) -> Estimate:
        return auc_estimate(to_videos(frames), resamples)

    pgd, worst = scores.eps_curve[PGD], scores.eps_curve[WORST]
    return [_point(eps, estimate(pgd[eps]).value, estimate(frames)) for eps, frames in worst.items()]


def bounds_of(points: Sequence[EpsPoint]) -> list[tuple[float, float, float]]:
    """Budget and bounds of the points that have an interval."""
    return [(p.eps_255, p.low, p.high) for p in points if isinstance(p.low, float) and isinstance(p.high, float)]


def _point(eps: float, pgd: float, worst: Estimate) -> EpsPoint:
    value, low, high = worst
    return EpsPoint(
        round(LEVELS * eps, 3), round(pgd, 6) + 0.0, round(value, 6) + 0.0, rounded(low), rounded(high)
    )  # fmt: skip
