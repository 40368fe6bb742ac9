"""Percentile intervals by a bootstrap over identity clusters.

Videos that share a person are not independent, so whole clusters are drawn with replacement and all their videos
and frames come along. All conditions and models of a dataset are judged on the *same* resamples: the difference
of two of them is then a paired bootstrap (Efron and Tibshirani 1993, chapters 13 and 16).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepfake.errors import DataError
from deepfake.metrics.intervals import CONFIDENCE, Interval
from deepfake.metrics.ranking import Floats, Ranking, Statistic

MIN_CLUSTERS = 7  # seven clusters can be resampled in 1716 ways, six in 462: too few to read a 2.5 % tail from
_CHUNK_CELLS = 2_000_000  # weights in memory at once (16 MB)


@dataclass(frozen=True)
class Resamples:
    """How often each resample drew each cluster.

    Attributes:
        index: row of each cluster's name in `counts`.
        counts: multiplicities (R, C); every row adds up to C.
    """

    index: Mapping[str, int]
    counts: npt.NDArray[np.int32]

    def chunks(self, clusters: Sequence[str]) -> Iterator[npt.NDArray[np.int32]]:
        """Weights (R', N) of items that belong to `clusters` (N,), a few resamples at a time."""
        try:
            columns = np.array([self.index[cluster] for cluster in clusters])
        except KeyError as error:
            raise DataError(f"cluster {error} is not among those that were resampled") from error
        step = max(1, _CHUNK_CELLS // len(columns))
        for start in range(0, len(self.counts), step):
            yield self.counts[start : start + step, columns]


def draw_resamples(clusters: Iterable[str], resamples: int, seed: int) -> Resamples:
    """Draw as many clusters as there are, with replacement, `resamples` times.

    The result depends on the set of names, not on their order.
    """
    names = sorted(set(clusters))
    drawn = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=resamples)
    return Resamples({name: row for row, name in enumerate(names)}, drawn.astype(np.int32))


def resample(
    statistics: Mapping[str, Statistic], ranking: Ranking, clusters: Sequence[str], resamples: Resamples
) -> dict[str, Floats]:
    """Every statistic on every resample, each (R,); NaN where a resample lacks a class.

    All NaN where reals or fakes come from effectively fewer than `MIN_CLUSTERS` clusters: such resamples would
    hardly differ, and the interval would look certain for want of data.

    Args:
        statistics: named functions of the ROC.
        ranking: of N items.
        clusters: cluster of each item, in the order in which the ranking was given its scores (N,).
    """
    names = np.asarray(clusters)
    if min(effective_clusters(names[ranking.is_fake]), effective_clusters(names[~ranking.is_fake])) < MIN_CLUSTERS:
        return {name: np.full(len(resamples.counts), np.nan) for name in statistics}
    parts: dict[str, list[Floats]] = {name: [] for name in statistics}
    for weights in resamples.chunks(clusters):
        roc = ranking.roc(weights)
        for name, statistic in statistics.items():
            parts[name].append(statistic(roc))
    return {name: np.concatenate(chunks) for name, chunks in parts.items()}


def percentile_interval(samples: Floats) -> Interval:
    """The middle 95 % of a resampled statistic (R,), or of the difference of two on the same resamples.

    Resamples on which it is undefined are left out; if that is more than half of them, there is no interval. Nor is
    there one if (nearly) all resamples agree, as for perfectly separated classes: that is no proof of certainty.
    """
    nothing = Interval(np.nan, np.nan)
    defined = samples[np.isfinite(samples)]
    if len(defined) * 2 < len(samples):
        return nothing
    low, high = np.quantile(defined, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high)) if low < high else nothing


def effective_clusters(clusters: npt.ArrayLike) -> float:
    """How many equally large clusters carry as much information as these unequal ones (Kish 1965).

    Args:
        clusters: cluster of each item (N,), not empty. One that holds nearly all items makes this nearly 1.
    """
    _, sizes = np.unique(np.asarray(clusters), return_counts=True)
    return float(sizes.sum() ** 2 / np.sum(sizes.astype(np.float64) ** 2))
