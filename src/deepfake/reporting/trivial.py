"""What an AUC is worth here: predictors that look at no face and must therefore fail."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deepfake.params import ReportParams
from deepfake.reporting.items import of_sizes, to_videos
from deepfake.reporting.matrix import Estimate, auc_estimate, role_resamples
from deepfake.reporting.scores import ScoreSet

FILE_SIZE, FACE_MASKED = "file_size", "face_masked"


@dataclass(frozen=True)
class TrivialRow:
    """The video AUC of a predictor that must not be a good one.

    Attributes:
        model, role: whose score folder it comes from.
        name: `file_size` (larger files rank as more fake) or `face_masked` (a detector trained and tested on
            crops whose face is masked out).
        auc: with its interval; it must include .5, from above and from below.
    """

    model: str
    role: str
    name: str
    auc: Estimate

    @property
    def is_faceless(self) -> bool:
        return self.name == FACE_MASKED

    @property
    def is_chance(self) -> bool:
        """Whether the interval includes .5; without one, whether the classes are not perfectly apart."""
        value, low, high = self.auc
        return low <= 0.5 <= high if math.isfinite(low) else value not in (0.0, 1.0)


def trivial_rows(score_sets: Sequence[ScoreSet], settings: ReportParams, seed: int) -> list[TrivialRow]:
    """Both predictors for every score set.

    Raises:
        DataError: scores of one class only.
    """
    rows = []
    for scores in score_sets:
        resamples = role_resamples(scores, settings, seed)
        predictors = {FILE_SIZE: of_sizes(scores.test_videos), FACE_MASKED: to_videos(scores.faceless)}
        rows += [
            TrivialRow(scores.model, scores.role, name, auc_estimate(items, resamples))
            for name, items in predictors.items()
        ]
    return rows
