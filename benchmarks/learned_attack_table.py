"""Detectors under a learned attack side by side, each metric with the gain of the first of them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from trainings import interval_over_trainings

from deepfake.metrics.bootstrap import percentile_interval
from deepfake.metrics.ranking import Floats
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.wording import bounds, condition_title, difference, metric_title, number

MEAN = "mean"  # in place of a training's number


@dataclass(frozen=True)
class Line:
    """One metric of one detector under one condition, of test videos.

    Attributes:
        detector, condition, metric: of what.
        training: its number, from 1 on, or `mean` over all.
        value: in [0, 1].
        gain, low, high: of the first detector over this one, paired, with its 95 % interval over people; NaN for the
            first itself, NaN bounds where resamples agree.
        training_low, training_high: of a mean gain, its 95 % interval over trainings; NaN where there is none.
    """

    detector: str
    condition: str
    metric: str
    training: str
    value: float
    gain: float
    low: float
    high: float
    training_low: float
    training_high: float


@dataclass(frozen=True)
class Ranked:
    """A metric of every training (T,) on the videos, and on every resample of their people (T, R)."""

    values: Floats
    samples: Floats


Found = Mapping[tuple[str, str], Ranked]  # by condition and metric


def together(trainings: Sequence[Found]) -> Found:
    """What was found of each training of one detector, as one."""
    return {
        place: Ranked(
            np.concatenate([found[place].values for found in trainings]),
            np.concatenate([found[place].samples for found in trainings]),
        )
        for place in trainings[0]
    }


def compare(found: Mapping[str, Found]) -> Iterator[Line]:
    """A line for every detector, condition, metric and training, and for the mean where there are several trainings.

    The first detector is what the others are compared with, training by training.
    """
    first = next(iter(found.values()))
    for name, own in found.items():
        for place, ranked in own.items():
            for training, value, *gain in _told(first[place], ranked):
                numbers = (value, *((nan,) * 5 if own is first else gain))
                yield Line(name, *place, training, *(round(float(number), 6) for number in numbers))


def _told(first: Ranked, other: Ranked) -> Iterator[tuple[str, float, float, float, float, float, float]]:
    """Training, value, gain and its two intervals of every training, and of their mean."""
    gains, samples = first.values - other.values, first.samples - other.samples
    for training, own in enumerate(zip(other.values, gains, map(percentile_interval, samples), strict=True), start=1):
        value, gain, people = own
        yield f"{training}", value, gain, *people, nan, nan
    if len(gains) > 1:
        people, over = percentile_interval(samples.mean(axis=0)), interval_over_trainings(gains.tolist())
        yield MEAN, other.values.mean(), gains.mean(), *people, *over


def rows(lines: Sequence[Line]) -> Iterator[list[str]]:
    """A row for every condition and metric, a cell for every detector: its mean where it was trained several times."""
    shown = MEAN if any(line.training == MEAN for line in lines) else "1"
    by_place = {(line.condition, line.metric, line.detector): line for line in lines if line.training == shown}
    names = dict.fromkeys(line.detector for line in lines)
    for condition, metric in dict.fromkeys((line.condition, line.metric) for line in lines):
        cells = [_cell(by_place[condition, metric, name]) for name in names]
        yield [condition_title(condition), metric_title(f"..{metric}")[1], *cells]


def _cell(line: Line) -> str:
    if np.isnan(line.gain):
        return number(line.value)
    ends = [(line.low, line.high), (line.training_low, line.training_high)]
    intervals = "; ".join(filter(None, (bounds(Estimate(line.gain, *between)) for between in ends)))
    return f"{number(line.value)} ({', '.join(filter(None, [difference(line.gain), intervals]))})"
