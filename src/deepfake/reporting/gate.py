"""The gate of a pull request: what a change must not lose unless its author says so.

Guarded are the robust detector's in-domain headline numbers. One may not fall below the base's 95 % interval; where the
base has none (perfectly separated classes, few people), not by more than `TOLERANCE`. No check for masked gradients may
raise a flag, for then no number of that detector's robustness can be believed. docs/review.md gives the reasons.
"""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deepfake.errors import DataError
from deepfake.reporting.comparison import Comparison
from deepfake.reporting.headline import FLAGS
from deepfake.reporting.pairing import ROBUST

TOLERANCE = 0.05  # of a score in [0, 1] that comes without an interval
TRAILER = "Accept-decline"

_GUARDED = tuple(
    re.compile(rf"{ROBUST}\.train\.{name}")
    for name in (r"clean\.partial_auc", r"unet_jpeg\d+\.partial_auc", r"worst_eps2\.auc")
)
_DECIMALS = 4


@dataclass(frozen=True)
class Ruling:
    """Whether one guarded metric may pass.

    Attributes:
        metric: its key.
        base, now: its values; NaN where it is not there.
        tolerance: what it may be, in words.
        holds: whether it is that.
        accepted: why its decline was accepted, and by which commit; empty where it was not.
    """

    metric: str
    base: float
    now: float
    tolerance: str
    holds: bool
    accepted: str

    @property
    def passes(self) -> bool:
        return self.holds or bool(self.accepted)

    @property
    def verdict(self) -> str:
        """`holds`, `accepted` or `fails`."""
        return "holds" if self.holds else "accepted" if self.accepted else "fails"

    def __str__(self) -> str:
        reason = f"; {self.accepted}" if self.verdict == "accepted" else ""
        line = f"{self.metric} {_text(self.base)} → {_text(self.now)}, tolerance: {self.tolerance}"
        return f"gate {self.verdict}: {line}{reason}"


def rule(comparisons: Sequence[Comparison], accepted: dict[str, str]) -> list[Ruling]:
    """A ruling on each guarded metric of either revision; one that is gone fails.

    Args:
        comparisons: of all headline metrics.
        accepted: reasons by metric.

    Raises:
        DataError: what was accepted is not guarded.
    """
    guarded = [each for each in comparisons if _is_guarded(each.metric)]
    for metric in accepted:
        if metric not in {each.metric for each in guarded}:
            known = ", ".join(each.metric for each in guarded)
            raise DataError(f"{TRAILER}: {metric} is not guarded; one of these would be right: {known}")
    return [_ruling(each, accepted.get(each.metric, "")) for each in guarded]


def read_acceptances(trailers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Reason and commit by metric, from commits and their trailers `METRIC REASON`.

    Raises:
        DataError: a trailer that gives no reason.
    """
    found = {}
    for commit, value in trailers:
        metric, _, reason = value.partition(" ")
        if not reason.strip():
            raise DataError(f"commit {commit}: `{TRAILER}: {value}` gives no reason; write it after the metric")
        found[metric] = f"{reason.strip()} ({commit})"
    return found


def _is_guarded(metric: str) -> bool:
    return metric == FLAGS or any(pattern.fullmatch(metric) for pattern in _GUARDED)


def _ruling(each: Comparison, accepted: str) -> Ruling:
    tolerance, holds = _flags(each.now) if each.metric == FLAGS else _score(each)
    if math.isnan(each.now):
        tolerance, holds = f"{tolerance}, and not gone", False
    return Ruling(each.metric, each.committed, each.now, tolerance, holds, accepted)


def _flags(now: float) -> tuple[str, bool]:
    return "no raised flag", now == 0


def _score(each: Comparison) -> tuple[str, bool]:
    if math.isnan(each.committed):
        return "none, for the base does not have it", True
    if math.isnan(each.interval.low):
        limit = round(each.committed - TOLERANCE, _DECIMALS)
        return f"at least {limit:g} ({TOLERANCE} below the base, which has no interval)", each.now >= limit
    low = each.interval.low
    return f"at least {low:g} (where the 95 % interval of the base begins)", each.now >= low


def _text(value: float) -> str:
    return "–" if math.isnan(value) else f"{value:g}"
