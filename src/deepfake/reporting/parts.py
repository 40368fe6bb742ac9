"""What the page says of one model on one dataset."""

from collections.abc import Sequence
from dataclasses import dataclass

from deepfake.reporting.conditions import CLEAN, PGD
from deepfake.reporting.coverage import FalseAlarmRow, false_alarm_rows
from deepfake.reporting.curves import reliability_points
from deepfake.reporting.drawing import Picture
from deepfake.reporting.evidence import PerturbationRow, perturbation_rows
from deepfake.reporting.figures import reliability_figure, score_figure
from deepfake.reporting.matrix import MetricRow
from deepfake.reporting.results import Results
from deepfake.reporting.scores import ALL_VIDEOS, FRAME, VIDEO, ScoreSet, select
from deepfake.reporting.survival import shares_left


@dataclass(frozen=True)
class Part:
    """What the page says of one model on one dataset.

    Attributes:
        scores: the score set.
        video, frame, everything: rows of the matrix by level, all methods.
        false_alarms, perturbations: see `coverage` and `evidence`.
        left: share of each attack's effect that each codec leaves, see `survival`.
        scores_picture, reliability: its figures.
    """

    scores: ScoreSet
    video: list[MetricRow]
    frame: list[MetricRow]
    everything: list[MetricRow]
    false_alarms: list[FalseAlarmRow]
    perturbations: list[PerturbationRow]
    left: dict[str, dict[str, float]]
    scores_picture: Picture
    reliability: Picture


def build_part(results: Results, scores: ScoreSet, few: Sequence[str]) -> Part:
    """Gather what is said of one model, with figures of the `few` conditions that a summary is about."""
    conditions = list(dict.fromkeys([CLEAN, PGD, *few]))
    items = {name: select(scores, name, VIDEO) for name in conditions if name in scores.frames}
    video, perturbations = results.rows_of(scores, VIDEO), perturbation_rows(scores)
    return Part(
        scores=scores,
        video=list(video.values()),
        frame=list(results.rows_of(scores, FRAME).values()),
        everything=list(results.rows_of(scores, ALL_VIDEOS).values()),
        false_alarms=false_alarm_rows(scores),
        perturbations=perturbations,
        left={row.attack: shares_left(video, row.attack) for row in perturbations},
        scores_picture=score_figure(scores.model, items, scores.calibration.video_threshold),
        reliability=reliability_figure(scores.model, reliability_points(scores)),
    )
