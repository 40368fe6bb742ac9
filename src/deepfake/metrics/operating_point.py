"""What a detector does at one threshold: how it is chosen, and the rates that it then has.

A score at or above the threshold is called fake.
"""

import numpy as np
import numpy.typing as npt

from deepfake.errors import DataError
from deepfake.metrics.ranking import Floats, Roc

TARGET_FPR = 0.01

_ROUNDING = 1e-9  # 0.29 * 100 is 28.999999999999996: a whole number of reals must stay one


def threshold_at_fpr(real_scores: npt.ArrayLike, max_fpr: float) -> float:
    """Smallest threshold that at most a share of `max_fpr` of the real scores reaches.

    It lies one float above the first real score that must not be called fake: no interpolation, and with fewer
    than `1 / max_fpr` reals it lies above all of them.

    Args:
        real_scores: finite (N,), of reals only.
        max_fpr: in [0, 1).

    Raises:
        DataError: no score, or one that is not finite.
    """
    descending = -np.sort(-np.asarray(real_scores, dtype=np.float64))
    if not 0 <= max_fpr < 1:
        raise ValueError(f"max_fpr must be in [0, 1), not {max_fpr}")
    if not len(descending) or not np.isfinite(descending).all():
        raise DataError(f"a threshold needs finite scores of reals, and there are {len(descending)} scores")
    allowed = int(max_fpr * len(descending) + _ROUNDING)
    return float(np.nextafter(descending[allowed], np.inf))


def tpr_at_fpr(roc: Roc, max_fpr: float) -> Floats:
    """Largest TPR of any threshold whose FPR is at most `max_fpr`, in [0, 1].

    Only thresholds that exist count, nothing is interpolated between them. Of n < 1 / `max_fpr` reals this is the share
    of fakes above the highest real; new reals exceed that one at a rate of 1 / (n + 1), which is then more than
    `max_fpr`.
    """
    reals = roc.false_positives[..., -1:]
    allowed = roc.false_positives <= max_fpr * reals + _ROUNDING
    return np.max(np.where(allowed, roc.tpr, 0.0), axis=-1) + _nan_if_one_class(roc)


def equal_error_rate(roc: Roc) -> Floats:
    """Rate at which as many reals are called fake as fakes are called real, in [0, 1]; 0 is perfect.

    Where no threshold balances them exactly, on the straight line between the two neighbouring ones.
    """
    fpr, excess = roc.fpr, roc.fpr + roc.tpr - 1
    after = np.argmax(excess >= 0, axis=-1)[..., np.newaxis]
    high = np.take_along_axis(excess, after, axis=-1)
    low = np.take_along_axis(excess, after - 1, axis=-1)
    start, end = (np.take_along_axis(fpr, index, axis=-1) for index in (after - 1, after))
    return (start + (end - start) * low / (low - high))[..., 0]


def tpr_at(roc: Roc, threshold: float) -> Floats:
    """Share of fakes at or above `threshold`, in [0, 1]."""
    return roc.tpr[..., _point(roc, threshold)]


def fpr_at(roc: Roc, threshold: float) -> Floats:
    """Share of reals at or above `threshold`, in [0, 1]."""
    return roc.fpr[..., _point(roc, threshold)]


def balanced_accuracy_at(roc: Roc, threshold: float) -> Floats:
    """Mean of the shares of fakes and of reals that are called right, in [0, 1]; .5 is chance."""
    return (tpr_at(roc, threshold) + 1 - fpr_at(roc, threshold)) / 2


def accuracy_at(roc: Roc, threshold: float) -> Floats:
    """Share of all items called right, in [0, 1]; a constant gets the share of the larger class."""
    point = _point(roc, threshold)
    reals, fakes = roc.false_positives[..., -1], roc.true_positives[..., -1]
    right = roc.true_positives[..., point] + reals - roc.false_positives[..., point]
    items = reals + fakes
    share = np.divide(right, items, out=np.full_like(right, np.nan), where=items > 0)
    return share + _nan_if_one_class(roc)


def _point(roc: Roc, threshold: float) -> int:
    """Index of the point of the curve that calls exactly the scores at or above `threshold` fake."""
    return int(np.searchsorted(-roc.thresholds, -threshold, side="right"))


def _nan_if_one_class(roc: Roc) -> Floats:
    """0 for a weighting with both classes, NaN for one without."""
    return (roc.fpr[..., -1] + roc.tpr[..., -1]) * 0.0
