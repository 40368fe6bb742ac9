"""What a relevance map is worth, in four numbers; each is NaN where it has no meaning, such as for an empty map."""

from collections.abc import Callable, Sequence

import numpy as np
from scipy.stats import spearmanr

from deepfake.explain.imputation import impute

NAN = float("nan")
SHARES = (0.1, 0.3, 0.5)
HELD = 0.8

Score = Callable[[np.ndarray], np.ndarray]


def road_score(score: Score, picture: np.ndarray, relevance: np.ndarray, *, seed: int) -> float:
    """ROAD (Rong et al. 2022): mean of logit(least relevant removed) - logit(most relevant removed); higher is better.

    That is how much further the logit falls when the most relevant pixels go first than when the least relevant do,
    averaged over several shares of removed pixels. Pixels of equal relevance are ordered by chance.

    Args:
        score: pictures (B, S, S, 3) in [0, 1] -> logits (B,) of the class whose evidence the map shows.
        picture: (S, S, 3) in [0, 1].
        relevance: (S, S).
        seed: of the noise and of the order among equals.

    Returns:
        A difference of logits, 0 for a map that says nothing; NaN for a constant map, which ranks no pixel.
    """
    if np.ptp(relevance) == 0:
        return NAN
    rng = np.random.default_rng(seed)
    order = np.lexsort((rng.permutation(relevance.size), -relevance.ravel()))
    pictures = []
    for ranking in (order[::-1], order):
        pictures += [impute(picture, _first(ranking, share, relevance.shape), rng) for share in SHARES]
    least, most = np.split(score(np.stack(pictures)), 2)
    return float(np.mean(least - most))


def breadth_score(relevance: np.ndarray) -> float:
    """Smallest share of a region's pixels that holds 80 % of the relevance in it.

    Args:
        relevance: values of the region's pixels, at least 0, any shape.

    Returns:
        A share in (0, 1], 0.8 for a uniform map; NaN where there is no relevance.
    """
    values = np.sort(relevance.ravel().astype(float))[::-1]
    held = np.cumsum(values)
    if not values.size or held[-1] <= 0:
        return NAN
    enough = HELD * held[-1] * (1 - 1e-12)  # a sum's last bits must not ask for one pixel more
    return float((np.searchsorted(held, enough) + 1) / values.size)


def overlap_score(relevance: np.ndarray, region: np.ndarray | None) -> float:
    """Share of the relevance that lies on a region, divided by the region's share of the crop; 1 is chance.

    Args:
        relevance: (S, S), at least 0.
        region: bool (S, S), or None where it is not known.

    Returns:
        A ratio, at most 1 / (share of the region); NaN for no or an empty region, or no relevance.
    """
    total = relevance.sum(dtype=float)
    if region is None or not region.any() or total <= 0:
        return NAN
    return float(relevance[region].sum(dtype=float) / total / region.mean())


def stability_score(relevance: np.ndarray, reference: np.ndarray) -> float:
    """Spearman's rank correlation of two maps of one shape, in [-1, 1]; NaN where one of them is constant."""
    if np.ptp(relevance) == 0 or np.ptp(reference) == 0:
        return NAN
    return float(spearmanr(relevance.ravel(), reference.ravel()).statistic)


def _first(ranking: np.ndarray, share: float, shape: Sequence[int]) -> np.ndarray:
    removed = np.zeros(ranking.size, dtype=bool)
    removed[ranking[: round(share * ranking.size)]] = True
    return removed.reshape(shape)
