"""Small tables for `dvc plots`: one curve or one bar chart a file."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepfake.metrics.calibration import probabilities, reliability
from deepfake.metrics.ranking import Floats, Ranking
from deepfake.reporting.conditions import CLEAN, parse_condition
from deepfake.reporting.eps_curve import EpsPoint
from deepfake.reporting.matrix import MetricRow, rounded
from deepfake.reporting.results import Results
from deepfake.reporting.scores import VIDEO, ScoreSet, select
from deepfake.runtime import replacing_folder
from deepfake.tables import write_rows


@dataclass(frozen=True)
class RocPoint:
    """A corner of a ROC curve."""

    fpr: float
    tpr: float


@dataclass(frozen=True)
class AucBar:
    """The AUC of one condition or one method; the bounds are empty where there is no interval."""

    name: str
    auc: float
    low: float | str
    high: float | str


@dataclass(frozen=True)
class ReliabilityPoint:
    """What was said and what was so in one bin of probabilities; classes weigh the same."""

    probability: float
    share_fake: float
    weight: float
    videos: int


def write_curves(folder: Path, results: Results) -> None:
    """Replace `folder` by the video-level curves of every model and role.

    `roc/<model>_<role>/<condition>.csv`, `auc/<model>_<role>.csv`, `methods/<model>_<role>.csv` (clean),
    `reliability/<model>_<role>.csv` (clean) and `eps/<model>_<role>.csv` (PGD, worst case); nothing of attacks
    on both classes.
    """
    with replacing_folder(folder) as new:
        for scores in results.score_sets:
            shown, table = shown_conditions(scores), f"{scores.name}.csv"
            for condition in shown:
                corners = [RocPoint(*corner) for corner in roc_corners(scores, condition)]
                write_rows(new / "roc" / scores.name / f"{condition}.csv", RocPoint, corners)
            by_condition = results.rows_of(scores, VIDEO)
            by_method = {method: results.rows_of(scores, VIDEO, method).get(CLEAN) for method in scores.methods}
            write_rows(new / "auc" / table, AucBar, _bars({name: by_condition[name] for name in shown}))
            write_rows(new / "methods" / table, AucBar, _bars({name: row for name, row in by_method.items() if row}))
            write_rows(new / "reliability" / table, ReliabilityPoint, reliability_points(scores))
            write_rows(new / "eps" / table, EpsPoint, results.eps[scores.model, scores.role])


def shown_conditions(scores: ScoreSet) -> list[str]:
    """Conditions that have curves: all but those in which both classes are attacked."""
    return [condition for condition in scores.frames if not parse_condition(condition).both]


def roc_corners(scores: ScoreSet, condition: str) -> Floats:
    """FPR and TPR (P, 2) of the video-level ROC curve, without the points that lie on a straight piece of it."""
    items = select(scores, condition, VIDEO)
    roc = Ranking(items.scores, items.labels).roc()
    counts = np.stack([roc.false_positives, roc.true_positives], axis=1)
    steps = np.diff(counts, axis=0)
    turns = steps[:-1, 0] * steps[1:, 1] != steps[:-1, 1] * steps[1:, 0]
    corners: Floats = np.stack([roc.fpr, roc.tpr], axis=1)[np.concatenate([[True], turns, [True]])].round(6)
    return corners


def roc_curves(score_sets: Mapping[str, ScoreSet], conditions: Iterable[str]) -> dict[str, dict[str, Floats]]:
    """Corners of the ROC curves by condition, then by model; of the models that were scored under it."""
    return {
        condition: {
            model: roc_corners(scores, condition) for model, scores in score_sets.items() if condition in scores.frames
        }
        for condition in conditions
    }


def reliability_points(scores: ScoreSet) -> list[ReliabilityPoint]:
    """The reliability diagram of clean test videos, at most ten points."""
    items = select(scores, CLEAN, VIDEO)
    said = probabilities(items.scores, scores.calibration.temperature)
    return [
        ReliabilityPoint(round(part.confidence, 6), round(part.share_fake, 6), round(part.weight, 6), part.items)
        for part in reliability(said, items.labels)
    ]


def _bars(rows: dict[str, MetricRow]) -> Iterator[AucBar]:
    for name, row in rows.items():
        value, low, high = row.estimates["auc"]
        yield AucBar(name, round(value, 6), rounded(low), rounded(high))
