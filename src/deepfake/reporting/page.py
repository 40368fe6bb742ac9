"""The report as one self-contained HTML page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import python_version_tuple

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from deepfake.metrics.bootstrap import MIN_CLUSTERS
from deepfake.metrics.operating_point import TARGET_FPR
from deepfake.params import Params
from deepfake.reporting import wording
from deepfake.reporting.coverage import CoverageRow, FalseAlarmRow, coverage_rows, false_alarm_rows
from deepfake.reporting.curves import reliability_points, roc_corners
from deepfake.reporting.drawing import Picture
from deepfake.reporting.figures import (
    estimate_figure,
    low_fpr_figure,
    reliability_figure,
    roc_figure,
    score_figure,
    training_figures,
)
from deepfake.reporting.matrix import Estimate, MetricRow
from deepfake.reporting.scores import ALL_METHODS, ALL_VIDEOS, CLEAN, FRAME, VIDEO, ScoreSet, select
from deepfake.reporting.training_curves import TrainingCurve
from deepfake.reporting.trivial import TrivialRow
from deepfake.runtime import replacing

_PACKAGES = ("torch", "torchvision", "timm", "facenet-pytorch", "opencv-python", "av", "numpy", "matplotlib", "dvc")


@dataclass(frozen=True)
class Part:
    """What the page says of one model on one dataset.

    Attributes:
        scores: the score set.
        title: model and dataset in words.
        video, frame, everything: rows of the matrix by level, all methods, a row a condition.
        methods: clean video rows, a row a forgery method.
        trivial: predictors that look at no face.
        coverage, false_alarms: see `coverage`.
        overview, roc, scores_picture, reliability: figures of the section, in the order of the page.
    """

    scores: ScoreSet
    title: str
    video: list[MetricRow]
    frame: list[MetricRow]
    everything: list[MetricRow]
    methods: list[MetricRow]
    trivial: list[TrivialRow]
    coverage: list[CoverageRow]
    false_alarms: list[FalseAlarmRow]
    overview: Picture
    roc: list[Picture]
    scores_picture: Picture
    reliability: Picture
    methods_picture: Picture

    @property
    def clean(self) -> MetricRow:
        return self.video[0]

    @property
    def hardest(self) -> MetricRow:
        """The condition with the lowest AUC."""
        return min(self.video, key=lambda row: row.estimates["auc"].value)

    @property
    def allowed(self) -> int:
        """Real videos that may be called fake at 1 % FPR."""
        return int(TARGET_FPR * self.clean.reals + 1e-9)


def write_page(
    path: Path,
    params: Params,
    parts: Sequence[Part],
    curves: dict[str, list[TrainingCurve]],
) -> None:
    """Write the page; its bytes depend on the scores, the curves, the parameters and the versions only."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters = (wording.bounds, wording.condition_title, wording.count, wording.difference, wording.number)
    environment.filters |= {function.__name__: function for function in (*filters, wording.percent)}
    page = environment.get_template("report.html.j2").render(
        params=params,
        settings=yaml.safe_dump(params.model_dump(mode="json"), sort_keys=False),
        versions=list(_versions()),
        parts=parts,
        training={model: training_figures(logged) for model, logged in curves.items()},
        min_clusters=MIN_CLUSTERS,
    )
    with replacing(path) as temporary:
        temporary.write_text(page, encoding="utf-8")


def build_part(scores: ScoreSet, rows: Sequence[MetricRow], trivial: Sequence[TrivialRow]) -> Part:
    """Gather the rows of one score set and draw its figures."""
    own = [row for row in rows if (row.model, row.role) == (scores.model, scores.role)]
    whole = [row for row in own if row.method == ALL_METHODS]
    video = [row for row in whole if row.level == VIDEO]
    methods = [row for row in own if (row.level, row.condition) == (VIDEO, CLEAN) and row.method != ALL_METHODS]
    roc = {condition: roc_corners(scores, condition) for condition in scores.frames}
    items = {condition: select(scores, condition, VIDEO) for condition in scores.frames}
    return Part(
        scores=scores,
        title=f"{scores.model}, {wording.role_title(scores.role, scores.dataset)}",
        video=video,
        frame=[row for row in whole if row.level == FRAME],
        everything=[row for row in whole if row.level == ALL_VIDEOS],
        methods=methods,
        trivial=[line for line in trivial if (line.model, line.role) == (scores.model, scores.role)],
        coverage=coverage_rows(scores),
        false_alarms=false_alarm_rows(scores),
        overview=_auc_figure("AUC by condition", {wording.condition_title(row.condition): row for row in video}),
        roc=[roc_figure(roc), low_fpr_figure(roc, video[0].reals)],
        scores_picture=score_figure(items, scores.calibration.video_threshold),
        reliability=reliability_figure(reliability_points(scores)),
        methods_picture=_auc_figure("AUC by forgery method, clean", {row.method: row for row in methods}),
    )


def _auc_figure(title: str, rows: dict[str, MetricRow]) -> Picture:
    estimates: dict[str, Estimate] = {name: row.estimates["auc"] for name, row in rows.items()}
    return estimate_figure(title, estimates, label="video ROC-AUC", chance=0.5)


def _versions() -> Iterator[tuple[str, str]]:
    yield "python", ".".join(python_version_tuple()[:2])
    for package in _PACKAGES:
        try:
            yield package, version(package)
        except PackageNotFoundError:
            continue
