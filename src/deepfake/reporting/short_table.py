"""The results in a table that a reader takes in at a glance."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from deepfake.params import Params
from deepfake.reporting.evidence import raised_flags
from deepfake.reporting.highlights import AUC, TPR, Highlight, highlights
from deepfake.reporting.markup import ABSENT, plain, table_head, table_line, with_bounds
from deepfake.reporting.protocol import budgets_sentence
from deepfake.reporting.results import Results
from deepfake.reporting.wording import budget, number, role_name, role_title
from deepfake.runtime import replacing

_COLUMNS = {"AUC": AUC, "TPR at 1 % FPR": TPR}


def write_short_table(path: Path, results: Results, params: Params) -> None:
    """Write one table: clean videos of every dataset and what attacks leave of them, and how it was measured."""
    models = list(dict.fromkeys(scores.model for scores in results.score_sets))
    lines = [(role, line) for role in results.roles for line in highlights(results, role)]
    header = [f"{plain(model)} {name}" for name in _COLUMNS for model in models]
    table = chain(table_head(["videos", *header]), (_line(role, line, models) for role, line in lines))
    with replacing(path) as temporary:
        temporary.write_text("\n".join([*table, "", " ".join(_conditions(results, params)), ""]), encoding="utf-8")


def _line(role: str, line: Highlight, models: list[str]) -> str:
    found = [line.estimates[metric].get(model) for metric in _COLUMNS.values() for model in models]
    cells = [with_bounds(number(estimate.value), estimate) if estimate else ABSENT for estimate in found]
    return table_line([plain(f"{role_name(role)}, {line.title}"), *cells])


def _conditions(results: Results, params: Params) -> Iterator[str]:
    """How the numbers were measured, in sentences."""
    yield "In brackets: 95 % intervals over people; they do not include the spread between trainings."
    if results.has_few_reals:
        yield "With so few reals those of TPR at 1 % FPR are too narrow, and it is a little too high (docs/metrics.md)."
    yield f"One training run of each model, seed {params.seed}."
    yield f"Test videos: {'; '.join(_videos(results, role) for role in results.roles)}."
    yield f"Attacks on fakes: profile {params.evaluate.profile}, {budget(params.attack.eps)} where no budget is named."
    yield budgets_sentence(params)
    models = dict.fromkeys(scores.model for scores in results.score_sets if scores.checks)
    if models:
        flags = [f"{plain(model)} {raised_flags(results.score_sets, model) or 'none'}" for model in models]
        yield f"Flags raised by the checks for masked gradients: {', '.join(flags)}."


def _videos(results: Results, role: str) -> str:
    scores = next(iter(results.of_role(role).values()))
    tested = [video for video in scores.test_videos if video.frames_found]
    fakes = sum(video.label for video in tested)
    return f"{plain(role_title(role, scores.dataset))} {len(tested) - fakes} real and {fakes} fake"
