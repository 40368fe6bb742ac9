"""The result tables that the README shows."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from deepfake.reporting.conditions import parse_condition
from deepfake.reporting.evidence import masking_sentences
from deepfake.reporting.matrix import Estimate, MetricRow
from deepfake.reporting.results import Results
from deepfake.reporting.scores import VIDEO
from deepfake.reporting.wording import bounds, condition_title, difference, number, role_title
from deepfake.runtime import replacing

_TWICE = {"AUC": "auc", "TPR at 1 % FPR": "tpr_at_1pct_fpr"}
_DEPLOYED = ("deployed_tpr", "deployed_fpr")
_ABSENT = "–"


def write_markdown(path: Path, results: Results) -> None:
    """Write for each dataset one table of video-level test metrics of all models, a line a condition.

    Below it: attacks on both classes, predictors that look at no face, and the checks for masked gradients.
    """
    parts = ["\n".join(_part(results, role)) for role in results.roles]
    with replacing(path) as temporary:
        temporary.write_text("\n\n".join([*parts, *map(_plain, masking_sentences(results.score_sets))]) + "\n", "utf-8")


def _part(results: Results, role: str) -> Iterator[str]:
    score_sets = results.of_role(role)
    rows = {model: results.rows_of(scores, VIDEO) for model, scores in score_sets.items()}
    conditions = list(dict.fromkeys(condition for by_condition in rows.values() for condition in by_condition))
    first = next(iter(rows.values()))[conditions[0]]
    title = role_title(role, next(iter(score_sets.values())).dataset)
    yield f"**{_plain(title)}**: {first.reals} real and {first.fakes} fake test videos"
    yield ""
    yield from _main_table(results, role, rows, [name for name in conditions if not parse_condition(name).both])
    yield ""
    yield _trivial_line(results, role)
    both = [name for name in conditions if parse_condition(name).both]
    if both:
        yield ""
        yield from _both_table(rows, both)


def _main_table(
    results: Results, role: str, rows: dict[str, dict[str, MetricRow]], conditions: Sequence[str]
) -> Iterator[str]:
    last = list(rows)[-1]
    header = [f"{_plain(model)} {name}" for name in _TWICE for model in rows]
    yield from _head(["condition", *header, f"{_plain(last)} deployed TPR / FPR", "partial AUC, robust − baseline"])
    for condition in conditions:
        cells = [_cell(rows[model].get(condition), name) for name in _TWICE.values() for model in rows]
        row = rows[last].get(condition)
        deployed = " / ".join(number(row.estimates[name].value) for name in _DEPLOYED) if row else _ABSENT
        pair = results.pairs_of(role, condition).get("partial_auc")
        change = _with_bounds(difference(pair.difference.value), pair.difference) if pair else _ABSENT
        yield _line([_plain(condition_title(condition)), *cells, deployed, change])


def _both_table(rows: dict[str, dict[str, MetricRow]], conditions: Sequence[str]) -> Iterator[str]:
    """Where reals are attacked too, a new threshold means little: the AUC, and the FPR at the frozen one."""
    columns = {"AUC": "auc", "deployed FPR": "deployed_fpr"}
    yield from _head(["both classes attacked", *(f"{_plain(model)} {name}" for name in columns for model in rows)])
    for condition in conditions:
        cells = [_cell(rows[model].get(condition), name) for name in columns.values() for model in rows]
        yield _line([_plain(condition_title(condition)), *cells])


def _trivial_line(results: Results, role: str) -> str:
    names = {True: "a detector that never saw a face", False: "file size alone"}
    parts = [
        f"{names[line.is_control]} {_with_bounds(number(line.auc.value), line.auc)}"
        for line in results.trivial_of(role)
    ]
    return f"AUC without looking at a face: {', '.join(parts)}."


def _head(columns: Sequence[str]) -> Iterator[str]:
    yield _line(columns)
    yield f"|{'---|' * len(columns)}"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(row: MetricRow | None, name: str) -> str:
    return _with_bounds(number(row.estimates[name].value), row.estimates[name]) if row else _ABSENT


def _with_bounds(text: str, estimate: Estimate) -> str:
    between = bounds(estimate)
    return f"{text} ({between})" if between else text


def _plain(text: str) -> str:
    """Text whose signs Markdown and HTML do not read as markup."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|" else sign for sign in text)
