"""The few lines that a reader sees first."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isnan

from deepfake.reporting.conditions import LEVELS, WORST, headline_conditions, parse_condition
from deepfake.reporting.matrix import Estimate, MetricRow
from deepfake.reporting.pairing import Pair
from deepfake.reporting.results import Results
from deepfake.reporting.scores import VIDEO
from deepfake.reporting.wording import budget, condition_title

AUC, TPR = "auc", "tpr_at_1pct_fpr"


@dataclass(frozen=True)
class Highlight:
    """One condition, or the worst case at one budget, at video level.

    Attributes:
        title: what it is.
        is_attacked: whether somebody attacks the fakes.
        estimates: by metric (`AUC`, `TPR`), then by model; only models that were scored.
        gains: robust minus each model that it is compared with, of the AUC; only models that were scored.
    """

    title: str
    is_attacked: bool
    estimates: dict[str, dict[str, Estimate]]
    gains: dict[str, Pair]

    @property
    def is_below_chance(self) -> bool:
        """Whether every model ranks fakes above reals more rarely than a coin does, by its interval if it has one."""
        return all((x.value if isnan(x.high) else x.high) < 0.5 for x in self.estimates[AUC].values())


def highlights(results: Results, role: str) -> Iterator[Highlight]:
    """Of a dataset: clean, the learned attack before each kind of codec, and the worst case at each budget."""
    rows = {model: results.rows_of(scores, VIDEO) for model, scores in results.of_role(role).items()}
    names = dict.fromkeys(name for by_condition in rows.values() for name in by_condition)
    for condition in headline_conditions(names):
        if condition != WORST:
            found = {model: own[condition].estimates for model, own in rows.items() if condition in own}
            estimates = {name: {model: own[name] for model, own in found.items()} for name in (AUC, TPR)}
            attacked = bool(parse_condition(condition).attack)
            yield Highlight(condition_title(condition), attacked, estimates, results.gains_of(role, condition, AUC))
    for line in results.budgets_of(role):
        if line.eps_255:
            aucs = {model: point.worst for model, point in line.points.items()}
            tprs = {model: point.worst_tpr for model, point in line.points.items()}
            yield Highlight(f"worst case at {budget(line.eps_255 / LEVELS)}", True, {AUC: aucs, TPR: tprs}, line.gains)


@dataclass(frozen=True)
class Tally:
    """In how many conditions the robust model ranks better than another, by the paired interval of the AUC.

    Attributes:
        conditions: how many were scored of both.
        better: in how many it is better.
        worse: titles of those in which it is worse.
        untold: in how many they differ without an interval that would say whether by chance.
    """

    conditions: int
    better: int
    worse: tuple[str, ...]
    untold: int

    @property
    def open(self) -> int:
        """In how many they cannot be told apart."""
        return self.conditions - self.better - len(self.worse) - self.untold


@dataclass(frozen=True)
class Overview:
    """What a summary says of one dataset.

    Attributes:
        lines: see `highlights`.
        tallies: the robust model in every condition, by the model that it is compared with.
        both: the worst that attacks on both classes do to the last model; None where there were none.
    """

    lines: list[Highlight]
    tallies: dict[str, Tally]
    both: MetricRow | None


def overview(results: Results, role: str) -> Overview:
    """Gather what a summary says of a dataset."""
    last = list(results.of_role(role).values())[-1]
    attacked = [row for row in results.rows_of(last, VIDEO).values() if parse_condition(row.condition).both]
    both = min(attacked, key=lambda row: row.estimates[AUC].value, default=None)
    tallies = {reference: _tally(results, role, reference) for reference in results.references}
    return Overview(list(highlights(results, role)), tallies, both)


def _tally(results: Results, role: str, reference: str) -> Tally:
    """Over all conditions of a dataset; those of the eps curve are not among them."""
    scored = {name for scores in results.of_role(role).values() for name in scores.frames}
    key = (role, AUC, reference)
    own = [pair for pair in results.pairs if (pair.role, pair.metric, pair.reference) == key]
    pairs = [pair for pair in own if pair.condition in scored]
    verdicts = [pair.verdict for pair in pairs]
    worse = tuple(condition_title(pair.condition) for pair in pairs if pair.verdict == "worse")
    return Tally(len(pairs), verdicts.count("better"), worse, verdicts.count("no interval"))
