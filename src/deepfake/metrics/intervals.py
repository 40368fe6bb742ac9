"""An interval, and the one that needs no resampling: of a rate counted over independent trials."""

import math
from typing import NamedTuple

CONFIDENCE = 0.95
_NORMAL_QUANTILE = 1.959963984540054  # of 97.5 %


class Interval(NamedTuple):
    """Bounds of a 95 % interval; both NaN where the data cannot give one."""

    low: float
    high: float


def rate_interval(hits: int, trials: int) -> Interval:
    """95 % interval of a rate counted over independent trials (Wilson 1927), within [0, 1].

    Raises:
        ValueError: no trials, or more hits than trials.
    """
    if not 0 <= hits <= trials or not trials:
        raise ValueError(f"{hits} hits in {trials} trials have no rate")
    rate, spread = hits / trials, _NORMAL_QUANTILE**2 / trials
    center = (rate + spread / 2) / (1 + spread)
    half = math.sqrt(spread * (rate * (1 - rate) + spread / 4)) / (1 + spread)
    return Interval(max(0.0, center - half), min(1.0, center + half))
