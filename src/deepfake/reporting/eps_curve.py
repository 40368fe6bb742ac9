"""How the AUC falls as the budget of PGD grows."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepfake.params import ReportParams
from deepfake.reporting.items import to_videos
from deepfake.reporting.matrix import Estimate, auc_estimate, role_resamples, rounded
from deepfake.reporting.scores import ScoreSet

LEVELS = 255  # budgets are told in steps of an 8-bit pixel


@dataclass(frozen=True)
class EpsPoint:
    """The AUC of videos under PGD of one budget; the bounds are empty where there is no interval."""

    eps_255: float
    auc: float
    low: float | str
    high: float | str


def eps_points(scores: ScoreSet, settings: ReportParams, seed: int) -> list[EpsPoint]:
    """One point a budget, ascending; a video's score is the mean logit of its few frames on the curve."""
    resamples = role_resamples(scores, settings, seed)
    return [_point(eps, auc_estimate(to_videos(frames), resamples)) for eps, frames in scores.eps_curve.items()]


def bounds_of(points: Sequence[EpsPoint]) -> list[tuple[float, float, float]]:
    """Budget and bounds of the points that have an interval."""
    return [(p.eps_255, p.low, p.high) for p in points if isinstance(p.low, float) and isinstance(p.high, float)]


def _point(eps: float, estimate: Estimate) -> EpsPoint:
    value, low, high = estimate
    return EpsPoint(round(LEVELS * eps, 3), round(value, 6) + 0.0, rounded(low), rounded(high))
