"""How well scores rank fakes above reals, for one or many weightings of the same scores.

Everything here and in `operating_point` is a function of the ROC's counts, so that the bootstrap sorts once and
pays one cumulative sum for each resample. Ties are one step of the curve: their order never matters.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepfake.errors import DataError, ScoreError
from deepfake.records import FAKE, REAL

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Roc:
    """Counts along one or many ROC curves, from the strictest threshold to the most lenient.

    Attributes:
        thresholds: distinct scores, descending (T,); point i + 1 calls everything at or above `thresholds[i]` fake.
        false_positives, true_positives: summed weights of reals and fakes called fake (..., T + 1); the first is 0.
    """

    thresholds: Floats
    false_positives: Floats
    true_positives: Floats

    @property
    def fpr(self) -> Floats:
        """False positive rates (..., T + 1); NaN where a weighting has no reals."""
        return _share(self.false_positives, self.false_positives[..., -1:])

    @property
    def tpr(self) -> Floats:
        """True positive rates (..., T + 1); NaN where a weighting has no fakes."""
        return _share(self.true_positives, self.true_positives[..., -1:])


Statistic = Callable[[Roc], Floats]


class Ranking:
    """Scores sorted once, so that many weightings of them can be ranked cheaply.

    Attributes:
        is_fake: whether each item is a fake, in the order in which they were given (N,).

    Raises:
        DataError: a score is not finite, a label is neither 0 nor 1, or only one class is there.
    """

    def __init__(self, scores: npt.ArrayLike, labels: npt.ArrayLike) -> None:
        values, self.is_fake = checked(scores, labels)
        self._order = np.argsort(-values, kind="stable")
        descending = values[self._order]
        self._last_of_tie = np.flatnonzero(np.append(np.diff(descending) != 0, True))
        self._thresholds = descending[self._last_of_tie]
        self._is_fake = self.is_fake[self._order]

    def roc(self, weights: npt.ArrayLike | None = None) -> Roc:
        """The ROC curve, or a stack of curves for weights (..., N); all weights are 1 if none are given."""
        if weights is None:
            weights = np.ones(len(self._order))
        ordered = np.asarray(weights, dtype=np.float64)[..., self._order]
        fakes = np.cumsum(ordered * self._is_fake, axis=-1)[..., self._last_of_tie]
        reals = np.cumsum(ordered * ~self._is_fake, axis=-1)[..., self._last_of_tie]
        return Roc(self._thresholds, _from_zero(reals), _from_zero(fakes))


def roc_auc(scores: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Probability that a fake scores above a real; a tie counts one half.

    Args:
        scores: finite (N,).
        labels: 1 for fake, 0 for real (N,).

    Raises:
        DataError: as `Ranking`; one class only has no AUC.
    """
    return float(auc(Ranking(scores, labels).roc()))


def auc(roc: Roc) -> Floats:
    """Area under the ROC curve, in [0, 1]; .5 is chance."""
    return _area(roc.fpr, roc.tpr)


def partial_auc(roc: Roc, max_fpr: float) -> Floats:
    """Mean TPR over false positive rates from 0 to `max_fpr`, in [0, 1]; `max_fpr / 2` is chance.

    The area under the curve left of `max_fpr`, divided by `max_fpr`. scikit-learn's `roc_auc_score(max_fpr=)`
    rescales the same area after McClish (1989) so that chance is .5; this form keeps the meaning of a rate.
    """
    fpr = np.minimum(roc.fpr, max_fpr)
    run = np.diff(roc.fpr, axis=-1)
    kept = np.divide(np.diff(fpr, axis=-1), run, out=np.zeros_like(run), where=run > 0)
    start, rise = roc.tpr[..., :-1], np.diff(roc.tpr, axis=-1)
    return np.sum(run * kept * (start + rise * kept / 2), axis=-1) / max_fpr


def average_precision(roc: Roc) -> Floats:
    """Precision averaged over the recall steps, in [0, 1], without interpolation (as scikit-learn's).

    Depends on the share of fakes, which is what a constant score gets.
    """
    called = roc.true_positives + roc.false_positives
    precision = np.divide(roc.true_positives, called, out=np.zeros_like(called), where=called > 0)
    value = np.sum(np.diff(roc.tpr, axis=-1) * precision[..., 1:], axis=-1)
    return np.where(np.isnan(roc.fpr[..., -1]), np.nan, value)


def checked(scores: npt.ArrayLike, labels: npt.ArrayLike) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Scores as float64 (N,) and whether each is of a fake (N,).

    Raises:
        DataError: as `Ranking`.
    """
    values, classes = np.asarray(scores, dtype=np.float64), np.asarray(labels)
    if values.ndim != 1 or values.shape != classes.shape:
        raise DataError(f"{values.shape} scores and {classes.shape} labels: one label for each score would be right")
    if not np.isfinite(values).all():
        raise ScoreError(f"{np.count_nonzero(~np.isfinite(values))} of {len(values)} scores are not finite")
    if not np.isin(classes, (REAL, FAKE)).all():
        raise DataError(f"labels {sorted(set(classes.tolist()))}: 0 for real and 1 for fake would be right")
    is_fake = classes == FAKE
    if is_fake.all() or not is_fake.any():
        raise DataError(f"{is_fake.sum()} fakes and {(~is_fake).sum()} reals cannot be ranked: both classes are needed")
    return values, is_fake


def _area(x: Floats, y: Floats) -> Floats:
    return np.sum(np.diff(x, axis=-1) * (y[..., 1:] + y[..., :-1]) / 2, axis=-1)


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)


def _from_zero(counts: Floats) -> Floats:
    return np.concatenate([np.zeros_like(counts[..., :1]), counts], axis=-1)
