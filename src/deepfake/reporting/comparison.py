"""Metrics of this machine against committed ones: the same, within the committed intervals, or outside."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deepfake.metrics.intervals import Interval
from deepfake.reporting.wording import difference, number

JUDGEMENTS = (
    "better",
    "worse",
    "better without an interval",
    "worse without an interval",
    "within the interval",
    "the same",
    "new",
    "gone",
)
_DECIMALS = 4


@dataclass(frozen=True)
class Comparison:
    """One metric, committed and now.

    Attributes:
        metric: its key.
        committed, now: its values; NaN where the metric is not there.
        interval: the committed 95 % interval; NaN where there is none.
    """

    metric: str
    committed: float
    now: float
    interval: Interval

    @property
    def verdict(self) -> str:
        """`same`, `yes` or `no` for the committed interval, `no interval`, `new` or `gone`."""
        if math.isnan(self.committed) or math.isnan(self.now):
            return "new" if math.isnan(self.committed) else "gone"
        if self.committed == self.now:
            return "same"
        if math.isnan(self.interval.low):
            return "no interval"
        return "yes" if self.interval.low <= self.now <= self.interval.high else "no"

    @property
    def judgement(self) -> str:
        """What became of it, one of `JUDGEMENTS`; better and worse are outside of the committed interval."""
        direction = "better" if _merit(self.metric, self.now) > _merit(self.metric, self.committed) else "worse"
        words = {
            "same": "the same",
            "yes": "within the interval",
            "no": direction,
            "no interval": f"{direction} without an interval",
        }
        return words.get(self.verdict, self.verdict)


def compare(
    committed: Mapping[str, float], now: Mapping[str, float], intervals: Mapping[str, Interval]
) -> list[Comparison]:
    """Every metric of either side, in the order of the present ones."""
    nothing = Interval(math.nan, math.nan)
    return [
        Comparison(key, committed.get(key, math.nan), now.get(key, math.nan), intervals.get(key, nothing))
        for key in dict.fromkeys([*now, *committed])
    ]


def describe(comparisons: Sequence[Comparison]) -> Iterator[str]:
    """Lines to print: one if nothing changed, else a table of what did and a closing judgement."""
    changed = [line for line in comparisons if line.verdict != "same"]
    if not changed:
        yield f"metrics: all {len(comparisons)} numbers are identical to the committed metrics"
        return
    rows = [("metric", "committed", "now", "difference", "within committed interval")]
    rows += [
        (
            line.metric,
            number(line.committed, _DECIMALS),
            number(line.now, _DECIMALS),
            difference(line.now - line.committed, _DECIMALS),
            line.verdict,
        )
        for line in changed
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        first, *numbers, last = row
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=False))]
        yield "  ".join([*cells, last])
    yield _judgement(comparisons, changed)


def _merit(metric: str, value: float) -> float:
    """How good a value is: fewer flags are better, and a detector that sees no face is to be at chance."""
    if metric.startswith("faceless."):
        return -abs(value - 0.5)
    return -value if metric.endswith("_flags") else value


def _judgement(comparisons: Sequence[Comparison], changed: Sequence[Comparison]) -> str:
    counts = f"{len(changed)} of {len(comparisons)} numbers differ from the committed metrics"
    outside = [line.metric for line in changed if line.verdict == "no"]
    missing = [line.metric for line in changed if line.verdict in ("new", "gone")]
    raised = [line.metric for line in changed if line.metric.endswith("_flags") and line.now > line.committed]
    if raised:
        return f"WARNING: {counts}, and checks for masked gradients raise more flags: {', '.join(raised)}"
    if outside:
        return f"WARNING: {counts}, {len(outside)} of them outside the committed interval: {', '.join(outside)}"
    if missing:
        return f"WARNING: {counts}; these are not in both: {', '.join(missing)}"
    unjudged = sum(line.verdict == "no interval" for line in changed)
    without = f", {unjudged} without one changed" if unjudged else ""
    return f"metrics: {counts}; none lies outside a committed interval{without}"
