"""Robust minus the detectors it is compared with, on the same videos and the same resamples."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path
from statistics import fmean

import numpy as np

from deepfake.errors import DataError
from deepfake.metrics.bootstrap import percentile_interval, resample
from deepfake.metrics.operating_point import TARGET_FPR, tpr_at_fpr
from deepfake.metrics.ranking import Floats, Ranking, Statistic, auc, partial_auc
from deepfake.params import ReportParams
from deepfake.reporting.conditions import WORST, worst_at
from deepfake.reporting.items import Items, to_videos
from deepfake.reporting.matrix import Estimate, role_resamples, rounded
from deepfake.reporting.scores import VIDEO, ScoreSet, select
from deepfake.tables import write_rows

BASELINE, LONGER, ROBUST = "baseline", "longer", "robust"
# What the robust detector began as, and its control, which went on from there as long and was attacked by nobody.
REFERENCES = (BASELINE, LONGER)
_DECIMALS = 3


@dataclass(frozen=True)
class Pair:
    """One video-level metric of the robust model and of another one under one condition.

    Attributes:
        role, condition, metric: of what.
        reference: the other model, one of `REFERENCES`.
        before, robust: values of the other and of the robust model.
        difference: robust minus the other with its paired interval; NaN bounds where all resamples agree.
    """

    role: str
    condition: str
    metric: str
    reference: str
    before: float
    robust: float
    difference: Estimate

    @property
    def verdict(self) -> str:
        """The robust model is `better`, `worse`, `not distinguishable` or `equal`, or there is `no interval`.

        By the interval as it is told: one that touches 0 in the third decimal is no difference.
        """
        value, low, high = (round(number, _DECIMALS) for number in self.difference)
        if math.isnan(low):
            return "no interval" if value else "equal"
        if low > 0:
            return "better"
        return "worse" if high < 0 else "not distinguishable"


@dataclass(frozen=True)
class _Compared:
    """Values of another and of the robust model on named videos, and their difference on each resample (R,)."""

    names: Sequence[str]
    before: float
    robust: float
    differences: Floats


_Key = tuple[str, str, str, str]  # role, condition, metric, reference


@dataclass(frozen=True)
class _PairCells:
    """A pair as a line of a table."""

    role: str
    condition: str
    metric: str
    reference: str
    before: float | str
    robust: float | str
    difference: float | str
    low: float | str
    high: float | str


def contrast_title(reference: str) -> str:
    """`robust − baseline`."""
    return f"{ROBUST} − {reference}"


def pair_models(score_sets: Sequence[ScoreSet], settings: ReportParams, seed: int) -> list[Pair]:
    """All pairs by reference, role and condition, then by budget (`worst_eps2`); none where one was not scored.

    Raises:
        DataError: two models were scored on different videos.
    """
    return [_pair(key, [found]) for key, found in _compare(score_sets, settings, seed).items()]


def paired_statistics(max_fpr: float) -> dict[str, Statistic]:
    """What models are compared by; the partial AUC is that up to `max_fpr`."""
    return {
        "auc": auc,
        "partial_auc": partial(partial_auc, max_fpr=max_fpr),
        "tpr_at_1pct_fpr": partial(tpr_at_fpr, max_fpr=TARGET_FPR),
    }


def pair_means(trainings: Sequence[Sequence[ScoreSet]], settings: ReportParams, seed: int) -> list[Pair]:
    """Means of `pair_models` over several trainings of the models, each of which is resampled with the same people.

    The interval tells how much the mean hangs on who is in the test set; other trainings are not in it.

    Args:
        trainings: the score sets of each, of the same videos.
        settings: number of resamples, and the limit of the partial AUC.
        seed: of the resamples.

    Raises:
        DataError: two models, or two trainings, were scored on different videos.
    """
    found = [_compare(score_sets, settings, seed) for score_sets in trainings]
    shared = [key for key in found[0] if all(key in one for one in found)]
    return [_pair(key, [one[key] for one in found]) for key in shared]


def write_pairs(path: Path, pairs: Sequence[Pair]) -> None:
    """Write the pairs as CSV, cells empty where undefined."""
    cells = (
        _PairCells(
            pair.role,
            pair.condition,
            pair.metric,
            pair.reference,
            *map(rounded, (pair.before, pair.robust, *pair.difference)),
        )
        for pair in pairs
    )
    write_rows(path, _PairCells, cells)


def _compare(score_sets: Sequence[ScoreSet], settings: ReportParams, seed: int) -> Mapping[_Key, _Compared]:
    by_role: dict[str, dict[str, ScoreSet]] = {}
    for scores in score_sets:
        by_role.setdefault(scores.role, {})[scores.model] = scores
    found = [pair for models in by_role.values() if ROBUST in models for pair in _compare_role(models, settings, seed)]
    return dict(sorted(found, key=lambda pair: REFERENCES.index(pair[0][-1])))


def _compare_role(
    models: Mapping[str, ScoreSet], settings: ReportParams, seed: int
) -> Iterator[tuple[_Key, _Compared]]:
    statistics = paired_statistics(settings.max_false_positive_rate)
    robust = models[ROBUST]
    resamples = role_resamples(robust, settings, seed)
    others = {name: dict(_videos(models[name])) for name in REFERENCES if name in models}
    for condition, own in _videos(robust):
        shown = {name: videos[condition] for name, videos in others.items() if condition in videos} | {ROBUST: own}
        for name, items in shown.items():
            if items.names != own.names:
                raise DataError(f"{robust.role}, {condition}: {name} and {ROBUST} were scored on different videos")
        rankings = {name: Ranking(items.scores, items.labels) for name, items in shown.items()}
        samples = {name: resample(statistics, ranking, own.clusters, resamples) for name, ranking in rankings.items()}
        for reference, (metric, statistic) in product([name for name in shown if name != ROBUST], statistics.items()):
            before, after = (float(statistic(rankings[name].roc())) for name in (reference, ROBUST))
            differences = samples[ROBUST][metric] - samples[reference][metric]
            yield (robust.role, condition, metric, reference), _Compared(own.names, before, after, differences)


def _pair(key: _Key, trainings: Sequence[_Compared]) -> Pair:
    role, condition, *_ = key
    if any(one.names != trainings[0].names for one in trainings):
        raise DataError(f"{role}, {condition}: two trainings were scored on different videos")
    before, after = fmean(one.before for one in trainings), fmean(one.robust for one in trainings)
    differences = np.mean([one.differences for one in trainings], axis=0)
    return Pair(*key, before, after, Estimate(after - before, *percentile_interval(differences)))


def _videos(scores: ScoreSet) -> Iterator[tuple[str, Items]]:
    """A model's videos under each condition, and in the worst case at each budget."""
    for condition in scores.frames:
        yield condition, select(scores, condition, VIDEO)
    for eps, frames in scores.eps_curve[WORST].items():
        if eps:
            yield worst_at(eps), to_videos(frames)
