"""Probabilities from logits, and how far they can be believed.

Both classes weigh the same here, whatever their numbers: training draws them evenly, so a probability is one for
a video that is as likely fake as real before it is seen.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deepfake.metrics.ranking import Floats, checked

TEMPERATURE_RANGE = (0.05, 20.0)
BINS = 10


class Bin(NamedTuple):
    """Items whose probability of being fake lies in one tenth of [0, 1].

    Attributes:
        confidence: their mean probability.
        share_fake: share of fakes among them, classes weighing the same.
        weight: their share of all items, classes weighing the same.
        items: how many there are.
    """

    confidence: float
    share_fake: float
    weight: float
    items: int


def fit_temperature(logits: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Temperature for which `sigmoid(logit / temperature)` explains the labels best.

    Minimises the class-balanced negative log-likelihood (Guo et al. 2017), which is convex in 1 / temperature,
    by bisection of its derivative. The result stays in `TEMPERATURE_RANGE`: for separable classes it would be 0,
    for logits that point the wrong way infinite.

    Args:
        logits: finite (N,).
        labels: 1 for fake, 0 for real (N,).

    Raises:
        DataError: a logit is not finite, or only one class is there.
    """
    values, is_fake = checked(logits, labels)
    weights = _balanced(is_fake)
    low, high = 1 / TEMPERATURE_RANGE[1], 1 / TEMPERATURE_RANGE[0]
    for _ in range(60):
        slope = (low + high) / 2
        if np.sum(weights * values * (probabilities(values, 1 / slope) - is_fake)) > 0:
            high = slope
        else:
            low = slope
    return float(2 / (low + high))


def probabilities(logits: npt.ArrayLike, temperature: float) -> Floats:
    """Probability of being fake (N,), in [0, 1], from logits (N,)."""
    return (1 + np.tanh(np.asarray(logits, dtype=np.float64) / (2 * temperature))) / 2


def reliability(probability: npt.ArrayLike, labels: npt.ArrayLike) -> list[Bin]:
    """What was said and what was so, for each tenth of the probabilities that is not empty.

    Raises:
        DataError: as `fit_temperature`.
    """
    said, is_fake = checked(probability, labels)
    weights = _balanced(is_fake)
    tenth = np.minimum((said * BINS).astype(int), BINS - 1)
    bins = []
    for number in np.unique(tenth):
        inside = tenth == number
        mass = weights[inside].sum()
        confidence, share = (np.sum((weights * what)[inside]) / mass for what in (said, is_fake))
        bins.append(Bin(float(confidence), float(share), float(mass), int(inside.sum())))
    return bins


def expected_calibration_error(probability: npt.ArrayLike, labels: npt.ArrayLike) -> float:
    """Mean distance between said and true probability over ten equal bins, in [0, 1] (Guo et al. 2017).

    Raises:
        DataError: as `fit_temperature`.
    """
    return sum(abs(part.confidence - part.share_fake) * part.weight for part in reliability(probability, labels))


def _balanced(is_fake: npt.NDArray[np.bool_]) -> Floats:
    """Weights (N,) that add up to one half for each class."""
    return np.where(is_fake, 0.5 / is_fake.sum(), 0.5 / (~is_fake).sum())
