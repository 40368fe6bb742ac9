"""The model card of the detectors, in Markdown (Mitchell et al. 2019)."""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deepfake.params import Params
from deepfake.reporting import wording
from deepfake.reporting.conditions import CLEAN, headline_conditions
from deepfake.reporting.coverage import FalseAlarmRow, false_alarm_rows
from deepfake.reporting.evidence import masking_sentences
from deepfake.reporting.markup import plain, with_bounds
from deepfake.reporting.matrix import Estimate
from deepfake.reporting.pairing import LONGER
from deepfake.reporting.protocol import rendered_roles, suite_sentence
from deepfake.reporting.results import Results
from deepfake.reporting.scores import VIDEO, ScoreSet
from deepfake.runtime import replacing

CARD = "model_card.md.j2"
_COMPRESSED = ("jpeg50", "h264_crf23")


def write_model_card(path: Path, params: Params, results: Results) -> None:
    """Write what the detectors are, what they have seen, how well they do on whom, and what they are not for."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=False,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    filters = (wording.budget, wording.condition_title, wording.number, wording.percent, plain, cell)
    environment.filters |= {function.__name__: function for function in filters}
    score_sets = {role: results.of_role(role) for role in results.roles}
    rows = {
        role: {model: results.rows_of(scores, VIDEO) for model, scores in own.items()}
        for role, own in score_sets.items()
    }
    firsts = {role: next(iter(own.values())) for role, own in score_sets.items()}
    conditions = {role: _shown(chain.from_iterable(by_model.values())) for role, by_model in rows.items()}
    card = environment.get_template(CARD).render(
        params=params,
        datasets={role: dataset for role, dataset in params.datasets if dataset is not None},
        rendered=rendered_roles(params),
        roles=results.roles,
        longer=LONGER,
        models=list(dict.fromkeys(scores.model for scores in results.score_sets)),
        names={role: scores.dataset for role, scores in firsts.items()},
        titles={role: wording.role_title(role, scores.dataset) for role, scores in firsts.items()},
        methods={role: scores.methods for role, scores in firsts.items()},
        clean={role: next(iter(by_model.values()))[CLEAN] for role, by_model in rows.items()},
        table=rows,
        conditions=conditions,
        budgets={role: results.budgets_of(role) for role in results.roles},
        suite=suite_sentence(params),
        sentences=list(masking_sentences(results.score_sets)),
        alarms=_alarms(results.score_sets),
    )
    with replacing(path) as temporary:
        temporary.write_text(card, encoding="utf-8")


def cell(estimate: Estimate) -> str:
    """`0.959 (0.928 to 0.983)`."""
    return with_bounds(wording.number(estimate.value), estimate)


def _shown(rows: Iterable[str]) -> list[str]:
    present = list(dict.fromkeys(rows))
    few = headline_conditions(present)
    return [few[0], *(name for name in _COMPRESSED if name in present), *few[1:]]


def _alarms(score_sets: Sequence[ScoreSet]) -> dict[tuple[str, str, str], dict[str, FalseAlarmRow]]:
    """False positives by role, trait and group, and then by model."""
    found: dict[tuple[str, str, str], dict[str, FalseAlarmRow]] = {}
    for scores in score_sets:
        for row in false_alarm_rows(scores):
            found.setdefault((row.role, row.trait, row.group), {})[row.model] = row
    return found
