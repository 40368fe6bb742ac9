"""The result tables that the README shows."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from deepfake.reporting.conditions import by_group, followed_codecs, parse_condition
from deepfake.reporting.evidence import masking_sentences, perturbation_rows
from deepfake.reporting.explanations import CONTRAST, MEASURES, ExplanationRow
from deepfake.reporting.markup import ABSENT, plain, table_head, table_line, with_bounds
from deepfake.reporting.matrix import MetricRow
from deepfake.reporting.pairing import Pair, contrast_title
from deepfake.reporting.results import Results
from deepfake.reporting.scores import VIDEO, ScoreSet
from deepfake.reporting.survival import shares_left
from deepfake.reporting.undo import UndoRow, undo_budgets
from deepfake.reporting.wording import (
    attack_title,
    codec_title,
    condition_title,
    difference,
    number,
    percent,
    role_title,
)
from deepfake.runtime import replacing

_TWICE = {"AUC": "auc", "TPR at 1 % FPR": "tpr_at_1pct_fpr"}
_SIZES = {"psnr": 1, "ssim": 3, "total_variation": 2, "low_frequency": 2}  # and their decimals
_DEPLOYED = ("deployed_tpr", "deployed_fpr")


@dataclass(frozen=True)
class Findings:
    """What is said of a dataset beside its scores.

    Attributes:
        explanations: what Grad-CAM maps are worth.
        undo: what no detector can win; none where the dataset does not state it.
    """

    explanations: Sequence[ExplanationRow]
    undo: Sequence[UndoRow]


def write_markdown(path: Path, results: Results, findings: Mapping[str, Findings], suite: str) -> None:
    """Write for each dataset one table of video-level test metrics of all models, a line a condition.

    Below it: predictors that look at no face, attacks on both classes, the worst case by budget, the attacks
    themselves, Grad-CAM in numbers, and what no detector can win; at the end the checks for masked gradients.

    Args:
        path: file to write.
        results: all numbers.
        findings: what else is known, by role.
        suite: a sentence on how hard the models were attacked.
    """
    parts = [
        "\n\n".join("\n".join(block) for block in _blocks(results, role, findings[role])) for role in results.roles
    ]
    sentences = map(plain, [suite, *masking_sentences(results.score_sets)])
    with replacing(path) as temporary:
        temporary.write_text("\n\n".join([*parts, *sentences]) + "\n", "utf-8")


def _blocks(results: Results, role: str, findings: Findings) -> Iterator[Iterable[str]]:
    """Title, tables and sentences of a dataset, lines each; what parts them is an empty line."""
    score_sets = results.of_role(role)
    rows = {model: results.rows_of(scores, VIDEO) for model, scores in score_sets.items()}
    conditions = list(dict.fromkeys(condition for by_condition in rows.values() for condition in by_condition))
    first = next(iter(rows.values()))[conditions[0]]
    title = role_title(role, next(iter(score_sets.values())).dataset)
    yield [f"**{plain(title)}**: {first.reals} real and {first.fakes} fake test videos"]
    yield _main_table(results, role, rows, by_group(name for name in conditions if not parse_condition(name).both))
    yield [_trivial_line(results, role)]
    both = [name for name in conditions if parse_condition(name).both]
    if both:
        yield _both_table(rows, both)
    yield _budget_table(results, role, list(rows))
    yield _attack_table(score_sets, rows)
    if findings.explanations:
        yield _gradcam_table(findings.explanations)
    if findings.undo:
        yield _undo_table(findings.undo)


def _main_table(
    results: Results, role: str, rows: dict[str, dict[str, MetricRow]], conditions: Sequence[str]
) -> Iterator[str]:
    last = list(rows)[-1]
    header = [f"{plain(model)} {name}" for name in _TWICE for model in rows]
    header += [f"{plain(last)} deployed TPR / FPR", *_contrasts("partial AUC", results)]
    yield from table_head(["condition", *header])
    for condition in conditions:
        cells = [_cell(rows[model].get(condition), name) for name in _TWICE.values() for model in rows]
        row = rows[last].get(condition)
        deployed = " / ".join(number(row.estimates[name].value) for name in _DEPLOYED) if row else ABSENT
        gains = _gains(results, results.gains_of(role, condition, "partial_auc"))
        yield table_line([plain(condition_title(condition)), *cells, deployed, *gains])


def _both_table(rows: dict[str, dict[str, MetricRow]], conditions: Sequence[str]) -> Iterator[str]:
    """Where reals are attacked too, a new threshold means little: the AUC, and the FPR at the frozen one."""
    columns = {"AUC": "auc", "deployed FPR": "deployed_fpr"}
    yield from table_head(["both classes attacked", *(f"{plain(model)} {name}" for name in columns for model in rows)])
    for condition in conditions:
        cells = [_cell(rows[model].get(condition), name) for name in columns.values() for model in rows]
        yield table_line([plain(condition_title(condition)), *cells])


def _budget_table(results: Results, role: str, models: Sequence[str]) -> Iterator[str]:
    columns = ["PGD AUC", "worst-case AUC"]
    header = [f"{plain(model)} {name}" for name in columns for model in models]
    yield from table_head(["budget", *header, *_contrasts("worst-case AUC", results)])
    for line in results.budgets_of(role):
        points = [line.points.get(model) for model in models]
        pgd = [number(point.pgd_auc) if point else ABSENT for point in points]
        worst = [with_bounds(number(point.auc), point.worst) if point else ABSENT for point in points]
        yield table_line([f"{line.eps_255:g}/255", *pgd, *worst, *_gains(results, line.gains)])


def _contrasts(metric: str, results: Results) -> list[str]:
    return [f"{metric}, {contrast_title(reference)}" for reference in results.references]


def _gains(results: Results, gains: Mapping[str, Pair]) -> Iterator[str]:
    for reference in results.references:
        gain = gains[reference].difference if reference in gains else None
        yield with_bounds(difference(gain.value), gain) if gain else ABSENT


def _attack_table(
    score_sets: Mapping[str, ScoreSet], rows: Mapping[str, Mapping[str, MetricRow]]
) -> Iterator[str]:  # fmt: skip
    """Sizes of the perturbations, and the share of their effect that a codec leaves."""
    codecs = followed_codecs(dict.fromkeys(condition for own in rows.values() for condition in own))
    header = [f"effect left after {plain(codec_title(codec))}" for codec in codecs]
    yield from table_head(["attack", "PSNR, dB", "SSIM", "TV / eps", "low-frequency share", *header])
    for model, scores in score_sets.items():
        for row in perturbation_rows(scores):
            left = shares_left(rows[model], row.attack)
            sizes = [number(row.medians[name], decimals) for name, decimals in _SIZES.items()]
            shares = [percent(left.get(codec, math.nan), 0) for codec in codecs]
            yield table_line([plain(f"{attack_title(row.attack)} on {model}"), *sizes, *shares])


def _gradcam_table(rows: Sequence[ExplanationRow]) -> Iterator[str]:
    yield from table_head(["Grad-CAM of fakes", "model", "faces", *MEASURES])
    for row in rows:
        cells = [_gradcam_cell(row, name) for name in MEASURES]
        yield table_line([plain(condition_title(row.condition)), plain(row.model), str(row.faces), *cells])


def _gradcam_cell(row: ExplanationRow, measure: str) -> str:
    mean, text = row.means[measure], difference if row.model == CONTRAST else number
    note = row.note(measure)
    return with_bounds(text(mean.value, 2), mean, 2) + (f", {note}" if note else "")


def _undo_table(rows: Sequence[UndoRow]) -> Iterator[str]:
    budgets = undo_budgets(rows)
    yield from table_head(["share of the forgery that can be undone", *(f"{eps}/255" for eps in budgets)])
    for row in rows:
        yield table_line([f"{plain(row.method)}, {row.fakes} fakes", *(percent(row.at(eps)) for eps in budgets)])


def _trivial_line(results: Results, role: str) -> str:
    names = {True: "a detector that never saw a face", False: "file size alone"}
    parts = [
        f"{names[line.is_faceless]} {with_bounds(number(line.auc.value), line.auc)}"
        for line in results.trivial_of(role)
    ]
    return f"AUC without looking at a face: {', '.join(parts)}."


def _cell(row: MetricRow | None, name: str) -> str:
    return with_bounds(number(row.estimates[name].value), row.estimates[name]) if row else ABSENT
