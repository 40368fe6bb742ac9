"""How much a mean over a few trainings hangs on which trainings there were."""

from collections.abc import Sequence
from math import nan

import numpy as np
from scipy import stats

from deepfake.metrics.intervals import CONFIDENCE, Interval


def interval_over_trainings(values: Sequence[float]) -> Interval:
    """The 95 % interval of the mean by Student's t, as if trainings were drawn and people fixed.

    Not a number for a single training, and where all agree.
    """
    error = stats.sem(values) if len(values) > 1 else 0
    if not error:
        return Interval(nan, nan)
    return Interval(*map(float, stats.t.interval(CONFIDENCE, len(values) - 1, np.mean(values), error)))
