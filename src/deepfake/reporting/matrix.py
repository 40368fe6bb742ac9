"""The matrix of metrics: every model, dataset, level, condition and forgery method, with intervals."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from deepfake.metrics.bootstrap import Resamples, draw_resamples, percentile_interval, resample
from deepfake.metrics.calibration import expected_calibration_error, probabilities
from deepfake.metrics.operating_point import (
    TARGET_FPR,
    accuracy_at,
    balanced_accuracy_at,
    equal_error_rate,
    fpr_at,
    tpr_at,
    tpr_at_fpr,
)
from deepfake.metrics.ranking import Floats, Ranking, Statistic, auc, average_precision, partial_auc
from deepfake.params import ReportParams
from deepfake.records import FAKE
from deepfake.reporting.conditions import CLEAN, parse_condition
from deepfake.reporting.items import Items
from deepfake.reporting.scores import ALL_METHODS, ALL_VIDEOS, FRAME, VIDEO, ScoreSet, select
from deepfake.runtime import derive_seed, replacing

COMPARED_WITH_CLEAN = ("auc", "tpr_at_1pct_fpr")


class Estimate(NamedTuple):
    """A metric and the bounds of its 95 % interval; NaN where there is none."""

    value: float
    low: float = np.nan
    high: float = np.nan


@dataclass(frozen=True)
class MetricRow:
    """The metrics of one model under one condition.

    Attributes:
        model, role, condition: of which model, on which dataset, under which condition.
        level: `frame`; `video`; or `video_all`, where videos without a face are called real instead of left out.
        method: forgery method of the fakes, or `all`.
        reals, fakes, clusters: how many items were ranked, and from how many identity clusters.
        estimates: metrics by name; differences from clean are called `<metric>_minus_clean`.
    """

    model: str
    role: str
    level: str
    condition: str
    method: str
    reals: int
    fakes: int
    clusters: int
    estimates: dict[str, Estimate]


class _Resampled(NamedTuple):
    """Values of the metrics on the data and on every resample."""

    values: dict[str, float]
    samples: dict[str, Floats]


def build_matrix(score_sets: Sequence[ScoreSet], settings: ReportParams, seed: int) -> list[MetricRow]:
    """All rows of all models; those of one dataset share their resamples, so that they can be paired.

    On video level every condition has a row. Frames, videos without a face and single forgery methods, which cost
    the most, have rows where they tell something: see `_is_worth_a_row`.

    Raises:
        DataError: scores of one class only.
    """
    rows: list[MetricRow] = []
    for scores in score_sets:
        resamples = role_resamples(scores, settings, seed)
        for level in _levels(scores):
            for method in (ALL_METHODS, *scores.methods):
                rows += _rows(scores, level, method, settings, resamples)
    return rows


def role_resamples(scores: ScoreSet, settings: ReportParams, seed: int) -> Resamples:
    """The resamples of a dataset's test clusters; the same for every model that was scored on it."""
    clusters = [video.cluster for video in scores.test_videos]
    return draw_resamples(clusters, settings.resamples, derive_seed(seed, "bootstrap", scores.role))


def auc_estimate(items: Items, resamples: Resamples) -> Estimate:
    """The AUC of what was ranked, with its interval.

    Raises:
        DataError: scores of one class only.
    """
    ranking = Ranking(items.scores, items.labels)
    samples = resample({"auc": auc}, ranking, items.clusters, resamples)["auc"]
    return Estimate(float(auc(ranking.roc())), *percentile_interval(samples))


def write_matrix(path: Path, rows: Sequence[MetricRow]) -> None:
    """Write the matrix as CSV: a column each for the metric and its bounds, empty where undefined."""
    keys = ("model", "role", "level", "condition", "method", "reals", "fakes", "clusters")
    names = list(dict.fromkeys(name for row in rows for name in row.estimates))
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*keys, *(name + bound for name in names for bound in ("", "_low", "_high"))])
        for row in rows:
            estimates = [row.estimates.get(name, Estimate(np.nan)) for name in names]
            cells = [rounded(number) for estimate in estimates for number in estimate]
            writer.writerow([*(getattr(row, key) for key in keys), *cells])


