"""What a pull request changes in the results, as Markdown: numbers, parameters, and the pictures of both revisions."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deepfake.metrics.intervals import Interval
from deepfake.reporting import wording
from deepfake.reporting.comparison import JUDGEMENTS, Comparison
from deepfake.reporting.gate import TRAILER, Ruling
from deepfake.reporting.markup import plain, with_bounds
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.pairing import ROBUST
from deepfake.reporting.revision import Revision
from deepfake.reporting.revision_pictures import PicturePair

TEMPLATE = "pull_request.md.j2"


@dataclass(frozen=True)
class MetricLine:
    """One headline metric.

    Attributes:
        subject, name: of what, and which.
        base, now: its values with their intervals; NaN where a revision does not have it.
        judgement: see `Comparison`.
        ruling: of the gate; None where it is not guarded.
    """

    subject: str
    name: str
    base: Estimate
    now: Estimate
    judgement: str
    ruling: Ruling | None

    @property
    def change(self) -> str:
        """`↑ +0.012`, `=`, or a dash where there is nothing to compare."""
        step = self.now.value - self.base.value
        if math.isnan(step):
            return "–"
        return _unbroken(f"{'↑' if step > 0 else '↓'} {wording.difference(step)}") if step else "="


@dataclass(frozen=True)
class Pictures:
    """The pictures of one role: curves and Grad-CAM panels."""

    title: str
    curves: Sequence[PicturePair]
    panels: Sequence[PicturePair]


@dataclass(frozen=True)
class Change:
    """All that a review is about.

    Attributes:
        base, now: where the branch began, and its commit.
        uncommitted: files of results that are not those of that commit.
        lines: all headline metrics.
        rulings: of the gate.
        params: old and new value of each changed parameter by dotted key; None where there is none.
        pictures: by role.
    """

    base: Revision
    now: Revision
    uncommitted: Sequence[str]
    lines: Sequence[MetricLine]
    rulings: Sequence[Ruling]
    params: Mapping[str, tuple[object, object]]
    pictures: Sequence[Pictures]

    @property
    def told(self) -> list[MetricLine]:
        """What changed, and what is guarded."""
        return [line for line in self.lines if line.judgement != "the same" or line.ruling]

    @property
    def untold(self) -> list[MetricLine]:
        """The others."""
        return [line for line in self.lines if line not in self.told]

    @property
    def counts(self) -> str:
        """How many metrics got each judgement: `3 better, 14 the same`."""
        counts = Counter(line.judgement for line in self.lines)
        return ", ".join(f"{counts[judgement]} {judgement}" for judgement in JUDGEMENTS if judgement in counts)


def metric_lines(
    comparisons: Iterable[Comparison], intervals: Mapping[str, Interval], rulings: Sequence[Ruling]
) -> list[MetricLine]:
    """A line a metric, robust first; bounds that the headline lists by themselves belong to their metric's interval.

    Args:
        comparisons: of all headline metrics, with the base's intervals.
        intervals: of the present revision.
        rulings: of the gate.
    """
    ruled = {ruling.metric: ruling for ruling in rulings}
    none = Interval(math.nan, math.nan)
    lines = [
        MetricLine(
            *wording.metric_title(each.metric),
            base=Estimate(each.committed, *each.interval),
            now=Estimate(each.now, *intervals.get(each.metric, none)),
            judgement=each.judgement,
            ruling=ruled.get(each.metric),
        )
        for each in comparisons
        if not each.metric.endswith(("_low", "_high"))
    ]
    subjects = list(dict.fromkeys(line.subject for line in lines))
    return sorted(lines, key=lambda line: (not line.subject.startswith(ROBUST), subjects.index(line.subject)))


def render(change: Change) -> str:
    """The Markdown, with GitHub's tables and folded parts."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"plain": plain, "estimate": _estimate, "parameter": _parameter}
    text = environment.get_template(TEMPLATE).render(change=change, trailer=TRAILER)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _estimate(estimate: Estimate) -> str:
    return _unbroken(with_bounds(wording.number(estimate.value), estimate))


def _parameter(value: object) -> str:
    """A parameter as params.yaml would have it; a dash for none."""
    if value is None:
        return "–"
    return plain(value if isinstance(value, str) else json.dumps(value))


def _unbroken(text: str) -> str:
    """On one line, also in a narrow column."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")
