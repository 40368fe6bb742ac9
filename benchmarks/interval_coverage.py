"""How often the report's 95 % intervals hold the truth, where the truth is known: scores are drawn, and tests repeated.

A score is normal, a fake's with a higher mean; a part of it is shared by all videos of a person, as on the sample,
where reals and fakes of the same people are tested. A second detector, exactly as good, shows how often a paired
interval claims a difference that is not there. From the repository's root:

    PYTHONPATH=src python benchmarks/interval_coverage.py --out benchmarks/results/interval_coverage
"""

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import nan
from pathlib import Path
from statistics import NormalDist, fmean

import numpy as np
from timing import write_markdown

from deepfake.metrics.bootstrap import draw_resamples, percentile_interval, resample
from deepfake.metrics.operating_point import TARGET_FPR, threshold_at_fpr
from deepfake.metrics.ranking import Floats, Ranking
from deepfake.reporting.pairing import paired_statistics
from deepfake.reporting.wording import metric_title
from deepfake.runtime import derive_seed, progress_bar
from deepfake.stage import run
from deepfake.tables import write_rows

AUC, PARTIAL, TPR = "auc", "partial_auc", "tpr_at_1pct_fpr"
MAX_FPR = 0.1
SHARED = 0.3  # share of a score's variance that is its person's
NORMAL = NormalDist()


@dataclass(frozen=True)
class Setting:
    """A test set: so many people, and videos of each."""

    name: str
    people: int
    reals: int
    fakes: int


SETTINGS = (
    Setting("the sample, in-domain", people=25, reals=2, fakes=3),
    Setting("as many people as FaceForensics++ tests", people=70, reals=2, fakes=8),
    Setting("a thousand reals", people=500, reals=2, fakes=2),
)
SKILLS = (1.0, 2.3)  # distance of the means of both classes, in standard deviations


@dataclass(frozen=True)
class Line:
    """One metric on one kind of test set, over repeated tests.

    Attributes:
        setting, reals, fakes: the test set.
        metric: its name.
        truth, estimate: what it is for endlessly many videos, and what tests say on average.
        held, above, below: shares of tests whose interval holds the truth, or has it above or below itself.
        false_claims: share of tests in which the interval of the difference of two equally good detectors excludes 0.
        fpr: false positive rate, for endlessly many reals, at the threshold of the test; NaN where there is none.
    """

    setting: str
    reals: int
    fakes: int
    metric: str
    truth: float
    estimate: float
    held: float
    above: float
    below: float
    false_claims: float
    fpr: float


def main(argv: Sequence[str] | None = None) -> None:
    args = _parse(argv)
    lines: list[Line] = []
    with progress_bar(total=len(SETTINGS) * len(SKILLS) * args.tests, title="tests") as bar:
        for setting in SETTINGS:
            for skill in SKILLS:
                lines += repeat(setting, skill, tests=args.tests, resamples=args.resamples, done=bar.update)
    write_rows(args.out.with_suffix(".csv"), Line, lines)
    head = ["test set", "reals", "fakes", "metric", "truth", "mean estimate", "intervals that hold it", "truth above",
            "truth below", "differences that are none", "true FPR there"]  # fmt: skip
    write_markdown(args.out, head, map(_cells, lines), [
        f"{args.tests} tests of each kind, {args.resamples} resamples of people; {SHARED:.0%} of a score's variance is "
        "its person's, and all of it is normal",
        "an interval should hold the truth in 95 % of the tests, and have it above or below itself in 2.5 % each",
    ])  # fmt: skip


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tests", type=int, default=400, help="of each kind (default: 400)")
    parser.add_argument("--resamples", type=int, default=1000, help="of people in each test (default: 1000)")
    parser.add_argument("--out", required=True, type=Path, help="tables to write, without a suffix")
    return parser.parse_args(argv)


def truths(skill: float) -> dict[str, float]:
    """What the metrics are for endlessly many videos, fakes `skill` standard deviations above reals."""
    fpr = (np.arange(10_000) + 0.5) / 10_000 * MAX_FPR
    return {
        AUC: NORMAL.cdf(skill / 2**0.5),
        PARTIAL: fmean(1 - NORMAL.cdf(NORMAL.inv_cdf(1 - rate) - skill) for rate in fpr.tolist()),
        TPR: 1 - NORMAL.cdf(NORMAL.inv_cdf(1 - TARGET_FPR) - skill),
    }


def draw(setting: Setting, skill: float, seed: int) -> tuple[Floats, np.ndarray, list[str]]:
    """Scores of two equally good detectors (2, N), labels and people (N,) of one test."""
    rng = np.random.default_rng(seed)
    labels = np.tile(np.repeat([0, 1], [setting.reals, setting.fakes]), setting.people)
    people = np.repeat(np.arange(setting.people), setting.reals + setting.fakes)
    shared, own = rng.normal(size=setting.people)[people], rng.normal(size=(2, len(labels)))
    scores = skill * labels + SHARED**0.5 * shared + (1 - SHARED) ** 0.5 * own
    return scores, labels, [str(person) for person in people]


def repeat(
    setting: Setting, skill: float, *, tests: int, resamples: int, done: Callable[[], object] = lambda: None
) -> Iterator[Line]:
    """A line for each metric, from tests with the same true skill."""
    statistics = paired_statistics(MAX_FPR)
    estimates: dict[str, list[float]] = {name: [] for name in statistics}
    intervals: dict[str, list[tuple[float, float]]] = {name: [] for name in statistics}
    differences: dict[str, list[tuple[float, float]]] = {name: [] for name in statistics}
    rates = []
    for test in range(tests):
        scores, labels, people = draw(setting, skill, derive_seed(setting.name, skill, test))
        ranking, drawn = Ranking(scores[0], labels), draw_resamples(people, resamples, test)
        one, other = (resample(statistics, each, people, drawn) for each in (ranking, Ranking(scores[1], labels)))
        for name, statistic in statistics.items():
            estimates[name].append(float(statistic(ranking.roc())))
            intervals[name].append(percentile_interval(one[name]))
            differences[name].append(percentile_interval(one[name] - other[name]))
        rates.append(1 - NORMAL.cdf(threshold_at_fpr(scores[0][labels == 0], TARGET_FPR)))
        done()
    counts = (setting.people * setting.reals, setting.people * setting.fakes)
    for name, truth in truths(skill).items():
        low, high = np.array(intervals[name]).T
        least, most = np.array(differences[name]).T
        held = (low <= truth) & (truth <= high)
        claimed = (least > 0) | (most < 0)
        yield Line(
            setting.name, *counts, name, truth, fmean(estimates[name]), float(held.mean()),
            float(np.mean(truth > high)), float(np.mean(truth < low)), float(claimed.mean()),
            fmean(rates) if name == TPR else nan,
        )  # fmt: skip


def _cells(line: Line) -> list[str]:
    numbers = [f"{line.truth:.3f}", f"{line.estimate:.3f}"]
    shares = [f"{share:.0%}" for share in (line.held, line.above, line.below, line.false_claims)]
    fpr = "" if line.metric != TPR else f"{line.fpr:.1%}"
    title = metric_title(f"..{line.metric}")[1]
    return [line.setting, str(line.reals), str(line.fakes), title, *numbers, *shares, fpr]


if __name__ == "__main__":
    sys.exit(run(main))