def rounded(number: float) -> float | str:
    """A table cell: six decimals, so that bytes do not hang on the last bit; empty for NaN."""
    return "" if np.isnan(number) else round(float(number), 6) + 0.0


def _levels(scores: ScoreSet) -> tuple[str, ...]:
    faceless = any(not video.frames_found for video in scores.test_videos)
    return (FRAME, VIDEO, ALL_VIDEOS) if faceless else (FRAME, VIDEO)


def _rows(
    scores: ScoreSet, level: str, method: str, settings: ReportParams, resamples: Resamples
) -> Iterator[MetricRow]:
    clean: _Resampled | None = None
    for condition in scores.frames:
        if not _is_worth_a_row(condition, level, method):
            continue
        items = select(scores, condition, level, method)
        if not (items.labels == FAKE).any():
            continue  # a method of which no face was found
        now = _measure(scores, items, level, settings, resamples)
        clean = now if condition == CLEAN else clean
        estimates = {name: Estimate(now.values[name], *percentile_interval(now.samples[name])) for name in now.values}
        if level != ALL_VIDEOS:
            error = expected_calibration_error(
                probabilities(items.scores, scores.calibration.temperature), items.labels
            )  # its bootstrap is biased upwards, so it has no interval
            estimates["calibration_error"] = Estimate(error)
        if scores.frames[condition].names == scores.frames[CLEAN].names:  # attacks on reals, too, spare some clips
            estimates |= _differences(now, clean)
        fakes = int(items.labels.sum())
        counts = (len(items.names) - fakes, fakes, len(set(items.clusters)))
        yield MetricRow(scores.model, scores.role, level, condition, method, *counts, estimates)


def _is_worth_a_row(condition: str, level: str, method: str) -> bool:
    """All but attacks on both classes below video level or by method, and frames by method for clean alone."""
    if method == ALL_METHODS and level == VIDEO:
        return True
    return condition == CLEAN or not (parse_condition(condition).both or (method != ALL_METHODS and level != VIDEO))


def _measure(scores: ScoreSet, items: Items, level: str, settings: ReportParams, resamples: Resamples) -> _Resampled:
    fitted = scores.calibration
    threshold = fitted.frame_threshold if level == FRAME else fitted.video_threshold
    statistics = _statistics(threshold, settings.max_false_positive_rate)
    ranking = Ranking(items.scores, items.labels)
    roc = ranking.roc()
    values = {name: float(statistic(roc)) for name, statistic in statistics.items()}
    return _Resampled(values, resample(statistics, ranking, items.clusters, resamples))


def _statistics(threshold: float, max_fpr: float) -> dict[str, Statistic]:
    at_threshold: dict[str, Callable[..., Floats]] = {
        "deployed_tpr": tpr_at,
        "deployed_fpr": fpr_at,
        "balanced_accuracy": balanced_accuracy_at,
        "accuracy": accuracy_at,
    }
    return {
        "auc": auc,
        "partial_auc": partial(partial_auc, max_fpr=max_fpr),
        "average_precision": average_precision,
        "equal_error_rate": equal_error_rate,
        "tpr_at_1pct_fpr": partial(tpr_at_fpr, max_fpr=TARGET_FPR),
        **{name: partial(rate, threshold=threshold) for name, rate in at_threshold.items()},
    }


def _differences(now: _Resampled, clean: _Resampled | None) -> dict[str, Estimate]:
    """Paired differences from clean, where the same frames were ranked; none for clean itself."""
    if clean is None or clean is now:
        return {}
    return {
        f"{name}_minus_clean": Estimate(
            now.values[name] - clean.values[name], *percentile_interval(now.samples[name] - clean.samples[name])
        )
        for name in COMPARED_WITH_CLEAN
    }
