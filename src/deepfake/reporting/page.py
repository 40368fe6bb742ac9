"""The report as one self-contained HTML page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version_tuple

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deepfake.metrics.bootstrap import MIN_CLUSTERS
from deepfake.params import Params
from deepfake.reporting import evidence, wording
from deepfake.reporting.coverage import face_coverage, told_apart
from deepfake.reporting.explanations import CONTRAST, MEASURES, explanation_sentences
from deepfake.reporting.highlights import overview
from deepfake.reporting.pairing import BASELINE, LONGER, ROBUST, contrast_title
from deepfake.reporting.protocol import budgets_sentence, rendered_roles, suite_sentence
from deepfake.reporting.provenance import Source
from deepfake.reporting.results import Results
from deepfake.reporting.sections import Section
from deepfake.reporting.training_figures import Captioned
from deepfake.reporting.undo import undo_budgets
from deepfake.runtime import replacing

PAGE = "report.html.j2"
# What the page's templates include: files that a module names are deps of its stage (tests/test_house.py).
INCLUDED = (
    "style.css",
    "macros.html.j2",
    "summary.html.j2",
    "run.html.j2",
    "role.html.j2",
    "evidence.html.j2",
    "reading.html.j2",
)
MAX_PANELS = 3_500_000  # characters of embedded pictures, so that the page stays below 6 MB

_FILTERS = (
    contrast_title,
    explanation_sentences,
    face_coverage,
    told_apart,
    wording.attack_title,
    wording.bounds,
    wording.budget,
    wording.check_title,
    wording.codec_title,
    wording.condition_title,
    wording.count,
    wording.difference,
    wording.label,
    wording.number,
    wording.percent,
    undo_budgets,
)
_PACKAGES = ("torch", "torchvision", "timm", "facenet-pytorch", "opencv-python", "av", "numpy", "matplotlib", "dvc")


@dataclass(frozen=True)
class Run:
    """What was run.

    Attributes:
        params: with which parameters.
        sources: the models and scores, by content.
    """

    params: Params
    sources: Sequence[Source]


def write_page(
    path: Path, run: Run, results: Results, sections: Sequence[Section], training: Sequence[Captioned]
) -> None:
    """Write the page; its bytes depend on what the stages wrote, the parameters and the versions only."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {function.__name__: function for function in _FILTERS}
    page = environment.get_template(PAGE).render(
        params=run.params,
        sources=run.sources,
        rendered=rendered_roles(run.params),
        settings=yaml.safe_dump(run.params.model_dump(mode="json"), sort_keys=False),
        versions=list(_versions()),
        models=list(dict.fromkeys(scores.model for scores in results.score_sets)),
        baseline=BASELINE,
        longer=LONGER,
        robust=ROBUST,
        references=results.references,
        contrast=CONTRAST,
        sections=sections,
        overviews={section.role: overview(results, section.role) for section in sections},
        score_sets=results.score_sets,
        checks=evidence.check_lines(results.score_sets),
        few_reals=results.has_few_reals,
        sentences=list(evidence.masking_sentences(results.score_sets)),
        flags=evidence.raised_flags(results.score_sets),
        suite=suite_sentence(run.params),
        at_budgets=budgets_sentence(run.params),
        training=training,
        measures=MEASURES,
        panel_space=MAX_PANELS // len(sections),
        min_clusters=MIN_CLUSTERS,
    )
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def _versions() -> Iterator[tuple[str, str]]:
    yield "python", ".".join(python_version_tuple()[:2])
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
