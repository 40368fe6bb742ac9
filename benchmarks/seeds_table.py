"""Baseline and robust detector side by side, seed by seed, in the conditions that the claim is about."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isnan, nan

import torch
from timing import machine
from trainings import interval_over_trainings

from deepfake.params import Params
from deepfake.reporting.conditions import CLEAN, headline_conditions, parse_condition, worst_at
from deepfake.reporting.pairing import BASELINE, ROBUST, Pair
from deepfake.reporting.scores import ScoreSet
from deepfake.reporting.wording import metric_title, role_name

BUDGETS = (1, 2, 4, 8)  # in steps of 1/255
METRICS = ("auc", "partial_auc", "tpr_at_1pct_fpr")
FLAGS = "gradient_masking_flags"
MEAN = "mean"  # in place of a seed
_ABOUT_MEANS = (
    "Mean: over the seeds, with an interval over people, of whom each resample draws the same for every seed. It says "
    "nothing of trainings with other seeds. Over trainings: the 95 % interval of that mean difference by Student's t, "
    "as if people were fixed and the seeds were drawn; so few of them make it wide."
)


@dataclass(frozen=True)
class Line:
    """One metric of both detectors under one condition for one seed.

    Attributes:
        role, condition, metric: of what, test videos; no condition where the metric is the number of checks for masked
            gradients that raised a flag.
        seed: of training, or `mean` over all of them.
        baseline, robust: values of the two detectors, in [0, 1].
        difference, low, high: robust minus baseline with its paired 95 % interval; NaN bounds where resamples agree.
    """

    role: str
    condition: str
    metric: str
    seed: str
    baseline: float
    robust: float
    difference: float
    low: float
    high: float


def to_lines(seed: str, pairs: Sequence[Pair], score_sets: Sequence[ScoreSet]) -> Iterator[Line]:
    """What the claim is about: clean, the learned attack before a codec, the worst case, and whether to believe it."""
    pairs = [pair for pair in pairs if pair.reference == BASELINE]
    told = headline_conditions(dict.fromkeys(pair.condition for pair in pairs))
    before_codec = [name for name in told if parse_condition(name).codec]
    wanted = {(name, metric) for name in (CLEAN, *before_codec) for metric in METRICS}
    wanted |= {(worst_at(step / 255), "auc") for step in BUDGETS}
    for pair in pairs:
        if (pair.condition, pair.metric) in wanted:
            numbers = (pair.before, pair.robust, *pair.difference)
            yield Line(pair.role, pair.condition, pair.metric, seed, *(round(number, 6) for number in numbers))
    flags = {(scores.role, scores.model): sum(check.raised for check in scores.checks) for scores in score_sets}
    for role in dict.fromkeys(scores.role for scores in score_sets):
        before, after = flags[role, BASELINE], flags[role, ROBUST]
        yield Line(role, "", FLAGS, seed, before, after, after - before, nan, nan)


def to_markdown(
    lines: Sequence[Line], params: Params, device: torch.device, changes: Sequence[str] = (), own: int | None = None
) -> str:
    """A row a metric, a column a seed, and below how it was made.

    Args:
        lines: as `to_lines` gives them.
        params: what the runs share.
        device: where they ran.
        changes: of params.yaml, as `key=value`.
        own: the seed that is the pipeline's own run.
    """
    notes = [_note(params, device, changes, own)]
    if any(line.seed == MEAN for line in lines):
        notes += ["", _ABOUT_MEANS]
    return "\n".join([*_table(lines), "", *notes]) + "\n"


def _table(lines: Sequence[Line]) -> Iterator[str]:
    columns = list(dict.fromkeys(line.seed for line in lines))
    heads = [seed if seed == MEAN else f"seed {seed}" for seed in columns]
    yield f"| videos, metric | {' | '.join(heads)} | over trainings | wins | loses |"
    yield "|---" * (len(columns) + 4) + "|"
    rows = dict.fromkeys((line.role, line.condition, line.metric) for line in lines)
    for role, condition, metric in rows:
        found = {
            line.seed: line for line in lines if (line.role, line.condition, line.metric) == (role, condition, metric)
        }
        seeds = [line for seed, line in found.items() if seed != MEAN]
        # As in the report: an interval that touches 0 in the third decimal is no difference.
        wins, loses = sum(round(line.low, 3) > 0 for line in seeds), sum(round(line.high, 3) < 0 for line in seeds)
        cells = " | ".join(_cell(found[seed]) if seed in found else "" for seed in columns)
        _, title = metric_title(".".join(filter(None, (ROBUST, role, condition, metric))))
        yield f"| {role_name(role)}, {title} | {cells} | {_over_trainings(seeds)} | {wins} | {loses} |"


def _over_trainings(seeds: Sequence[Line]) -> str:
    """The interval of the mean difference where the trainings are the sample; empty for a count or a single seed."""
    differences = [line.difference for line in seeds]
    if seeds[0].metric == FLAGS:
        return ""
    low, high = interval_over_trainings(differences)
    return "" if isnan(low) else f"{low:+.3f} to {high:+.3f}"


def _note(params: Params, device: torch.device, changes: Sequence[str], own: int | None) -> str:
    every = "Every seed" if own is None else f"Seed {own} is the pipeline's own run, wherever that was. Every other one"
    setting = f" With {' '.join(changes)}." if changes else ""
    return (
        "Baseline → robust (paired 95 % interval of the difference, over people). Test videos; wins and loses: seeds "
        f"whose interval lies above or below 0. {every}: both detectors trained, and learned attackers fitted to each, "
        f"anew on the same crops of {params.crops.size} px, on {machine(device)}; torch {torch.__version__}.{setting}"
    )


def _cell(line: Line) -> str:
    if line.metric == FLAGS:
        return f"{line.baseline:.0f} → {line.robust:.0f}"
    bounds = "" if isnan(line.low) else f" ({line.low:+.3f} to {line.high:+.3f})"
    return f"{line.baseline:.3f} → {line.robust:.3f}{bounds}"
