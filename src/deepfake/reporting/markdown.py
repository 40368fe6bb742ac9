"""The result tables that the README shows."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from deepfake.reporting.matrix import Estimate, MetricRow
from deepfake.reporting.scores import ALL_METHODS, VIDEO, ScoreSet
from deepfake.reporting.trivial import TrivialRow
from deepfake.reporting.wording import bounds, condition_title, number, role_title
from deepfake.runtime import replacing

_COLUMNS = {
    "ROC-AUC": "auc",
    "TPR at 1 % FPR": "tpr_at_1pct_fpr",
    "deployed TPR": "deployed_tpr",
    "deployed FPR": "deployed_fpr",
}


def write_markdown(
    path: Path, score_sets: Sequence[ScoreSet], rows: Sequence[MetricRow], trivial: Sequence[TrivialRow]
) -> None:
    """Write one table for each model and dataset: video-level test metrics with intervals, a line a condition.

    The last lines are of predictors that look at no face.
    """
    tables = ["\n".join(_table(scores, rows, trivial)) for scores in score_sets]
    with replacing(path) as temporary:
        temporary.write_text("\n\n".join(tables) + "\n", encoding="utf-8")


def _table(scores: ScoreSet, rows: Sequence[MetricRow], trivial: Sequence[TrivialRow]) -> Iterator[str]:
    shown = [
        row
        for row in rows
        if (row.model, row.role, row.level, row.method) == (scores.model, scores.role, VIDEO, ALL_METHODS)
    ]
    title = _plain(f"{scores.model}, {role_title(scores.role, scores.dataset)}")
    yield f"**{title}**: {shown[0].reals} real and {shown[0].fakes} fake test videos"
    yield ""
    yield f"| condition | {' | '.join(_COLUMNS)} |"
    yield f"|---|{'---|' * len(_COLUMNS)}"
    for row in shown:
        cells = (_cell(row.estimates[name]) for name in _COLUMNS.values())
        yield f"| {_plain(condition_title(row.condition))} | {' | '.join(cells)} |"
    for line in trivial:
        if (line.model, line.role) == (scores.model, scores.role):
            name = "control: face masked out" if line.is_control else "file size alone"
            yield f"| *{name}* | {_cell(line.auc)} |{' – |' * (len(_COLUMNS) - 1)}"


def _cell(estimate: Estimate) -> str:
    between = bounds(estimate)
    return f"{number(estimate.value)} ({between})" if between else number(estimate.value)


def _plain(text: str) -> str:
    """Text whose signs Markdown and HTML do not read as markup."""
    return "".join(f"\\{sign}" if sign in "\\`*_[]<>|" else sign for sign in text)
