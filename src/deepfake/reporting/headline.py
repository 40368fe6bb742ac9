"""The few numbers that a reviewer reads in `dvc metrics diff`, and the intervals they come with."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deepfake.errors import DataError
from deepfake.metrics.intervals import Interval
from deepfake.reporting.conditions import CLEAN, LEVELS, headline_conditions, parse_condition, worst_at
from deepfake.reporting.coverage import face_coverage
from deepfake.reporting.eps_curve import EpsPoint
from deepfake.reporting.evidence import raised_flags
from deepfake.reporting.matrix import Estimate, MetricRow
from deepfake.reporting.pairing import BASELINE, ROBUST, Pair
from deepfake.reporting.scores import ALL_METHODS, VIDEO, ScoreSet
from deepfake.reporting.trivial import TrivialRow
from deepfake.runtime import replacing

FLAGS = f"{ROBUST}.gradient_masking_flags"
DECIMALS = 4
_TESTED, _OPERATING = "partial_auc", "tpr_at_1pct_fpr"
_TRAIN = "train"
_TOLD = (BASELINE, ROBUST)  # the control is told by what the robust model has before it
_BUDGETS = (1, 2, 4, 8)  # in steps of an 8-bit pixel


def headline(
    score_sets: Sequence[ScoreSet],
    rows: Sequence[MetricRow],
    trivial: Sequence[TrivialRow],
    pairs: Sequence[Pair],
    eps: Mapping[tuple[str, str], Sequence[EpsPoint]],
) -> dict[str, Estimate]:
    """Video-level test metrics over all methods by key `<model>.<role>.<condition>.<metric>`.

    Of the baseline and of the robust model the partial AUC clean and under the U-Net before JPEG; in-domain also the
    TPR at 1 % FPR, robust minus each model that it is compared with, and the AUC in the worst case at 1, 2, 4 and
    8/255; the raised checks for masked gradients; the AUC of the detector that never saw a face; and for each role the
    share of test videos in which a face was found. What was not scored has no key.
    """
    rows = [row for row in rows if row.model in _TOLD]
    chosen = headline_conditions(dict.fromkeys(row.condition for row in rows))
    jpeg = [condition for condition in chosen if parse_condition(condition).codec.startswith("jpeg")]
    found = {
        f"{row.model}.{row.role}.{row.condition}.{_TESTED}": row.estimates[_TESTED]
        for row in rows
        if row.level == VIDEO and row.method == ALL_METHODS and row.condition in (CLEAN, *jpeg)
    }
    found |= {
        f"{model}.{role}.{worst_at(point.eps_255 / LEVELS)}.auc": point.worst
        for (model, role), points in eps.items()
        for point in points
        if model in _TOLD and role == _TRAIN and point.eps_255 in _BUDGETS
    }
    for pair in pairs:
        if pair.role == _TRAIN and pair.condition in jpeg and pair.metric == _TESTED:
            found[f"{ROBUST}_minus_{pair.reference}.{pair.role}.{pair.condition}.{pair.metric}"] = pair.difference
    for row in rows:
        if (row.role, row.level, row.method) == (_TRAIN, VIDEO, ALL_METHODS) and row.condition in (CLEAN, *jpeg):
            found[f"{row.model}.{row.role}.{row.condition}.{_OPERATING}"] = row.estimates[_OPERATING]
    if any(scores.model == ROBUST for scores in score_sets):
        found[FLAGS] = Estimate(float(raised_flags(score_sets)))
    found |= {
        f"faceless.{_TRAIN}.{line.name}.auc": line.auc for line in trivial if line.is_faceless and line.role == _TRAIN
    }
    return found | {f"{scores.role}.coverage": Estimate(face_coverage(scores.test_videos)) for scores in score_sets}


def write_headline(path: Path, estimates: dict[str, Estimate]) -> None:
    """Write the flat JSON of metrics; a difference of models is followed by its bounds."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(dict(_flat(estimates)), indent=2) + "\n", encoding="utf-8")


def write_intervals(path: Path, estimates: dict[str, Estimate]) -> None:
    """Write the intervals of all headline metrics that have one, as JSON: key -> [low, high]."""
    bounded = {key: estimate for key, estimate in estimates.items() if math.isfinite(estimate.low)}
    lines = [
        f"  {json.dumps(key)}: {json.dumps([_rounded(low), _rounded(high)])}" for key, (_, low, high) in bounded.items()
    ]
    with replacing(path) as temporary:
        temporary.write_text("\n".join(["{", ",\n".join(lines), "}", ""]) if lines else "{}\n", encoding="utf-8")


def read_headline(text: str | bytes, place: str) -> dict[str, float]:
    """The metrics in the text of a headline file; `place` says whose, where it is faulty.

    Raises:
        DataError: it is not a flat JSON object of numbers.
    """
    try:
        return {str(key): float(value) for key, value in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{place}: not a flat JSON object of numbers: {error}") from error


def read_intervals(text: str | bytes, place: str) -> dict[str, Interval]:
    """The intervals in the text of a file that `write_intervals` wrote; `place` as for `read_headline`.

    Raises:
        DataError: it is not a JSON object of pairs of numbers.
    """
    try:
        return {str(key): Interval(float(low), float(high)) for key, (low, high) in json.loads(text).items()}
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{place}: not a JSON object of intervals: {error}") from error


def _rounded(number: float) -> float:
    return round(number, DECIMALS) + 0.0


def _flat(estimates: dict[str, Estimate]) -> Iterator[tuple[str, float]]:
    for key, estimate in estimates.items():
        yield key, _rounded(estimate.value)
        if key.startswith(f"{ROBUST}_minus_") and math.isfinite(estimate.low):
            yield f"{key}_low", _rounded(estimate.low)
            yield f"{key}_high", _rounded(estimate.high)
